import * as Effect from "effect/Effect"
import type { Html } from "../../Domain/html/Html.ts"
import { timestamp } from "../../Domain/output/StoredLine.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import type { LogPosition } from "../../Domain/panel/LogChoice.ts"
import type { LogRow } from "../../Domain/panel/LogRow.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { readingLog } from "../logs/LogFiles.ts"
import { type LogUnreadable, workerLogIn } from "../logs/LogSources.ts"
import {
  blocksBack,
  blocksOn,
  firstStamp,
  newest,
  type OpenLog,
  oldest,
  type Place,
  placeAfter,
  placeBefore,
  placeOfTime,
  positionOf,
  withLog
} from "./LogBlocks.ts"

/** A part of a worker's log, as rows, the oldest first. */
export interface LogWindow {
  readonly rows: ReadonlyArray<Html>
  /** The number of rows before the time that was asked for. */
  readonly rowsBefore: number
  /** Older lines stand before it; undefined at the beginning of the log. */
  readonly older: LogPosition | undefined
  /** Newer lines stand after it; undefined without a log. */
  readonly newer: LogPosition | undefined
  /** Lines between the position and the rows that are left out, and whether there are even more. */
  readonly skipped: number
  readonly isMoreSkipped: boolean
  /** The search has ended before it had enough rows: it has read long enough. */
  readonly isCutShort: boolean
  readonly bytes: number
  /** The time of the oldest line that is kept. */
  readonly from: string | undefined
}

interface Limits {
  readonly rows: number
  /** The bytes of HTML. */
  readonly size: number
  /** The bytes read, and the processor time that takes, in milliseconds: a busy machine shows as much. */
  readonly read: number
  readonly cpuMs: number
}

/** For a request: a whole log of usual size is searched in less. */
export const requestLimits: Limits = { rows: 500, size: 2 ** 20, read: 256 * 2 ** 20, cpuMs: 2000 }

/** For new lines, several times a second: what has no room is counted. */
const liveLimits: Limits = { rows: 250, size: 256 * 1024, read: 2 * 2 ** 20, cpuMs: 150 }

/** The bytes whose lines are counted at most. */
const countedBytes = 64 * 2 ** 20

const newline = 0x0a

const makeBudget = (limits: Limits) => {
  const before = process.cpuUsage()
  const usedMs = () => {
    const { system, user } = process.cpuUsage(before)
    return (system + user) / 1000
  }
  let [rows, size, read] = [0, 0, 0]
  return {
    add: (row: Html) => {
      rows++
      size += row.text.length
    },
    isFull: () => rows >= limits.rows || size >= limits.size,
    /** Returns whether the next block may be read. */
    mayReadOn: (bytes: number) => {
      read += bytes
      return read < limits.read && usedMs() < limits.cpuMs
    }
  }
}

interface Collected {
  readonly rows: ReadonlyArray<Html>
  /** The first line that was read, going back, or the place after the last one, going on. */
  readonly end: Place
  readonly isCutShort: boolean
}

const collectBack = async (
  log: OpenLog,
  from: Place,
  floor: Place,
  row: LogRow,
  limits: Limits
): Promise<Collected> => {
  const budget = makeBudget(limits)
  const rows: Array<Html> = []
  for await (const { bytes, place } of blocksBack(log, from, floor)) {
    for (let to = bytes.length; to > 0; ) {
      const start = to === 1 ? 0 : bytes.lastIndexOf(newline, to - 2) + 1
      const at = { file: place.file, offset: place.offset + start }
      const shown = row(bytes.toString("utf8", start, to - 1), positionOf(log, at))
      if (shown !== undefined) {
        rows.push(shown)
        budget.add(shown)
        if (budget.isFull()) return { rows: rows.toReversed(), end: at, isCutShort: false }
      }
      to = start
    }
    if (!budget.mayReadOn(bytes.length)) return { rows: rows.toReversed(), end: place, isCutShort: true }
  }
  return { rows: rows.toReversed(), end: floor, isCutShort: false }
}

const collectOn = async (log: OpenLog, from: Place, row: LogRow, limits: Limits): Promise<Collected> => {
  const budget = makeBudget(limits)
  const rows: Array<Html> = []
  let end = from
  for await (const { bytes, place } of blocksOn(log, from, newest(log))) {
    for (let start = 0; start < bytes.length; ) {
      const to = bytes.indexOf(newline, start)
      const at = { file: place.file, offset: place.offset + start }
      const shown = row(bytes.toString("utf8", start, to), positionOf(log, at))
      start = to + 1
      end = { file: place.file, offset: place.offset + start }
      if (shown !== undefined) {
        rows.push(shown)
        budget.add(shown)
        if (budget.isFull()) return { rows, end, isCutShort: false }
      }
    }
    if (!budget.mayReadOn(bytes.length)) return { rows, end, isCutShort: true }
  }
  return { rows, end, isCutShort: false }
}

/** Counts the lines between two places. */
const countBetween = async (log: OpenLog, from: Place, to: Place) => {
  let [count, read] = [0, 0]
  for await (const { bytes } of blocksOn(log, from, to)) {
    for (let at = bytes.indexOf(newline); at !== -1; at = bytes.indexOf(newline, at + 1)) count++
    read += bytes.length
    if (read >= countedBytes) return { count, isMore: true }
  }
  return { count, isMore: false }
}

/** The end of the last whole line. */
const wholeEnd = async (log: OpenLog): Promise<Place> => {
  for await (const { bytes, place } of blocksBack(log, newest(log), { file: 0, offset: 0 }))
    return { file: 0, offset: place.offset + bytes.length }
  return { file: 0, offset: 0 }
}

/** The newline before a place, so that the line at the place comes after it. */
const justBefore = (log: OpenLog, { file, offset }: Place): LogPosition | undefined =>
  log.length === 0 ? undefined : positionOf(log, { file, offset: offset - 1 })

const isBeginning = (log: OpenLog, { file, offset }: Place): boolean => offset === 0 && file >= log.length - 1

const read = (project: ProjectName, act: (log: OpenLog) => Promise<Partial<LogWindow>>) =>
  Effect.flatMap(AutopilotHome, ({ logDir }): Effect.Effect<LogWindow, LogUnreadable> => {
    const path = workerLogIn(logDir, project)
    return readingLog(path, () =>
      withLog(path, async (log) => ({
        rows: [],
        rowsBefore: 0,
        older: undefined,
        newer: undefined,
        skipped: 0,
        isMoreSkipped: false,
        isCutShort: false,
        bytes: log.reduce((sum, { size }) => sum + size, 0),
        from: await firstStamp(log),
        ...(await act(log))
      }))
    )
  })

const back = async (log: OpenLog, from: Place, row: LogRow, limits: Limits) => {
  const { end, isCutShort, rows } = await collectBack(log, from, oldest(log), row, limits)
  return { rows, isCutShort, ...(isBeginning(log, end) ? {} : { older: positionOf(log, end) }) }
}

/** The newest lines. */
export const newestLines = (project: ProjectName, row: LogRow) =>
  read(project, async (log) => {
    const end = await wholeEnd(log)
    return { ...(await back(log, end, row, requestLimits)), newer: justBefore(log, end) }
  })

/** The lines before a position. There are none when its file is deleted. */
export const linesBefore = (project: ProjectName, position: LogPosition, row: LogRow) =>
  read(project, async (log) => {
    const from = await placeBefore(log, position)
    return from === undefined ? {} : back(log, from, row, requestLimits)
  })

/** The lines after a position, or the oldest ones when its file is deleted. */
export const linesAfter = (project: ProjectName, position: LogPosition, row: LogRow) =>
  read(project, async (log) => {
    const from = (await placeAfter(log, position)) ?? oldest(log)
    const { end, ...found } = await collectOn(log, from, row, requestLimits)
    return { ...found, newer: justBefore(log, end) }
  })

/** The lines around a time. */
export const linesAround = (project: ProjectName, atMs: number, row: LogRow) =>
  read(project, async (log) => {
    const half = { ...requestLimits, rows: requestLimits.rows / 2, size: requestLimits.size / 2 }
    const place = await placeOfTime(log, timestamp(new Date(atMs)))
    const before = await back(log, place, row, half)
    const { end, rows } = await collectOn(log, place, row, half)
    return {
      ...before,
      rows: [...before.rows, ...rows],
      rowsBefore: before.rows.length,
      newer: justBefore(log, end)
    }
  })

/** What was added after a position: its last lines, and the number of those before that have no room. */
export const freshLines = (project: ProjectName, position: LogPosition | undefined, row: LogRow) =>
  read(project, async (log) => {
    const known = position === undefined ? oldest(log) : await placeAfter(log, position)
    const floor = known ?? oldest(log)
    const end = await wholeEnd(log)
    const { end: first, rows } = await collectBack(log, end, floor, row, liveLimits)
    const { count, isMore } = await countBetween(log, floor, first)
    return {
      rows,
      newer: justBefore(log, end),
      skipped: count,
      isMoreSkipped: isMore || known === undefined
    }
  })
