import { readdir } from "node:fs/promises"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { workerLimits } from "../../Domain/guard/WorkerLimit.ts"
import type { MetricsData } from "../../Domain/metrics/MetricsData.ts"
import { type MeasuredProject, metricsData } from "../../Domain/metrics/MetricsReport.ts"
import { InstanceLock } from "../daemon/InstanceLock.ts"
import { WorkerMemory } from "../guard/WorkerMemory.ts"
import { Concerns } from "../history/Concerns.ts"
import { HistoryStore } from "../history/HistoryStore.ts"
import { MemoryMonitor } from "../memory/MemoryMonitor.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import { WorkerGroups } from "../tree/WorkerGroups.ts"
import { LiveWorkers } from "../verdict/LiveWorkers.ts"
import type { ProjectSnapshot } from "../worker/ProjectActor.ts"
import { Supervisor } from "../worker/Supervisor.ts"
import { Tallies } from "./Tallies.ts"

/** Answers everything a scrape needs in one look. Never waits for a worker or a command. */
export class MetricsReport extends Context.Tag("MetricsReport")<
  MetricsReport,
  { readonly report: Effect.Effect<MetricsData> }
>() {}

/** The open descriptors of this process, without the one that lists them; undefined where /proc does not show them. */
const openDescriptors = Effect.tryPromise(() => readdir("/proc/self/fd")).pipe(
  Effect.map((names) => names.length - 1),
  Effect.orElseSucceed(() => undefined)
)

const make = (version: string) =>
  Effect.gen(function* () {
    const supervisor = yield* Supervisor
    const memory = yield* MemoryMonitor
    const workerMemory = yield* WorkerMemory
    const live = yield* LiveWorkers
    const groups = yield* WorkerGroups
    const concerns = yield* Concerns
    const history = yield* HistoryStore
    const tally = yield* Tallies
    const { homeId } = yield* InstanceLock
    const { now: inForce } = yield* SettingsInForce
    const startedMs = yield* Clock.currentTimeMillis

    const runOf = Effect.fnUntraced(function* ({ state: { phase }, worker }: ProjectSnapshot) {
      if (phase._tag !== "Running" || worker === undefined) return undefined
      const output = live.of(phase.pid)?.output
      if (output === undefined) return undefined
      const nowMs = yield* Clock.currentTimeMillis
      const quietNanos = (yield* Clock.currentTimeNanos) - output.lastOutputNanos()
      return {
        memory: workerMemory.of(phase.pid),
        containment: groups.containment(worker.id, phase.pid),
        lastOutputMs: nowMs - Number(quietNanos) / 1e6,
        agent: output.agent()
      } satisfies MeasuredProject["run"]
    })

    const daemon = Effect.gen(function* () {
      const { system, user } = process.cpuUsage()
      const openFds = yield* openDescriptors
      return {
        version,
        node: process.versions.node,
        home_id: homeId,
        started_at_ms: startedMs,
        cpu_ms: Math.round((user + system) / 1000),
        resident_bytes: process.memoryUsage.rss(),
        ...(openFds === undefined ? {} : { open_fds: openFds }),
        degraded: concerns.degraded(),
        events_lost: history.lost()
      }
    })

    const report = Effect.gen(function* () {
      workerMemory.refresh()
      const facts = yield* daemon
      const limits = workerLimits(inForce())
      const projects = yield* Effect.forEach(yield* supervisor.snapshots, (snapshot) =>
        Effect.map(
          runOf(snapshot),
          (run): MeasuredProject => ({
            project: snapshot.plan.project,
            state: snapshot.state,
            plan: snapshot.plan.agent,
            nextStartMs: snapshot.nextStartMs,
            limitBytes: limits.get(snapshot.plan.project),
            run
          })
        )
      )
      const measured = { facts, memory: yield* memory.last, projects }
      return yield* Ref.modify(tally, (before) => {
        const [after, data] = metricsData(measured, before)
        return [data, after]
      })
    })
    return MetricsReport.of({ report })
  })

export const layer = (
  version: string
): Layer.Layer<
  MetricsReport,
  never,
  | Supervisor
  | MemoryMonitor
  | WorkerMemory
  | LiveWorkers
  | WorkerGroups
  | Concerns
  | HistoryStore
  | Tallies
  | InstanceLock
  | SettingsInForce
> => Layer.effect(MetricsReport, make(version))
