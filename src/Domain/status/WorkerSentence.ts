import { humanDuration } from "../text/Amounts.ts"

/** The fields that Status and Projects share. */
interface WorkerSummary {
  readonly worker_status: string
  readonly worker_pid: number | null
  readonly reason?: string
  readonly next_start_at_ms?: number
}

/**
 * Describes a worker's state; continues a sentence that begins with its name: `is restarting: it crashed; the next start
 * is in 12 seconds`. `nowMs` is milliseconds since 1970.
 */
export const workerSentence = (worker: WorkerSummary, nowMs: number): string => {
  const pid = worker.worker_pid === null ? "" : `, pid ${worker.worker_pid}`
  const because = worker.reason === undefined ? "" : `: ${worker.reason}`
  const due =
    worker.next_start_at_ms === undefined
      ? ""
      : `; the next start is in ${humanDuration(Math.max(0, worker.next_start_at_ms - nowMs))}`
  return `is ${worker.worker_status}${pid}${because}${due}`
}
