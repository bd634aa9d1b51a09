import type { ProjectName } from "../Project.ts"
import type { HistoryRecord } from "./HistoryRecord.ts"

/** Selects records; without fields, all of them. */
export interface HistoryQuery {
  /** The oldest time, in milliseconds since 1970 ... */
  readonly sinceMs?: number
  /** ... unless fewer records than this are younger. */
  readonly atLeast?: number
  /** Only the records of one project and of the daemon itself. */
  readonly project?: ProjectName
  /** The greatest number of records; the newest win. */
  readonly limit?: number
}

/** The answer to a query. */
export interface HistoryFound {
  /** The oldest first. */
  readonly records: ReadonlyArray<HistoryRecord>
  /** The number of damaged lines. An unfinished last line, which a crash leaves, does not count. */
  readonly damaged: number
}
