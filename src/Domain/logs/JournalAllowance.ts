/**
 * The lines of workers for the journal in one window. By default the journal takes 10,000 lines of a unit in 30 seconds
 * and drops the rest: a flood of a worker must not cost the daemon its own lines.
 */
const windowMs = 30_000
export const linesPerWindow = 2000

/** The journal splits a longer line. */
export const maxJournalLineBytes = 8 * 1024

/** The rest of a window. */
interface JournalAllowance {
  readonly windowEndMs: number
  readonly lines: number
}

export const noAllowance: JournalAllowance = { windowEndMs: Number.NEGATIVE_INFINITY, lines: 0 }

/** Returns how many of the lines may go to the journal now, on a monotonic clock, and the rest of the window. */
export const allowed = (
  allowance: JournalAllowance,
  nowMs: number,
  lines: number
): readonly [lines: number, JournalAllowance] => {
  const current =
    nowMs < allowance.windowEndMs ? allowance : { windowEndMs: nowMs + windowMs, lines: linesPerWindow }
  const taken = Math.min(lines, current.lines)
  return [taken, { ...current, lines: current.lines - taken }]
}
