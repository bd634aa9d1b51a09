import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { GroupMembers } from "../../../src/Domain/machine/ProcessFacts.ts"
import type { MemoryLook } from "../../../src/Domain/memory/MemoryLook.ts"
import { plansOf } from "../../../src/Domain/worker/ProjectPlan.ts"
import { initial, Phase, Sequel } from "../../../src/Domain/worker/WorkerState.ts"
import { InstanceLock } from "../../../src/Layers/daemon/InstanceLock.ts"
import * as HogReport from "../../../src/Layers/guard/HogReport.ts"
import * as HogSearch from "../../../src/Layers/guard/HogSearch.ts"
import { cgroupMembers } from "../../../src/Layers/machine/CgroupMembers.ts"
import { ProcessScan, type ScanAim } from "../../../src/Layers/machine/ProcessScan.ts"
import { MemoryMonitor } from "../../../src/Layers/memory/MemoryMonitor.ts"
import { SettingsInForce } from "../../../src/Layers/settings/SettingsInForce.ts"
import { WorkerGroups, withoutGroups } from "../../../src/Layers/tree/WorkerGroups.ts"
import type { ProjectSnapshot } from "../../../src/Layers/worker/ProjectActor.ts"
import { Supervisor } from "../../../src/Layers/worker/Supervisor.ts"
import { citizen, homeId, MiB, scanned, worldOf } from "../../Domain/machine/processWorlds.ts"
import { inForce } from "../../fixtures/SettingsInForce.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

const settings = inForce({
  worker_command: { type: "Command", argv: ["agent"] },
  memory: { hog_names: ["node"], node_kill_threshold_bytes: 100 * MiB }
})
const [plan] = Either.getOrThrow(plansOf(settings))

const snapshot = (phase: Phase, id?: string): ProjectSnapshot => ({
  plan,
  inForce: plan,
  awaited: [],
  state: { ...initial, phase },
  worker: id === undefined ? undefined : { id, startedNanos: 0n },
  nextStartMs: undefined
})

const lookAt = (level: MemoryLook["level"], boundBy?: string): MemoryLook => ({
  reading: {
    availableBytes: 3 * MiB,
    totalBytes: 9 * MiB,
    swapTotalBytes: 80 * MiB,
    swapFreeBytes: 30 * MiB,
    boundBy,
    stall: undefined
  },
  pressure: undefined,
  thresholds: { minAvailableBytes: 2 * MiB, criticalBytes: MiB },
  level
})

const mark = (uuid: string) => `${homeId}:default:${uuid}`

/** A daemon 50 with a worker 100, and what that and an earlier one have lost. */
const world = worldOf(50, [
  citizen(1, { parent: 0 }),
  citizen(50),
  citizen(100, { parent: 50, mark: mark("now"), bytes: 300 * MiB }),
  citizen(200, { mark: mark("now"), bytes: 200 * MiB }),
  citizen(300, { mark: mark("before") }),
  citizen(400, { bytes: 250 * MiB })
])

/** A report on that world. The projects are looked at before and after the processes. */
const report = (options: {
  readonly look?: MemoryLook | undefined
  readonly before?: ProjectSnapshot
  readonly after?: ProjectSnapshot
  readonly members?: ReadonlyArray<GroupMembers>
}) => {
  const aims: Array<ScanAim> = []
  let asked = 0
  const running = snapshot(Phase.Running({ epoch: 1, pid: 100 }), mark("now"))
  const unused = Effect.dieMessage("nobody asks for it")
  const layer = HogReport.layer.pipe(
    Layer.provide(HogSearch.layer),
    Layer.provide(
      Layer.succeed(WorkerGroups, { ...withoutGroups, members: Effect.succeed(options.members ?? []) })
    ),
    Layer.provide(Layer.succeed(InstanceLock, { homeId })),
    Layer.provide(
      Layer.succeed(MemoryMonitor, {
        last: Effect.succeed(options.look),
        now: unused,
        shortage: Stream.empty
      })
    ),
    Layer.provide(
      Layer.effect(
        SettingsInForce,
        Effect.map(SubscriptionRef.make(settings), (current) => ({ current, load: () => unused }))
      )
    ),
    Layer.provide(
      Layer.succeed(ProcessScan, {
        look: (aim, use) =>
          Effect.suspend(() => {
            aims.push(aim)
            return use(scanned(world, aim.largeBytes))
          })
      })
    ),
    Layer.provide(
      Layer.succeed(Supervisor, {
        project: () => unused,
        begin: unused,
        snapshots: Effect.sync(() => [(asked++ === 0 ? options.before : options.after) ?? running]),
        selected: unused,
        select: () => unused,
        apply: () => unused,
        probe: unused,
        drain: unused
      })
    )
  )
  return Effect.gen(function* () {
    const { look } = yield* HogReport.HogReport
    return { data: yield* look, aims }
  }).pipe(Effect.provide(layer))
}

const pids = (rows: ReadonlyArray<{ readonly pid: number; readonly kind: string }>) =>
  rows.map(({ kind, pid }) => `${pid} ${kind}`)

describe("the report on hogs", () => {
  it.effect("tells who would be ended with the settings in force and the workers that run", () =>
    Effect.gen(function* () {
      const { aims, data } = yield* report({ look: lookAt("low") })
      assert.deepStrictEqual(pids(data.would_end), ["300 leftover", "200 orphan"])
      assert.deepStrictEqual(pids(data.would_spare), ["100 worker", "400 smaller-than-worker"])
      assert.deepStrictEqual(aims, [{ homeId, largeBytes: 100 * MiB, swapInUseBytes: 50 * MiB }])
      assert.strictEqual(data.memory_level, "low")
      assert.strictEqual(data.would_end[1]?.memory_bytes, 200 * MiB)
    })
  )

  it.effect("takes who is in a worker's cgroup for that worker's, though nothing else tells", () =>
    Effect.gen(function* () {
      const members = [{ workerId: mark("now"), pids: new Set([100, 400]) }]
      const { data } = yield* report({ look: lookAt("low"), members })
      assert.deepStrictEqual(pids(data.would_end), ["300 leftover", "400 orphan", "200 orphan"])
      assert.deepStrictEqual(pids(data.would_spare), ["100 worker"])
    })
  )

  it.effect("counts a stranger when memory is critical", () =>
    Effect.gen(function* () {
      const { data } = yield* report({ look: lookAt("critical") })
      assert.deepStrictEqual(pids(data.would_end), ["300 leftover", "200 orphan", "400 hog"])
    })
  )

  it.effect(
    "leaves to its own end what belongs to a worker that is being started or ended, before or after",
    () =>
      Effect.gen(function* () {
        const stopped = snapshot(Phase.Stopped({ because: "a person" }), mark("now"))
        const starting = snapshot(Phase.Starting({ epoch: 2, again: false, remains: [] }))
        const stopping = snapshot(
          Phase.Stopping({
            epoch: 1,
            sequel: Sequel.Start(),
            asked: "a test",
            cause: undefined,
            ended: undefined,
            remains: []
          }),
          mark("now")
        )
        for (const changing of [
          { before: stopped, after: starting },
          { before: stopping, after: stopped }
        ]) {
          const { data } = yield* report({ look: lookAt("low"), ...changing })
          assert.notIncludeMembers(pids(data.would_end), ["200 leftover", "300 leftover"])
          assert.include(pids(data.would_spare), "200 worker")
        }
        const { data } = yield* report({ look: lookAt("low"), before: stopped, after: stopped })
        assert.includeMembers(pids(data.would_end), ["200 leftover", "300 leftover"])
      })
  )

  it.scoped("tells who is in the cgroup that leaves least, and in the groups below it", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryHome
      fs.mkdirSync(join(folder, "inner", "deeper"), { recursive: true })
      fs.mkdirSync(join(folder, "unreadable"))
      fs.writeFileSync(join(folder, "cgroup.procs"), "300\n")
      fs.writeFileSync(join(folder, "inner", "cgroup.procs"), "")
      fs.writeFileSync(join(folder, "inner", "deeper", "cgroup.procs"), "400\n401\n")
      assert.deepStrictEqual([...(yield* cgroupMembers(folder))], [300, 400, 401])
      assert.strictEqual((yield* cgroupMembers(join(folder, "none"))).size, 0)
      const { data } = yield* report({ look: lookAt("critical", folder) })
      assert.deepStrictEqual(pids(data.would_end), ["300 leftover", "400 hog"])
      assert.include(pids(data.would_spare), "200 outside-cgroup")
      assert.strictEqual(data.memory_bound_by, folder)
    })
  )

  it.effect("says so when the memory could not be read yet", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(report({ look: undefined }))
      assert.match(error.message, /could not be read yet/)
    })
  )
})
