import { stampLength } from "../output/StoredLine.ts"

/** Selects lines of a log. Lines are latin1: each character is one byte, since output may be binary. */
export interface LogFilter {
  /** The oldest time as a stamp: `2026-11-22 19:45:36.029`. */
  readonly since?: string
  /** The newest time, likewise. */
  readonly until?: string
  /** Whether the reader wants the line, which has its stamp. It may take long: see `withinLimit`. */
  readonly isWanted?: (line: string) => boolean
  /** Only standard error. */
  readonly onlyErrors?: boolean
}

const stamp = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} /

/** The time of a line as its stamp; undefined for a line without one, which is as old as the line before it. */
export const stampOf = (line: string): string | undefined =>
  stamp.test(line) ? line.slice(0, "2026-11-22 19:45:36.029".length) : undefined

/** The line is older than `since`. A line without a stamp is as old as its neighbours. */
export const isTooOld = ({ since }: LogFilter, line: string): boolean =>
  since !== undefined && line < since && stampOf(line) !== undefined

/** The line matches, however old it is. */
export const isMatching = ({ isWanted, onlyErrors, until }: LogFilter, line: string): boolean => {
  const at = until === undefined ? undefined : stampOf(line)
  if (until !== undefined && at !== undefined && at > until) return false
  if (onlyErrors === true && line.slice(stampLength - 4, stampLength) !== "err ") return false
  return isWanted === undefined || isWanted(line)
}

export const matchesFilter = (filter: LogFilter, line: string): boolean =>
  isMatching(filter, line) && !isTooOld(filter, line)
