import { heldBytes } from "../machine/ProcessEntry.ts"
import { figuresOf, type MemorySample } from "../memory/MemorySample.ts"
import type { ProjectName } from "../Project.ts"
import type { Containment } from "../tree/WorkerGroup.ts"
import type { RunMemory } from "../tree/WorkerMemory.ts"
import { isFinished, reason, statusWord, type WorkerState, type WorkerStatus } from "../worker/WorkerState.ts"
import type { AgentData } from "./AgentData.ts"
import { lastAgentData } from "./AgentReport.ts"
import { lastRun } from "./LastRun.ts"
import type { ProjectRow } from "./ProjectsData.ts"
import type { StatusData } from "./StatusData.ts"

/** Snapshot of a project. */
export interface ProjectReport {
  readonly project: ProjectName
  readonly state: WorkerState
  /** The command line of this run, or else of the next one. */
  readonly argv: ReadonlyArray<string>
  /** Where the command line of the next run is set. */
  readonly source?: string | undefined
  readonly workingDir: string
  readonly autostart: boolean
  /** Changed settings that take effect at the next start. */
  readonly awaited: ReadonlyArray<string>
  /** The time of the next automatic start, in milliseconds since 1970. */
  readonly nextStartMs: number | undefined
  /** The beginning of the state, in milliseconds since 1970. */
  readonly sinceMs: number
  /** The current or last run; undefined before the first. */
  readonly worker: { readonly id: string; readonly uptimeMs: number } | undefined
  /** Undefined until the first sample. */
  readonly memory: RunMemory | undefined
  /** Undefined while no worker runs. */
  readonly containment: Containment | undefined
  /** The limit above which the daemon restarts the worker; undefined without one. */
  readonly limitBytes: number | undefined
  /** The line without an end after which the worker is quiet; undefined without one. */
  readonly unfinished: string | undefined
  /** What the agent of the running worker tells; undefined where there is none. */
  readonly agent: AgentData | undefined
}

export interface DaemonReport {
  readonly pid: number
  readonly version: string
  readonly uptimeMs: number
  /** Undefined until the first reading. */
  readonly memory: MemorySample | undefined
  readonly degraded: ReadonlyArray<string>
  readonly selected: ProjectName
  /** The states of all projects. */
  readonly all: ReadonlyArray<WorkerState>
}

const seconds = (milliseconds: number): number => Math.max(0, Math.floor(milliseconds / 1000))

const tally = (words: ReadonlyArray<WorkerStatus>): Record<string, number> =>
  Object.fromEntries(
    [...new Set(words)].map((word) => [word, words.filter((other) => other === word).length])
  )

/** The fields that only a running worker has. */
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

/** The agent that runs, or what is left of the last one, and the end of the last run. */
const agents = ({ agent, state }: ProjectReport) => {
  const last =
    agent === undefined && state.lastAgent !== undefined ? lastAgentData(state.lastAgent) : undefined
  return { ...lastRun(state, agent ?? last), ...(agent && { agent }), ...(last && { last_agent: last }) }
}

/** What the agent of a running worker is in, or why only a person helps the last one; a verdict tells a missing login. */
const situationOf = ({ agent, state: { lastAgent } }: ProjectReport): string | undefined => {
  if (agent !== undefined) return agent.situation
  const blocked = lastAgent?.blocked
  return blocked === undefined || blocked.why === "login"
    ? undefined
    : `is blocked on a person: it ${blocked.text}`
}

/** The reason for the state, what the agent is in, and the next automatic start. */
const outlook = (project: ProjectReport) => {
  const { nextStartMs, sinceMs, state } = project
  const situation = situationOf(project)
  const parts = [reason(state), situation === undefined ? undefined : `the agent ${situation}`]
  const told = parts.filter((part) => part !== undefined)
  const because = told.length === 0 ? undefined : told.join("; ")
  return {
    ...(isFinished(state) && { finished: true as const }),
    ...(because === undefined ? {} : { reason: because }),
    state_since_ms: sinceMs,
    ...(nextStartMs === undefined ? {} : { next_start_at_ms: Math.round(nextStartMs) })
  }
}

const holdings = (tree: RunMemory | undefined, limitBytes: number | undefined) => ({
  ...(tree === undefined
    ? {}
    : {
        worker_processes: tree.processes,
        worker_memory_bytes: heldBytes(tree),
        ...(tree.swapBytes === 0 ? {} : { worker_swap_bytes: tree.swapBytes }),
        worker_peak_memory_bytes: tree.peakBytes
      }),
  ...(limitBytes === undefined ? {} : { worker_limit_bytes: limitBytes })
})

/** The last reading of the memory. Two of its fields are the original's, and always present. */
const memory = (look: MemorySample | undefined) => {
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

/** Builds the data of a status answer. */
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
    ...(project.unfinished === undefined ? {} : { unfinished_line: project.unfinished }),
    ...holdings(worker.memory, project.limitBytes),
    ...(worker.containment === undefined ? {} : { containment: worker.containment }),
    worker_command: project.argv,
    ...(project.source === undefined ? {} : { worker_command_source: project.source }),
    working_dir: project.workingDir,
    awaiting_restart: project.awaited,
    daemon_pid: daemon.pid,
    daemon_uptime_seconds: seconds(daemon.uptimeMs),
    daemon_version: daemon.version,
    degraded: daemon.degraded,
    ...agents(project),
    projects: tally(daemon.all.map(statusWord))
  }
}

/** Builds a row of the answer to Projects. */
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
    memory_bytes: worker.memory === undefined ? null : heldBytes(worker.memory),
    processes: worker.memory?.processes ?? null,
    ...(worker.memory?.cpuPerMille === undefined ? {} : { cpu_per_mille: worker.memory.cpuPerMille }),
    autostart: project.autostart,
    ...outlook(project),
    ...agents(project)
  }
}
