import type { StatusReply } from "../status/StatusData.ts"
import { workerSentence } from "../status/WorkerSentence.ts"
import type { HistoryRecord, RecordOf } from "./HistoryRecord.ts"

/** How the work of a worker has ended: it stays so until a user acts. */
export interface WorkOutcome {
  /** `stopped`: before its work was finished. */
  readonly outcome: "finished" | "failed" | "stopped"
  /** Without its subject and without a full stop. */
  readonly sentence: string
  /** The end of the last run; undefined where the history has none. */
  readonly ended: RecordOf<"WorkerEnded"> | undefined
}

/** The outcome of a project's work; undefined while the work goes on. `records` are the project's, the oldest first. */
export const outcomeOf = (
  status: StatusReply,
  records: ReadonlyArray<HistoryRecord>,
  nowMs: number
): WorkOutcome | undefined => {
  if (status.worker_status !== "stopped" && status.worker_status !== "failed") return undefined
  const ended = records.findLast((record) => record._tag === "WorkerEnded")
  const isDone = ended?._tag === "WorkerEnded" && ended.verdict.kind === "done"
  const outcome = status.worker_status === "failed" ? "failed" : isDone ? "finished" : "stopped"
  return {
    outcome,
    sentence: workerSentence(status, nowMs),
    ended: ended?._tag === "WorkerEnded" ? ended : undefined
  }
}

/** The outcome as JSON. */
export const outcomeData = (status: StatusReply, { ended, outcome }: WorkOutcome) => ({
  project: status.project ?? null,
  outcome,
  /** The exit code of the last run's leader; null for a signal, and before the first run. */
  exit_code: ended?.exit.code ?? null,
  verdict: ended?.verdict.kind ?? null,
  ...(status.last_agent === undefined ? {} : { last_agent: status.last_agent })
})
