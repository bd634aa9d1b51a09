import { figuresOf, type MemoryLook } from "../memory/MemoryLook.ts"
import type { ProjectName } from "../Project.ts"
import type { Containment } from "../tree/WorkerGroup.ts"
import { type LifeMemory, treeBytes } from "../tree/WorkerMemory.ts"
import { reason, statusWord, type WorkerState, type WorkerStatus } from "../worker/WorkerState.ts"
import type { ProjectRow } from "./ProjectsData.ts"
import type { StatusData } from "./StatusData.ts"

/** What is known of one project at the moment of the question. */
export interface ProjectReport {
  readonly project: ProjectName
  readonly state: WorkerState
  /** What runs, or what the next start runs. */
  readonly argv: ReadonlyArray<string>
  readonly workingDir: string
  readonly autostart: boolean
  /** The settings that the next start brings and the worker that runs does not have. */
  readonly awaited: ReadonlyArray<string>
  /** When the worker is started again by itself, in milliseconds since 1970. */
  readonly nextStartMs: number | undefined
  /** The worker that runs or ran last; undefined before the first. */
  readonly worker: { readonly id: string; readonly uptimeMs: number } | undefined
  /** What its processes hold; undefined until they were looked at. */
  readonly memory: LifeMemory | undefined
  /** What holds them together; undefined while none run, or it is not known yet. */
  readonly containment: Containment | undefined
  /** Above this it is restarted; undefined without a limit. */
  readonly limitBytes: number | undefined
}

export interface DaemonReport {
  readonly pid: number
  readonly version: string
  readonly uptimeMs: number
  /** Undefined until it could be looked at. */
  readonly memory: MemoryLook | undefined
  readonly degraded: ReadonlyArray<string>
  readonly selected: ProjectName
  /** The state of every project, this one included. */
  readonly all: ReadonlyArray<WorkerState>
}

const seconds = (milliseconds: number): number => Math.max(0, Math.floor(milliseconds / 1000))

const tally = (words: ReadonlyArray<WorkerStatus>): Record<string, number> =>
  Object.fromEntries(
    [...new Set(words)].map((word) => [word, words.filter((other) => other === word).length])
  )

/** A pid, an uptime and an amount of memory are there only while that worker runs. */
const running = ({ containment, memory, state, worker }: ProjectReport) =>
  state.phase._tag === "Running"
    ? {
        pid: state.phase.pid,
        uptimeSeconds: seconds(worker?.uptimeMs ?? 0),
        id: worker?.id,
        memory,
        containment
      }
    : { pid: null, uptimeSeconds: 0, id: undefined, memory: undefined, containment: undefined }

/** Why it is as it is and when it starts again, where there is something to say. */
const outlook = ({ nextStartMs, state }: ProjectReport) => {
  const because = reason(state)
  return {
    ...(because === undefined ? {} : { reason: because }),
    ...(nextStartMs === undefined ? {} : { next_start_at_ms: Math.round(nextStartMs) })
  }
}

/** What the worker's processes hold, where that is known. */
const holdings = (tree: LifeMemory | undefined, limitBytes: number | undefined) => ({
  ...(tree === undefined
    ? {}
    : {
        worker_processes: tree.processes,
        worker_memory_bytes: treeBytes(tree),
        ...(tree.swapBytes === 0 ? {} : { worker_swap_bytes: tree.swapBytes }),
        worker_peak_memory_bytes: tree.peakBytes
      }),
  ...(limitBytes === undefined ? {} : { worker_limit_bytes: limitBytes })
})

/** The memory as last looked at. Two of its figures are the original's, and always there. */
const memory = (look: MemoryLook | undefined) => {
  if (look === undefined) return { memory_available_bytes: 0, memory_total_bytes: 0 }
  const { boundBy, pressureFullPerMille: full, pressureSomePerMille: some, ...figures } = figuresOf(look)
  return {
    memory_available_bytes: figures.availableBytes,
    memory_total_bytes: figures.totalBytes,
    memory_level: figures.level,
    memory_min_available_bytes: figures.minAvailableBytes,
    memory_critical_threshold_bytes: figures.criticalBytes,
    ...(boundBy === undefined ? {} : { memory_bound_by: boundBy }),
    ...(some === undefined ? {} : { memory_pressure_some_per_mille: some }),
    ...(full === undefined ? {} : { memory_pressure_full_per_mille: full }),
    swap_total_bytes: figures.swapTotalBytes,
    swap_free_bytes: figures.swapFreeBytes
  }
}

/** The data of a status answer. */
export const statusData = (project: ProjectReport, daemon: DaemonReport): StatusData => {
  const { state } = project
  const worker = running(project)
  return {
    worker_status: statusWord(state),
    worker_pid: worker.pid,
    uptime_seconds: worker.uptimeSeconds,
    total_restarts: state.totalRestarts,
    consecutive_failures: state.failures,
    ...memory(daemon.memory),
    project: project.project,
    selected_project: daemon.selected,
    ...outlook(project),
    ...(state.lastExit === undefined ? {} : { last_exit: state.lastExit }),
    ...(worker.id === undefined ? {} : { worker_id: worker.id }),
    ...holdings(worker.memory, project.limitBytes),
    ...(worker.containment === undefined ? {} : { containment: worker.containment }),
    worker_command: project.argv,
    working_dir: project.workingDir,
    awaiting_restart: project.awaited,
    daemon_pid: daemon.pid,
    daemon_uptime_seconds: seconds(daemon.uptimeMs),
    daemon_version: daemon.version,
    degraded: daemon.degraded,
    projects: tally(daemon.all.map(statusWord))
  }
}

/** One row of the answer to Projects. */
export const projectRow = (project: ProjectReport, selected: ProjectName): ProjectRow => {
  const worker = running(project)
  return {
    name: project.project,
    selected: project.project === selected,
    worker_status: statusWord(project.state),
    worker_pid: worker.pid,
    uptime_seconds: worker.uptimeSeconds,
    total_restarts: project.state.totalRestarts,
    consecutive_failures: project.state.failures,
    memory_bytes: worker.memory === undefined ? null : treeBytes(worker.memory),
    processes: worker.memory?.processes ?? null,
    autostart: project.autostart,
    ...outlook(project)
  }
}
