import { humanDuration } from "../text/Amounts.ts"

/** What Status and Projects both say of a worker. */
interface WorkerSummary {
  readonly worker_status: string
  readonly worker_pid: number | null
  readonly reason?: string
  readonly next_start_at_ms?: number
}

/**
 * What a worker does, continuing a sentence that begins with who it is: `is restarting: it crashed; the next start is
 * in 12 seconds`. `nowMs` is since 1970.
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
