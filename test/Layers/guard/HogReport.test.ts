import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type { GroupMembers } from "../../../src/Domain/machine/ProcessFacts.ts"
import type { MemorySample } from "../../../src/Domain/memory/MemorySample.ts"
import { plansOf } from "../../../src/Domain/worker/ProjectPlan.ts"
import { initial, Phase, Sequel } from "../../../src/Domain/worker/WorkerState.ts"
import * as HogReport from "../../../src/Layers/guard/HogReport.ts"
import * as HogSearch from "../../../src/Layers/guard/HogSearch.ts"
import { cgroupMembers } from "../../../src/Layers/machine/CgroupMembers.ts"
import { ProcessScan, type ScanAim } from "../../../src/Layers/machine/ProcessScan.ts"
import { MemoryMonitor } from "../../../src/Layers/memory/MemoryMonitor.ts"
import { WorkerGroups, withoutGroups } from "../../../src/Layers/tree/WorkerGroups.ts"
import type { ProjectSnapshot } from "../../../src/Layers/worker/ProjectActor.ts"
import { Supervisor } from "../../../src/Layers/worker/Supervisor.ts"
import { citizen, homeId, MiB, scanned, worldOf } from "../../Domain/machine/processWorlds.ts"
import { changeableSettings } from "../../fixtures/ChangeableSettings.ts"
import { heldHome } from "../../fixtures/HeldHome.ts"
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
  nextStartMs: undefined,
  sinceMs: 0
})

const lookAt = (level: MemorySample["level"], boundBy?: string): MemorySample => ({
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

/** The daemon 50 with the worker 100, and processes that have strayed from it and from an earlier one. */
const world = worldOf(50, [
  citizen(1, { parent: 0 }),
  citizen(50),
  citizen(100, { parent: 50, mark: mark("now"), bytes: 300 * MiB }),
  citizen(200, { mark: mark("now"), bytes: 200 * MiB }),
  citizen(300, { mark: mark("before") }),
  citizen(400, { bytes: 250 * MiB })
])

/** A report on that world. Projects are read before and after the scan. */
const reportOn = (options: {
  readonly look?: MemorySample | undefined
  readonly before?: ProjectSnapshot
  readonly after?: ProjectSnapshot
  readonly members?: ReadonlyArray<GroupMembers>
}) => {
  const aims: Array<ScanAim> = []
  let scans = 0
  const running = snapshot(Phase.Running({ epoch: 1, pid: 100 }), mark("now"))
  const layer = HogReport.layer.pipe(
    Layer.provide(HogSearch.layer),
    Layer.provide(
      Layer.succeed(WorkerGroups, { ...withoutGroups, members: Effect.succeed(options.members ?? []) })
    ),
    Layer.provide(heldHome(homeId)),
    Layer.provide(
      Layer.mock(MemoryMonitor, { last: Effect.succeed(options.look), shortage: () => Effect.void })
    ),
    Layer.provide(changeableSettings(() => settings)),
    Layer.provide(
      Layer.succeed(ProcessScan, {
        scan: (aim, use) =>
          Effect.suspend(() => {
            aims.push(aim)
            return use(scanned(world, aim.largeBytes))
          })
      })
    ),
    Layer.provide(
      Layer.mock(Supervisor, {
        snapshots: Effect.sync(() => [(scans++ === 0 ? options.before : options.after) ?? running]),
        look: () => assert.fail(),
        selected: () => assert.fail()
      })
    )
  )
  return Effect.gen(function* () {
    const { report } = yield* HogReport.HogReport
    return { data: yield* report, aims }
  }).pipe(Effect.provide(layer))
}

const pids = (rows: ReadonlyArray<{ readonly pid: number; readonly kind: string }>) =>
  rows.map(({ kind, pid }) => `${pid} ${kind}`)

describe("the report on hogs", () => {
  it.effect("lists the processes to kill by the settings in force and the running workers", () =>
    Effect.gen(function* () {
      const { aims, data } = yield* reportOn({ look: lookAt("low") })
      assert.deepStrictEqual(pids(data.would_end), ["300 leftover", "200 orphan"])
      assert.deepStrictEqual(pids(data.would_spare), ["100 worker", "400 smaller-than-worker"])
      assert.deepStrictEqual(aims, [{ homeId, largeBytes: 100 * MiB, swapInUseBytes: 50 * MiB }])
      assert.strictEqual(data.memory_level, "low")
      assert.strictEqual(data.would_end[1]?.memory_bytes, 200 * MiB)
    })
  )

  it.effect("counts the members of a worker's cgroup as that worker's, also without any other evidence", () =>
    Effect.gen(function* () {
      const members = [{ workerId: mark("now"), pids: new Set([100, 400]) }]
      const { data } = yield* reportOn({ look: lookAt("low"), members })
      assert.deepStrictEqual(pids(data.would_end), ["300 leftover", "400 orphan", "200 orphan"])
      assert.deepStrictEqual(pids(data.would_spare), ["100 worker"])
    })
  )

  it.effect("includes strangers when memory is critical", () =>
    Effect.gen(function* () {
      const { data } = yield* reportOn({ look: lookAt("critical") })
      assert.deepStrictEqual(pids(data.would_end), ["300 leftover", "200 orphan", "400 hog"])
    })
  )

  it.effect("spares the processes of a worker that starts or stops before or after the scan", () =>
    Effect.gen(function* () {
      const stopped = snapshot(Phase.Stopped({ because: "a person" }), mark("now"))
      const starting = snapshot(Phase.Starting({ epoch: 2, again: false, remains: [] }))
      const stopping = snapshot(
        Phase.Stopping({
          epoch: 1,
          sequel: Sequel.Start({}),
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
        const { data } = yield* reportOn({ look: lookAt("low"), ...changing })
        assert.notIncludeMembers(pids(data.would_end), ["200 leftover", "300 leftover"])
        assert.include(pids(data.would_spare), "200 worker")
      }
      const { data } = yield* reportOn({ look: lookAt("low"), before: stopped, after: stopped })
      assert.includeMembers(pids(data.would_end), ["200 leftover", "300 leftover"])
    })
  )

  it.scoped("lists processes in the cgroup that leaves least memory, and in the groups below it", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryHome
      fs.mkdirSync(join(folder, "inner", "deeper"), { recursive: true })
      fs.mkdirSync(join(folder, "unreadable"))
      fs.writeFileSync(join(folder, "cgroup.procs"), "300\n")
      fs.writeFileSync(join(folder, "inner", "cgroup.procs"), "")
      fs.writeFileSync(join(folder, "inner", "deeper", "cgroup.procs"), "400\n401\n")
      assert.deepStrictEqual([...cgroupMembers(folder)], [300, 400, 401])
      assert.strictEqual(cgroupMembers(join(folder, "none")).size, 0)
      const { data } = yield* reportOn({ look: lookAt("critical", folder) })
      assert.deepStrictEqual(pids(data.would_end), ["300 leftover", "400 hog"])
      assert.include(pids(data.would_spare), "200 outside-cgroup")
      assert.strictEqual(data.memory_bound_by, folder)
    })
  )

  it.effect("fails until memory can be read", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(reportOn({ look: undefined }))
      assert.match(error.message, /has not been able to read/)
    })
  )
})
