import { stampLength, storedLine } from "../output/StoredLine.ts"

/** Selects lines of a worker.log. Lines and `text` are latin1: each character is one byte, since output may be binary. */
export interface LogFilter {
  /** The oldest time as a stamp: `2026-11-22 19:45:36.029`. */
  readonly since?: string
  /** Only lines with this text. */
  readonly text?: string
  /** Only standard error. */
  readonly onlyErrors?: boolean
}

const isStamped = (line: string): boolean => storedLine(line.slice(0, stampLength)) !== undefined

/** The line is older than `since`. A line without a stamp is as old as its neighbours. */
export const isTooOld = ({ since }: LogFilter, line: string): boolean =>
  since !== undefined && line < since && isStamped(line)

/** The line matches, whatever its time. */
export const isMatching = ({ onlyErrors, text }: LogFilter, line: string): boolean => {
  if (onlyErrors === true && line.slice(stampLength - 4, stampLength) !== "err ") return false
  return text === undefined || line.includes(text, isStamped(line) ? stampLength : 0)
}

export const matchesFilter = (filter: LogFilter, line: string): boolean =>
  isMatching(filter, line) && !isTooOld(filter, line)
