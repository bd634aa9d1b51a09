/** The reports of a shortage so far, so that each fact is reported once and summaries stay rare. */
export interface ShortageReports {
  /** When the shortage began, on the monotonic clock. A relief that did not last is part of it. */
  readonly sinceMs: number
  /** When memory became plentiful; undefined while it is short. */
  readonly plentifulSinceMs: number | undefined
  /** The time of the last report. */
  readonly reportedMs: number
  /** The decision of the last report. */
  readonly decision: string | undefined
  /** Number of processes killed. */
  readonly ended: number
}

/** A shorter relief does not end a shortage: available memory jumps as programs exit. */
const reliefMs = 30_000

/** The longest silence while memory is short. */
const summaryMs = 60_000

/** Memory is short at `nowMs`. */
export const onShort = (before: ShortageReports | undefined, nowMs: number): ShortageReports => {
  const isOver = before?.plentifulSinceMs !== undefined && nowMs - before.plentifulSinceMs >= reliefMs
  if (before === undefined || isOver) {
    return { sinceMs: nowMs, plentifulSinceMs: undefined, reportedMs: nowMs, decision: undefined, ended: 0 }
  }
  return before.plentifulSinceMs === undefined ? before : { ...before, plentifulSinceMs: undefined }
}

/** Memory is plentiful at `nowMs`. */
export const onPlentiful = (
  before: ShortageReports | undefined,
  nowMs: number
): ShortageReports | undefined =>
  before === undefined || before.plentifulSinceMs !== undefined
    ? before
    : { ...before, plentifulSinceMs: nowMs }

/** Whether a decision differs from the reported one. */
export const isNewDecision = ({ decision }: ShortageReports, now: string): boolean => decision !== now

export const onReported = (
  before: ShortageReports,
  decision: string | undefined,
  nowMs: number
): ShortageReports => ({ ...before, decision, reportedMs: nowMs })

/** Whether a summary of an unchanged shortage is due. */
export const isSummaryDue = ({ reportedMs }: ShortageReports, nowMs: number): boolean =>
  nowMs - reportedMs >= summaryMs
