/**
 * How many lines of workers go to the journal in one window. By default the journal takes 10,000 lines of a unit in
 * 30 seconds and drops what is more, whoever wrote it: a worker that floods must not cost the daemon its own lines.
 */
const windowMs = 30_000
export const linesPerWindow = 2000

/** A line that is longer would become several in the journal. */
export const maxJournalLineBytes = 8 * 1024

/** What is left of a window. */
interface JournalAllowance {
  readonly windowEndMs: number
  readonly lines: number
}

export const noAllowance: JournalAllowance = { windowEndMs: Number.NEGATIVE_INFINITY, lines: 0 }

/** How many of these lines may be told now, by a clock that only goes forward, and what is left then. */
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
