import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { workerLimits } from "../../Domain/guard/WorkerLimit.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { agentData } from "../../Domain/status/AgentReport.ts"
import type { ProjectsData } from "../../Domain/status/ProjectsData.ts"
import type { StatusData } from "../../Domain/status/StatusData.ts"
import { type ProjectReport, projectRow, statusData } from "../../Domain/status/StatusReport.ts"
import type { Containment } from "../../Domain/tree/WorkerGroup.ts"
import { WorkerMemory } from "../guard/WorkerMemory.ts"
import { Concerns } from "../history/Concerns.ts"
import { MemoryMonitor } from "../memory/MemoryMonitor.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import { WorkerGroups } from "../tree/WorkerGroups.ts"
import { LiveWorkers } from "../verdict/LiveWorkers.ts"
import type { ProjectSnapshot } from "../worker/ProjectActor.ts"
import { Supervisor, type UnknownProject } from "../worker/Supervisor.ts"

/** Reports the state of projects. Never waits for a worker or a command. */
export class ProjectReports extends Context.Tag("ProjectReports")<
  ProjectReports,
  {
    /** Without a name, the selected project's. */
    readonly status: (project: ProjectName | undefined) => Effect.Effect<StatusData, UnknownProject>
    readonly projects: Effect.Effect<ProjectsData>
  }
>() {}

/** One moment by both clocks. */
interface Now {
  readonly nanos: bigint
  readonly ms: number
}

const currentTime: Effect.Effect<Now> = Effect.all({
  nanos: Clock.currentTimeNanos,
  ms: Clock.currentTimeMillis
})

const millisBetween = (fromNanos: bigint, toNanos: bigint): number => Number(toNanos - fromNanos) / 1e6

const make = (daemon: { readonly pid: number; readonly version: string }) =>
  Effect.gen(function* () {
    const supervisor = yield* Supervisor
    const memory = yield* MemoryMonitor
    const workerMemory = yield* WorkerMemory
    const live = yield* LiveWorkers
    const groups = yield* WorkerGroups
    const concerns = yield* Concerns
    const { current } = yield* SettingsInForce
    const startedNanos = yield* Clock.currentTimeNanos
    const limits = Effect.map(SubscriptionRef.get(current), workerLimits)

    const reportOf = (
      snapshot: ProjectSnapshot,
      { nanos: nowNanos, ms: nowMs }: Now,
      limits: ReadonlyMap<ProjectName, number>,
      containment?: Containment
    ): ProjectReport => {
      const { awaited, inForce, nextStartMs, plan, sinceMs, state, worker } = snapshot
      const output = state.phase._tag === "Running" ? live.of(state.phase.pid)?.output : undefined
      return {
        project: plan.project,
        state,
        argv: plan.refusal === undefined ? inForce.argv : [],
        source: plan.places?.worker,
        workingDir: inForce.cwd,
        autostart: plan.autostart,
        awaited,
        nextStartMs,
        sinceMs,
        worker:
          worker === undefined
            ? undefined
            : { id: worker.id, uptimeMs: millisBetween(worker.startedNanos, nowNanos) },
        memory: state.phase._tag === "Running" ? workerMemory.of(state.phase.pid) : undefined,
        unfinished: output?.unfinished(),
        agent: output && agentData(output.agent(), nowMs, plan.agent?.lingerMs),
        containment,
        limitBytes: limits.get(plan.project)
      }
    }

    const containmentOf = ({ state: { phase }, worker }: ProjectSnapshot) =>
      phase._tag === "Running" && worker !== undefined
        ? groups.containment(worker.id, phase.pid)
        : Effect.succeed(undefined)

    return ProjectReports.of({
      status: Effect.fnUntraced(function* (project) {
        const snapshot = yield* (yield* supervisor.project(project)).snapshot
        const now = yield* currentTime
        yield* workerMemory.refresh
        const containment = yield* containmentOf(snapshot)
        return statusData(reportOf(snapshot, now, yield* limits, containment), {
          ...daemon,
          uptimeMs: millisBetween(startedNanos, now.nanos),
          memory: yield* memory.last,
          degraded: yield* concerns.degraded,
          selected: yield* supervisor.selected,
          all: (yield* supervisor.snapshots).map(({ state }) => state)
        })
      }),
      projects: Effect.gen(function* () {
        const now = yield* currentTime
        yield* workerMemory.refresh
        const selected = yield* supervisor.selected
        const snapshots = yield* supervisor.snapshots
        const limited = yield* limits
        return {
          selected,
          projects: snapshots.map((snapshot) => projectRow(reportOf(snapshot, now, limited), selected))
        }
      })
    })
  })

export const layer = (daemon: {
  readonly pid: number
  readonly version: string
}): Layer.Layer<
  ProjectReports,
  never,
  Supervisor | MemoryMonitor | WorkerMemory | LiveWorkers | WorkerGroups | SettingsInForce | Concerns
> => Layer.effect(ProjectReports, make(daemon))
