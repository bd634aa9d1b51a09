import type { StatusData, WorkerStatus } from "./ControlProtocol.ts"
import type { MemoryReading } from "./MemoryReading.ts"
import type { ProjectName } from "./Project.ts"
import { reason, statusWord, type WorkerState } from "./WorkerState.ts"

/** What is known of one project at the moment of the question. */
export interface ProjectReport {
  readonly project: ProjectName
  readonly state: WorkerState
  readonly argv: ReadonlyArray<string>
  readonly workingDir: string
  /** When the worker is started again by itself, in milliseconds since 1970. */
  readonly nextStartMs: number | undefined
  /** The worker that runs or ran last; undefined before the first. */
  readonly worker: { readonly id: string; readonly uptimeMs: number } | undefined
}

export interface DaemonReport {
  readonly pid: number
  readonly version: string
  readonly uptimeMs: number
  readonly memory: MemoryReading
  readonly degraded: ReadonlyArray<string>
  /** The state of every project, this one included. */
  readonly all: ReadonlyArray<WorkerState>
}

const seconds = (milliseconds: number): number => Math.max(0, Math.floor(milliseconds / 1000))

const tally = (words: ReadonlyArray<WorkerStatus>): Record<string, number> =>
  Object.fromEntries(
    [...new Set(words)].map((word) => [word, words.filter((other) => other === word).length])
  )

/** The data of a status answer. A pid and an uptime are there only while that worker runs. */
export const statusData = (project: ProjectReport, daemon: DaemonReport): StatusData => {
  const { state } = project
  const worker = state.phase._tag === "Running" ? project.worker : undefined
  const because = reason(state)
  const dueMs = project.nextStartMs
  return {
    worker_status: statusWord(state),
    worker_pid: state.phase._tag === "Running" ? state.phase.pid : null,
    uptime_seconds: worker === undefined ? 0 : seconds(worker.uptimeMs),
    total_restarts: state.totalRestarts,
    consecutive_failures: state.failures,
    memory_available_bytes: daemon.memory.availableBytes,
    memory_total_bytes: daemon.memory.totalBytes,
    project: project.project,
    ...(because === undefined ? {} : { reason: because }),
    ...(dueMs === undefined ? {} : { next_start_at_ms: Math.round(dueMs) }),
    ...(state.lastExit === undefined ? {} : { last_exit: state.lastExit }),
    ...(worker === undefined ? {} : { worker_id: worker.id }),
    worker_command: project.argv,
    working_dir: project.workingDir,
    daemon_pid: daemon.pid,
    daemon_uptime_seconds: seconds(daemon.uptimeMs),
    daemon_version: daemon.version,
    degraded: daemon.degraded,
    projects: tally(daemon.all.map(statusWord))
  }
}
