import { humanDuration } from "../text/Amounts.ts"

/** The fields that Status and Projects share. */
interface WorkerSummary {
  readonly worker_status: string
  readonly worker_pid: number | null
  readonly reason?: string
  readonly next_start_at_ms?: number
  readonly finished?: true
}

/** The word for a worker's state: that on the wire, but for one whose work is finished. */
export const stateWord = ({
  finished,
  worker_status
}: Pick<WorkerSummary, "finished" | "worker_status">): string =>
  finished === true ? "finished" : worker_status

/** The reason of a state beside its word: `its work is finished (exited with code 0)` would say it twice. */
export const reasonBeside = ({
  finished,
  reason
}: Pick<WorkerSummary, "finished" | "reason">): string | undefined =>
  finished === true ? reason?.replace(/^its work is finished \((.*?)\)(?=$|;)/s, "$1") : reason

/**
 * Describes a worker's state; continues a sentence that begins with its name: `is restarting: it crashed; the next start
 * is in 12 seconds`. `nowMs` is milliseconds since 1970.
 */
export const workerSentence = (worker: WorkerSummary, nowMs: number): string => {
  const pid = worker.worker_pid === null ? "" : `, pid ${worker.worker_pid}`
  const reason = reasonBeside(worker)
  const because = reason === undefined ? "" : `: ${reason}`
  const due =
    worker.next_start_at_ms === undefined
      ? ""
      : `; the next start is in ${humanDuration(Math.max(0, worker.next_start_at_ms - nowMs))}`
  return `is ${stateWord(worker)}${pid}${because}${due}`
}
