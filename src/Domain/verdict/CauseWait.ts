const minuteMs = 60_000

/** Messages name a reset to the minute, seconds cut off, by another clock. */
export const afterResetMs = minuteMs

/** The shortest and the longest wait where no time is known. */
const waits = {
  overloaded: { firstMs: minuteMs, longestMs: 30 * minuteMs },
  other: { firstMs: 5 * minuteMs, longestMs: 60 * minuteMs }
} as const

/**
 * The wait for an API that is overloaded: as long again as there has been no success. The number of runs says nothing:
 * an agent that retries by itself for minutes has few of them, one that gives up at once has many.
 */
export const overloadedWaitMs = (withoutSuccessMs: number): number =>
  Math.min(waits.overloaded.longestMs, Math.max(waits.overloaded.firstMs, withoutSuccessMs))

/** The wait for another cause. Each further one in a row, from 1, is twice as long. */
export const waitMs = (inARow: number): number =>
  Math.min(waits.other.longestMs, waits.other.firstMs * 2 ** Math.max(0, inARow - 1))

/**
 * The time to try a usage limit again, in milliseconds since 1970. It may be reached again right after its reset: each
 * start costs a session, so the wait grows even then.
 */
export const limitEndMs = (resetAtMs: number | undefined, nowMs: number, inARow: number): number =>
  resetAtMs === undefined
    ? nowMs + waitMs(inARow)
    : Math.max(resetAtMs + afterResetMs, inARow > 1 ? nowMs + waitMs(inARow - 1) : nowMs)

/** A limit of one model says nothing about another one: `You've hit your Opus limit`. */
export const isOfOneModel = (says: string): boolean =>
  /(?:^|[^a-z])(?:opus|sonnet|haiku|fable)(?![a-z])|\bthis model\b|\bmodel: /i.test(says)
