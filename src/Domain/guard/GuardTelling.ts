/** What people have been told of memory that is short, so that they hear of everything once and nothing too often. */
export interface GuardTelling {
  /** Since when it has been so, but for reliefs that did not last. On the monotonic clock. */
  readonly sinceMs: number
  /** Since when it has been plentiful again; undefined while it is short. */
  readonly plentifulSinceMs: number | undefined
  /** When anything was told last. */
  readonly toldMs: number
  /** What was decided when it was told last. */
  readonly decision: string | undefined
  /** Processes that were ended for it. */
  readonly ended: number
}

/** A relief must last this long before what follows is another shortage: memory goes up and down as programs end. */
const reliefMs = 30_000

/** While memory is short, nobody hears nothing for longer than this. */
const summaryMs = 60_000

/** Memory is short at `nowMs`. */
export const onShort = (before: GuardTelling | undefined, nowMs: number): GuardTelling => {
  const isOver = before?.plentifulSinceMs !== undefined && nowMs - before.plentifulSinceMs >= reliefMs
  if (before === undefined || isOver) {
    return { sinceMs: nowMs, plentifulSinceMs: undefined, toldMs: nowMs, decision: undefined, ended: 0 }
  }
  return before.plentifulSinceMs === undefined ? before : { ...before, plentifulSinceMs: undefined }
}

/** Memory is plentiful at `nowMs`. */
export const onPlentiful = (before: GuardTelling | undefined, nowMs: number): GuardTelling | undefined =>
  before === undefined || before.plentifulSinceMs !== undefined
    ? before
    : { ...before, plentifulSinceMs: nowMs }

/** Whether a decision is news: it is told when it is another one than before, not each time it is taken. */
export const isNews = ({ decision }: GuardTelling, now: string): boolean => decision !== now

/** A decision was told. */
export const onTold = (before: GuardTelling, decision: string | undefined, nowMs: number): GuardTelling => ({
  ...before,
  decision,
  toldMs: nowMs
})

/** Whether it is time to tell that nothing has changed. */
export const isSummaryDue = ({ toldMs }: GuardTelling, nowMs: number): boolean => nowMs - toldMs >= summaryMs
