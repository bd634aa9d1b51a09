import { stampLength, storedLine } from "../output/StoredLine.ts"

/**
 * Which lines of a worker.log are wanted. Lines are texts whose characters are bytes (latin1), because a worker may write
 * what is no text: so is `text`.
 */
export interface LogFilter {
  /** The beginning of lines that are not older than wanted: `2026-11-22 19:45:36.029`. */
  readonly since?: string
  /** Only lines that contain this. */
  readonly text?: string
  /** Only standard error. */
  readonly onlyErrors?: boolean
}

const isStamped = (line: string): boolean => storedLine(line.slice(0, stampLength)) !== undefined

/** Whether a line is older than wanted. A line without a time is as old as those around it. */
export const isTooOld = ({ since }: LogFilter, line: string): boolean =>
  since !== undefined && line < since && isStamped(line)

/** Whether a line is wanted, whatever its time. */
export const isMatching = ({ onlyErrors, text }: LogFilter, line: string): boolean => {
  if (onlyErrors === true && line.slice(stampLength - 4, stampLength) !== "err ") return false
  return text === undefined || line.includes(text, isStamped(line) ? stampLength : 0)
}

/** Whether a line is wanted. */
export const matchesFilter = (filter: LogFilter, line: string): boolean =>
  isMatching(filter, line) && !isTooOld(filter, line)
