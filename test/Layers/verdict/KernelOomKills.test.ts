import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { type MemoryLook, memoryLook } from "../../../src/Domain/memory/MemoryLook.ts"
import * as Concerns from "../../../src/Layers/history/Concerns.ts"
import { DaemonEvents } from "../../../src/Layers/history/DaemonEvents.ts"
import * as ProcFs from "../../../src/Layers/machine/ProcFs.ts"
import { MemoryMonitor } from "../../../src/Layers/memory/MemoryMonitor.ts"
import * as KernelOomKills from "../../../src/Layers/verdict/KernelOomKills.ts"
import * as WorkerSamples from "../../../src/Layers/verdict/WorkerSamples.ts"
import { gib, type KernelFolders, kernelFolders } from "../machine/KernelFolders.ts"
import { settle } from "../worker/SupervisorWorld.ts"

const memory = (availableBytes: number): MemoryLook =>
  memoryLook(
    {
      availableBytes,
      totalBytes: 16 * gib,
      swapTotalBytes: 0,
      swapFreeBytes: 0,
      boundBy: undefined,
      stall: undefined
    },
    undefined,
    { minAvailableBytes: 2 * gib, criticalBytes: gib }
  )

/** The kernel's files, and what the daemon knows of the memory. */
interface World extends KernelFolders {
  last: MemoryLook | undefined
  /** A look that shows less than plenty. */
  readonly shortage: (availableBytes: number) => Effect.Effect<void>
  readonly defects: Array<string>
}

type Needs = KernelOomKills.KernelOomKills | WorkerSamples.WorkerSamples | Scope.Scope

const inWorld = <A, E>(test: (world: World) => Effect.Effect<A, E, Needs>) =>
  Effect.gen(function* () {
    const folders = yield* kernelFolders
    const shortages = yield* PubSub.unbounded<MemoryLook>()
    const world: World = {
      ...folders,
      last: memory(9 * gib),
      shortage: (availableBytes) =>
        Effect.zipRight(PubSub.publish(shortages, memory(availableBytes)), settle),
      defects: []
    }
    const Events = Layer.succeed(DaemonEvents, {
      publish: (event) => Effect.sync(() => void world.defects.push(event._tag)),
      changes: Stream.empty
    })
    const Monitor = Layer.succeed(MemoryMonitor, {
      last: Effect.sync(() => world.last),
      now: Effect.sync(() => world.last),
      shortage: Stream.fromPubSub(shortages)
    })
    const layer = KernelOomKills.layerAt(folders).pipe(
      Layer.provide(ProcFs.layerAt(folders.proc)),
      Layer.provide(Monitor),
      Layer.provideMerge(WorkerSamples.layer),
      Layer.provide(Layer.provide(Concerns.layer, Events))
    )
    yield* Effect.zipRight(settle, test(world)).pipe(Effect.provide(layer))
    assert.deepStrictEqual(world.defects, [])
  })

const leader = 4711
const mark = "AUTOPILOT_WORKER_ID=home:demo:1"

const stat = (pid: number, session: number) =>
  `${pid} (w) S 1 ${pid} ${session} 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 99 1000 10 0 0\n`

/** A process that runs. */
const processOf = (pid: number, session = pid, environ = "") => ({
  [`proc/${pid}/stat`]: stat(pid, session),
  [`proc/${pid}/environ`]: environ
})

const events = (kills: number) => `low 0\nhigh 0\nmax 9\noom 9\noom_kill ${kills}\noom_group_kill 0\n`

/** A group of version 2, and the leader in it. */
const group2 = (name: string, kills: number, pids: ReadonlyArray<number>, file = "memory.events.local") => ({
  [`proc/${leader}/cgroup`]: `0::/${name}\n`,
  [`sys/fs/cgroup/${name}/${file}`]: events(kills),
  [`sys/fs/cgroup/${name}/cgroup.procs`]: pids.map((pid) => `${pid}\n`).join("")
})

const vmstat = (kills: number) => ({ "proc/vmstat": `nr_free_pages 1\noom_kill ${kills}\npgfault 7\n` })

const killed = { code: null, signal: "SIGKILL" }
const failed = { code: 1, signal: null }

/** A worker of this pid that is watched, once the counters have been looked at. */
const watched = (pid = leader, ownMark = mark, made?: { readonly folder: string; readonly path: string }) =>
  Effect.gen(function* () {
    const { watch } = yield* KernelOomKills.KernelOomKills
    const kills = yield* watch(ownMark, made)
    yield* kills.begin(pid)
    return kills
  })

const nextLook = Effect.zipRight(TestClock.adjust("5 seconds"), settle)

describe("a kill by the kernel", () => {
  it.scoped("is proven by the worker's cgroup, with what was known before", () =>
    inWorld(({ shortage, sys, write }) =>
      Effect.gen(function* () {
        const samples = yield* WorkerSamples.WorkerSamples
        write({ ...group2("a", 3, [leader, 1]), ...processOf(1), ...processOf(leader), ...vmstat(9) })
        const kills = yield* watched()
        samples.put(
          new Map([[leader, { residentBytes: 12 * gib, swapBytes: gib, processes: 7, peakBytes: 13 * gib }]])
        )
        yield* shortage(gib / 4)
        samples.put(new Map())
        yield* shortage(12 * gib)
        write(group2("a", 4, [1]))
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
  )

  it.scoped("is not told where none was counted since the worker's start, whatever the machine counts", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        world.write({ ...group2("a", 3, [leader]), ...vmstat(9) })
        const kills = yield* watched()
        world.write(vmstat(10))
        world.last = memory(gib / 2)
        assert.isUndefined(yield* kills.verdict(killed, false))
      })
    )
  )

  it.scoped("of a child is proven while none but the daemon and the worker are in the cgroup", () =>
    inWorld(({ sys, write }) =>
      Effect.gen(function* () {
        const [child, escaped] = [4712, 4713]
        write({
          ...group2("a", 0, [process.pid, leader, child, escaped]),
          ...processOf(leader),
          ...processOf(child, leader),
          ...processOf(escaped, escaped, `A=b\0${mark}\0`)
        })
        const kills = yield* watched()
        write(group2("a", 2, [process.pid, leader, escaped]))
        assert.deepInclude(yield* kills.verdict(failed, false), {
          certainty: "proven",
          victim: "member",
          kills: 2,
          cgroup: `${sys}/fs/cgroup/a`
        })
      })
    )
  )

  it.scoped("is noticed while the leader goes on, and told at its end", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        world.write({ ...group2("a", 0, [leader]), ...processOf(leader) })
        const kills = yield* watched()
        world.last = memory(gib)
        yield* nextLook
        world.write(group2("a", 1, [leader]))
        yield* nextLook
        world.last = memory(9 * gib)
        yield* TestClock.adjust("1 minute")
        const kill = yield* kills.verdict({ code: 0, signal: null }, true)
        assert.deepInclude(kill, { certainty: "proven", victim: "member", kills: 1 })
        assert.strictEqual(kill?.memory?.availableBytes, gib)
      })
    )
  )

  it.scoped("is only probable when somebody else is in the cgroup, or may be", () =>
    inWorld(({ write }) =>
      Effect.gen(function* () {
        const verdictIn = Effect.fnUntraced(function* (
          members: ReadonlyArray<number>,
          more: Record<string, string> = {},
          file?: string
        ) {
          write({ ...group2("a", 0, [leader, ...members], file), ...processOf(leader), ...more })
          const kills = yield* watched()
          write(group2("a", 1, members, file))
          const kill = yield* kills.verdict(failed, false)
          return kill?.certainty
        }, Effect.scoped)
        assert.strictEqual(yield* verdictIn([1], processOf(1)), "probable")
        // From outside of this PID namespace.
        assert.strictEqual(yield* verdictIn([0]), "probable")
        assert.strictEqual(yield* verdictIn([]), "proven")
        // Gone before it could be looked at.
        assert.strictEqual(yield* verdictIn([77]), "proven")
      })
    )
  )

  it.scoped("of one worker is not told of another one in the same cgroup", () =>
    inWorld(({ write }) =>
      Effect.gen(function* () {
        const other = 4800
        write({
          ...group2("a", 0, [process.pid, leader, other]),
          [`proc/${other}/cgroup`]: "0::/a\n",
          ...processOf(leader),
          ...processOf(other)
        })
        const first = yield* watched()
        const second = yield* watched(other, "AUTOPILOT_WORKER_ID=home:other:1")
        write(group2("a", 1, [process.pid, other]))
        assert.deepInclude(yield* first.verdict(killed, false), { certainty: "proven", victim: "leader" })
        assert.isUndefined(yield* second.verdict(failed, false))
      })
    )
  )

  it.scoped("is found where the worker has gone, and not known once that cgroup is removed", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const { sys, write } = world
        write({ ...group2("a", 0, [leader]), ...processOf(leader) })
        const kills = yield* watched()
        write({ ...group2("b.scope", 7, [leader]), "sys/fs/cgroup/a/cgroup.procs": "" })
        yield* nextLook
        write(group2("b.scope", 8, []))
        assert.deepInclude(yield* kills.verdict(killed, false), {
          certainty: "proven",
          kills: 1,
          cgroup: `${sys}/fs/cgroup/b.scope`
        })

        const next = 4800
        write({
          ...vmstat(1),
          [`proc/${next}/cgroup`]: "0::/c.scope\n",
          "sys/fs/cgroup/c.scope/memory.events.local": "nothing\n",
          "sys/fs/cgroup/c.scope/cgroup.procs": `${next}\n`,
          ...processOf(next)
        })
        const later = yield* watched(next)
        yield* world.shortage(gib)
        write(vmstat(2))
        assert.deepInclude(yield* later.verdict(killed, false), { certainty: "probable", victim: "leader" })
      })
    )
  )
})

describe("a kill in the cgroup that was made for a worker", () => {
  const inMade = (
    test: (
      world: World,
      made: { readonly folder: string; readonly path: string }
    ) => Effect.Effect<void, never, Needs>
  ) => inWorld((world) => test(world, { folder: join(world.sys, "fs/cgroup/a"), path: "/a" }))
  const file = "memory.events"

  it.scoped(
    "is proven from the first moment on, before the worker is seen there, and also in groups below",
    () =>
      inMade((world, made) =>
        Effect.gen(function* () {
          world.write({ ...group2("a", 0, [], file), [`proc/${leader}/cgroup`]: "0::/daemon\n" })
          world.write({ "sys/fs/cgroup/a/below/cgroup.procs": "4712\n" })
          const kills = yield* watched(leader, mark, made)
          world.write(group2("a", 2, [], file))
          assert.deepInclude(yield* kills.verdict(failed, false), {
            certainty: "proven",
            victim: "member",
            kills: 2,
            cgroup: made.folder
          })
        })
      )
  )

  it.scoped("is proven whoever is in it: nobody is looked at", () =>
    inMade((world, made) =>
      Effect.gen(function* () {
        const stranger = 4712
        world.write({
          ...group2("a", 0, [leader, stranger], file),
          ...processOf(stranger),
          ...processOf(leader)
        })
        const kills = yield* watched(leader, mark, made)
        yield* nextLook
        world.write(group2("a", 1, [leader, stranger], file))
        assert.deepInclude(yield* kills.verdict(failed, false), { certainty: "proven", kills: 1 })
      })
    )
  )

  it.scoped(
    "is told with the limit of the group where that was reached, and not where the machine was full",
    () =>
      inMade((world, made) =>
        Effect.gen(function* () {
          const limitOf = Effect.fnUntraced(function* (limit: string, isReached: boolean) {
            world.write({
              ...group2("a", 0, [leader], file),
              ...processOf(leader),
              "sys/fs/cgroup/a/memory.max": limit
            })
            const kills = yield* watched(leader, mark, made)
            const after = isReached ? events(1) : events(1).replace("oom 9", "oom 0")
            world.write({ [`sys/fs/cgroup/a/${file}`]: after })
            const kill = yield* kills.verdict(killed, false)
            assert.strictEqual(kill?.certainty, "proven")
            return kill?.limitBytes
          })
          assert.strictEqual(yield* limitOf(`${5 * gib}\n`, true), 5 * gib)
          assert.isUndefined(yield* limitOf(`${5 * gib}\n`, false))
          assert.isUndefined(yield* limitOf("max\n", true))
        })
      )
  )

  it.scoped("is looked for where the worker is when it has left that group", () =>
    inMade((world, made) =>
      Effect.gen(function* () {
        world.write({ ...group2("a", 0, [leader], file), ...processOf(leader) })
        const kills = yield* watched(leader, mark, made)
        world.write({ ...group2("b.scope", 7, [leader]), "sys/fs/cgroup/a/cgroup.procs": "" })
        yield* nextLook
        world.write(group2("b.scope", 8, []))
        assert.deepInclude(yield* kills.verdict(killed, false), {
          certainty: "proven",
          kills: 1,
          cgroup: join(world.sys, "fs/cgroup/b.scope")
        })
      })
    )
  )

  it.scoped("is looked for as without it where memory is not accounted for it", () =>
    inMade((world, made) =>
      Effect.gen(function* () {
        const above = (kills: number) => ({ "sys/fs/cgroup/memory.events.local": events(kills) })
        world.write({
          [`proc/${leader}/cgroup`]: "0::/a\n",
          "sys/fs/cgroup/a/cgroup.procs": `${leader}\n`,
          ...above(5),
          ...processOf(leader)
        })
        const kills = yield* watched(leader, mark, made)
        world.write(above(6))
        assert.deepInclude(yield* kills.verdict(failed, false), {
          certainty: "probable",
          cgroup: join(world.sys, "fs/cgroup")
        })
      })
    )
  )
})

describe("the counter of a worker's cgroup", () => {
  const mounts1 = "35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"

  it.scoped("is memory.oom_control in version 1", () =>
    inWorld(({ sys, write }) =>
      Effect.gen(function* () {
        const control = (kills: string) => ({
          "sys/fs/cgroup/memory/a/memory.oom_control": `oom_kill_disable 0\nunder_oom 0\n${kills}`
        })
        write({
          "proc/self/mountinfo": mounts1,
          [`proc/${leader}/cgroup`]: "9:name=systemd:/\n4:memory:/a\n0::/\n",
          "sys/fs/cgroup/memory/a/cgroup.procs": `${leader}\n`,
          ...control("oom_kill 2\n"),
          ...processOf(leader)
        })
        const kills = yield* watched()
        write(control("oom_kill 3\n"))
        assert.deepInclude(yield* kills.verdict(failed, false), {
          certainty: "proven",
          cgroup: `${sys}/fs/cgroup/memory/a`
        })
      })
    )
  )

  it.scoped("is memory.events where there is no local one, and proves less with groups below", () =>
    inWorld(({ write }) =>
      Effect.gen(function* () {
        const file = "memory.events"
        write({ ...group2("a", 0, [leader], file), ...processOf(leader) })
        const first = yield* watched()
        write({ ...group2("a", 1, [leader], file) })
        assert.deepInclude(yield* first.verdict(failed, false), { certainty: "proven" })
        write({ "sys/fs/cgroup/a/below/cgroup.procs": "" })
        const second = yield* watched()
        write({ ...group2("a", 2, [leader], file) })
        assert.deepInclude(yield* second.verdict(failed, false), { certainty: "probable" })
      })
    )
  )

  it.scoped("is the one of the group above where memory is accounted for that only", () =>
    inWorld(({ sys, write }) =>
      Effect.gen(function* () {
        const above = (kills: number) => ({ "sys/fs/cgroup/user/memory.events.local": events(kills) })
        write({
          [`proc/${leader}/cgroup`]: "0::/user/app\n",
          "sys/fs/cgroup/user/app/cgroup.procs": `${leader}\n`,
          ...above(5),
          ...processOf(leader)
        })
        const kills = yield* watched()
        write(above(6))
        assert.deepInclude(yield* kills.verdict(failed, false), {
          certainty: "probable",
          cgroup: `${sys}/fs/cgroup/user`
        })
      })
    )
  )

  it.scoped("is not known, and nothing fails, where files are missing or odd", () =>
    inWorld((world) =>
      Effect.gen(function* () {
        const odd: ReadonlyArray<Record<string, string>> = [
          {},
          { [`proc/${leader}/cgroup`]: "" },
          { [`proc/${leader}/cgroup`]: "0::/nowhere\n" },
          { [`proc/${leader}/cgroup`]: "0::/../outside\n" },
          { [`proc/${leader}/cgroup`]: "4:memory:/a\n" },
          // An old kernel, which does not count.
          { ...group2("a", 0, [leader]), "sys/fs/cgroup/a/memory.events.local": "low 0\noom 0\n" },
          { ...group2("a", 0, [leader]), "sys/fs/cgroup/a/memory.events.local": "" },
          // Another group by that name: the leader is not in it.
          group2("a", 0, [1]),
          { ...group2("b", 0, [leader]), "proc/self/mountinfo": "rubbish\n" }
        ]
        world.last = undefined
        for (const files of odd) {
          world.write(files)
          const kills = yield* Effect.scoped(Effect.tap(watched(), nextLook))
          assert.isUndefined(yield* kills.verdict(killed, false))
        }
        // The same with a count for the machine: that alone proves nothing.
        for (const files of odd) {
          world.write({ ...files, ...vmstat(1) })
          const kills = yield* watched()
          world.write(vmstat(2))
          assert.isUndefined(yield* kills.verdict(killed, false))
        }
      })
    )
  )

  it.scoped("is not asked for a worker that could not be started", () =>
    inWorld(() =>
      Effect.gen(function* () {
        const { watch } = yield* KernelOomKills.KernelOomKills
        const kills = yield* watch(mark)
        assert.isUndefined(yield* kills.verdict(killed, false))
      })
    )
  )
})
