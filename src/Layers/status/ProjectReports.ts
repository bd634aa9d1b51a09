import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { workerLimits } from "../../Domain/guard/WorkerLimit.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { agentData } from "../../Domain/status/AgentReport.ts"
import type { ProjectsData } from "../../Domain/status/ProjectsData.ts"
import type { StatusData } from "../../Domain/status/StatusData.ts"
import {
  type DaemonReport,
  type ProjectReport,
  projectRow,
  statusData
} from "../../Domain/status/StatusReport.ts"
import type { Containment } from "../../Domain/tree/WorkerGroup.ts"
import { isEqual, latest } from "../concurrency/Latest.ts"
import { WorkerMemory } from "../guard/WorkerMemory.ts"
import { Concerns } from "../history/Concerns.ts"
import { MemoryMonitor } from "../memory/MemoryMonitor.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import { WorkerGroups } from "../tree/WorkerGroups.ts"
import { LiveWorkers } from "../verdict/LiveWorkers.ts"
import type { ProjectActor, ProjectSnapshot } from "../worker/ProjectActor.ts"
import { Supervisor, type UnknownProject } from "../worker/Supervisor.ts"

/**
 * Reports the state of projects, in plain code: a fiber would cost more than the report. As long as nothing has changed,
 * the result is the same object, so that an answer is encoded once.
 */
export class ProjectReports extends Context.Tag("ProjectReports")<
  ProjectReports,
  {
    /** Without a name, the selected project's. */
    readonly status: (project: ProjectName | undefined) => Either.Either<StatusData, UnknownProject>
    readonly projects: () => ProjectsData
  }
>() {}

/** One moment by both clocks. */
interface Now {
  readonly nanos: bigint
  readonly ms: number
}

/** Reports have whole seconds, so that two of the same second are the same. */
const wholeSecondsBetween = (fromNanos: bigint, toNanos: bigint): number =>
  Math.floor(Number(toNanos - fromNanos) / 1e9) * 1000

interface StatusFacts {
  readonly project: ProjectReport
  readonly daemon: DaemonReport
}

interface ProjectsFacts {
  readonly reports: ReadonlyArray<ProjectReport>
  readonly selected: ProjectName
}

const make = (daemon: { readonly pid: number; readonly version: string }) =>
  Effect.gen(function* () {
    const supervisor = yield* Supervisor
    const memory = yield* MemoryMonitor
    const workerMemory = yield* WorkerMemory
    const live = yield* LiveWorkers
    const groups = yield* WorkerGroups
    const concerns = yield* Concerns
    const settings = yield* SettingsInForce
    const clock = yield* Effect.clock
    const limitsOf = latest(workerLimits)
    const currentTime = (): Now => ({
      nanos: clock.unsafeCurrentTimeNanos(),
      ms: clock.unsafeCurrentTimeMillis()
    })
    const startedNanos = clock.unsafeCurrentTimeNanos()
    let sample = yield* memory.last
    yield* memory.observe((seen) => void (sample = seen))

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
        nextStartMs: nextStartMs === undefined ? undefined : Math.round(nextStartMs),
        sinceMs,
        worker:
          worker === undefined
            ? undefined
            : { id: worker.id, uptimeMs: wholeSecondsBetween(worker.startedNanos, nowNanos) },
        memory: state.phase._tag === "Running" ? workerMemory.of(state.phase.pid) : undefined,
        unfinished: output?.unfinished(),
        agent: output && agentData(output.agent(), nowMs, plan.agent?.lingerMs),
        containment,
        limitBytes: limits.get(plan.project)
      }
    }

    const containmentOf = ({ state: { phase }, worker }: ProjectSnapshot) =>
      phase._tag === "Running" && worker !== undefined ? groups.containment(worker.id, phase.pid) : undefined

    const makeStatus = () =>
      latest(({ daemon, project }: StatusFacts) => statusData(project, daemon), isEqual)
    const statuses = new WeakMap<ProjectActor, ReturnType<typeof makeStatus>>()
    const statusOf = (actor: ProjectActor) => {
      const known = statuses.get(actor) ?? makeStatus()
      statuses.set(actor, known)
      return known
    }
    const projects = latest(
      ({ reports, selected }: ProjectsFacts): ProjectsData => ({
        selected,
        projects: reports.map((report) => projectRow(report, selected))
      }),
      isEqual
    )

    return ProjectReports.of({
      status: (project) =>
        Either.map(supervisor.project(project), (actor) => {
          const snapshot = actor.look(clock)
          const now = currentTime()
          workerMemory.refresh()
          return statusOf(actor)({
            project: reportOf(snapshot, now, limitsOf(settings.now()), containmentOf(snapshot)),
            daemon: {
              pid: daemon.pid,
              version: daemon.version,
              uptimeMs: wholeSecondsBetween(startedNanos, now.nanos),
              memory: sample,
              degraded: concerns.degraded(),
              selected: supervisor.selected(),
              all: supervisor.look(clock).map(({ state }) => state)
            }
          })
        }),
      projects: () => {
        const now = currentTime()
        workerMemory.refresh()
        const limits = limitsOf(settings.now())
        return projects({
          reports: supervisor.look(clock).map((snapshot) => reportOf(snapshot, now, limits)),
          selected: supervisor.selected()
        })
      }
    })
  })

export const layer = (daemon: {
  readonly pid: number
  readonly version: string
}): Layer.Layer<
  ProjectReports,
  never,
  Supervisor | MemoryMonitor | WorkerMemory | LiveWorkers | WorkerGroups | SettingsInForce | Concerns
> => Layer.scoped(ProjectReports, make(daemon))
