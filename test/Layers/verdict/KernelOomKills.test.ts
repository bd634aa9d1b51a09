import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { noAgent } from "../../../src/Domain/agent/AgentSeen.ts"
import type { MemorySample } from "../../../src/Domain/memory/MemorySample.ts"
import * as Concerns from "../../../src/Layers/history/Concerns.ts"
import { DaemonEvents } from "../../../src/Layers/history/DaemonEvents.ts"
import { MemoryMonitor } from "../../../src/Layers/memory/MemoryMonitor.ts"
import * as KernelOomKills from "../../../src/Layers/verdict/KernelOomKills.ts"
import * as LiveWorkers from "../../../src/Layers/verdict/LiveWorkers.ts"
import { sampleOf as memory } from "../../fixtures/MemorySamples.ts"
import type { TestBody } from "../../fixtures/TestBody.ts"
import { unheardEvents } from "../../fixtures/UnheardEvents.ts"
import { gib, type KernelFolders, kernelFolders } from "../machine/KernelFolders.ts"
import { settle } from "../worker/SupervisorWorld.ts"

/** The kernel's files, and the memory as the daemon last read it. */
interface World extends KernelFolders {
  last: MemorySample | undefined
  /** Reports a reading of the memory during a shortage. */
  readonly shortage: (availableBytes: number) => Effect.Effect<void>
  readonly defects: Array<string>
}

type Needs = KernelOomKills.KernelOomKills | LiveWorkers.LiveWorkers | Scope.Scope

const inWorld = (body: TestBody<[World], Needs>) =>
  Effect.gen(function* () {
    const folders = yield* kernelFolders
    const shortages = new Set<(sample: MemorySample) => void>()
    const world: World = {
      ...folders,
      last: memory(9 * gib),
      shortage: (availableBytes) =>
        Effect.sync(() => {
          for (const see of shortages) see(memory(availableBytes))
        }),
      defects: []
    }
    const Events = Layer.succeed(
      DaemonEvents,
      unheardEvents((event) => Effect.sync(() => void world.defects.push(event._tag)))
    )
    const Monitor = Layer.succeed(MemoryMonitor, {
      last: Effect.sync(() => world.last),
      now: Effect.sync(() => world.last),
      shortage: (see) => Effect.sync(() => void shortages.add(see)),
      observe: (see) =>
        Effect.asVoid(
          Effect.forkScoped(
            Effect.forever(
              Effect.delay(
                Effect.sync(() => world.last && see(world.last)),
                "5 seconds"
              )
            )
          )
        )
    })
    const layer = KernelOomKills.layerAt(folders.proc).pipe(
      Layer.provide(Monitor),
      Layer.provideMerge(LiveWorkers.layer),
      Layer.provide(Layer.provide(Concerns.layer, Events))
    )
    yield* Effect.zipRight(
      settle,
      Effect.gen(() => body(world))
    ).pipe(Effect.provide(layer))
    assert.deepStrictEqual(world.defects, [])
  })

const leader = 4711

const events = (kills: number) => `low 0\nhigh 0\nmax 9\noom 9\noom_kill ${kills}\noom_group_kill 0\n`

/** The counter of the worker's own cgroup. */
const group = (kills: number) => ({ "sys/fs/cgroup/a/memory.events": events(kills) })

const machine = (kills: number) => ({ "proc/vmstat": `nr_free_pages 1\noom_kill ${kills}\npgfault 7\n` })

const killed = { code: null, signal: "SIGKILL" }
const failed = { code: 1, signal: null }

/** A worker that runs, in its own cgroup if `folder` names one. */
const watched = (folder?: string) =>
  Effect.gen(function* () {
    const { watch } = yield* KernelOomKills.KernelOomKills
    const { add } = yield* LiveWorkers.LiveWorkers
    const kills = yield* watch(folder)
    add(leader, {
      lastOutputNanos: () => 0n,
      agent: () => noAgent,
      onAgent: () => () => {},
      unfinished: () => undefined
    })
    yield* kills.begin(leader)
    return kills
  })

const nextPoll = Effect.zipRight(TestClock.adjust("5 seconds"), settle)

describe("a kill in the worker's own cgroup", () => {
  it.scoped("is proven, with the figures before it, and read after the exit of the leader", () =>
    inWorld(function* ({ shortage, sys, write }) {
      const { sampled } = yield* LiveWorkers.LiveWorkers
      write({ ...group(3), ...machine(9) })
      const kills = yield* watched(join(sys, "fs/cgroup/a"))
      sampled(leader, { residentBytes: 12 * gib, swapBytes: gib, processes: 7, peakBytes: 13 * gib })
      yield* shortage(gib / 4)
      sampled(leader, { residentBytes: gib, swapBytes: 0, processes: 6, peakBytes: 13 * gib })
      yield* shortage(12 * gib)
      write(group(4))
      assert.deepStrictEqual(yield* kills.verdict(killed, false), {
        certainty: "proven",
        victim: "leader",
        kills: 1,
        cgroup: `${sys}/fs/cgroup/a`,
        memory: {
          level: "critical",
          availableBytes: gib / 4,
          totalBytes: 16 * gib,
          minAvailableBytes: 2 * gib,
          criticalBytes: gib,
          swapTotalBytes: 0,
          swapFreeBytes: 0
        },
        tree: { heldBytes: 13 * gib, processes: 7 }
      })
    })
  )

  it.scoped("is noticed while the leader runs on, and reported at its exit", () =>
    inWorld(function* (world) {
      world.write(group(0))
      const kills = yield* watched(join(world.sys, "fs/cgroup/a"))
      world.last = memory(gib)
      yield* nextPoll
      world.write(group(1))
      yield* nextPoll
      world.last = memory(9 * gib)
      yield* TestClock.adjust("1 minute")
      const kill = yield* kills.verdict({ code: 0, signal: null }, true)
      assert.deepInclude(kill, { certainty: "proven", victim: "member", kills: 1 })
      assert.strictEqual(kill?.memory?.availableBytes, gib)
    })
  )

  it.scoped("is not reported where the cgroup counts none, whatever the machine counts", () =>
    inWorld(function* (world) {
      world.write({ ...group(3), ...machine(9) })
      const kills = yield* watched(join(world.sys, "fs/cgroup/a"))
      world.write(machine(10))
      world.last = memory(gib / 2)
      assert.isUndefined(yield* kills.verdict(killed, false))
    })
  )

  it.scoped("names the limit of the cgroup where that was reached", () =>
    inWorld(function* ({ sys, write }) {
      const limitOf = Effect.fnUntraced(function* (limit: string, isReached: boolean) {
        write({ ...group(0), "sys/fs/cgroup/a/memory.max": limit })
        const kills = yield* watched(join(sys, "fs/cgroup/a"))
        const after = isReached ? events(1) : events(1).replace("oom 9", "oom 0")
        write({ "sys/fs/cgroup/a/memory.events": after })
        const kill = yield* kills.verdict(killed, false)
        assert.strictEqual(kill?.certainty, "proven")
        return kill?.limitBytes
      })
      assert.strictEqual(yield* limitOf(`${5 * gib}\n`, true), 5 * gib)
      assert.isUndefined(yield* limitOf(`${5 * gib}\n`, false))
      assert.isUndefined(yield* limitOf("max\n", true))
    })
  )
})

describe("a kill that only the machine counts", () => {
  it.scoped("is probable where memory was short and the worker failed", () =>
    inWorld(function* ({ shortage, write }) {
      write(machine(1))
      const kills = yield* watched()
      yield* shortage(gib)
      write(machine(2))
      const kill = yield* kills.verdict(failed, false)
      assert.deepInclude(kill, { certainty: "probable", victim: "member", kills: 1 })
      assert.notProperty(kill, "cgroup")
    })
  )

  it.scoped("is probable where the worker's cgroup does not account memory", () =>
    inWorld(function* ({ shortage, sys, write }) {
      write(machine(1))
      const kills = yield* watched(join(sys, "fs/cgroup/a"))
      yield* shortage(gib)
      write(machine(2))
      assert.deepInclude(yield* kills.verdict(killed, false), { certainty: "probable", victim: "leader" })
    })
  )

  it.scoped("is not reported, and nothing fails, where counters are missing or odd", () =>
    inWorld(function* (world) {
      const odd: ReadonlyArray<Record<string, string>> = [
        {},
        // An old kernel does not count.
        { "sys/fs/cgroup/a/memory.events": "low 0\noom 0\n", "proc/vmstat": "pgfault 7\n" },
        { "sys/fs/cgroup/a/memory.events": "", "proc/vmstat": "" }
      ]
      world.last = memory(gib / 2)
      for (const files of odd) {
        world.write(files)
        const kills = yield* watched(join(world.sys, "fs/cgroup/a"))
        yield* nextPoll
        yield* kills.end
        assert.isUndefined(yield* kills.verdict(killed, false))
      }
    })
  )

  it.scoped("is not looked up for a worker that could not be started", () =>
    inWorld(function* () {
      const { watch } = yield* KernelOomKills.KernelOomKills
      const kills = yield* watch(undefined)
      assert.isUndefined(yield* kills.verdict(killed, false))
    })
  )
})
