import type { FileHandle } from "node:fs/promises"
import { stampLength, storedLine } from "../../Domain/output/StoredLine.ts"
import { LogPosition } from "../../Domain/panel/LogChoice.ts"
import { openLog, rotatedLogs } from "../logs/RotatedLogs.ts"

/** The files of one log, the newest first, as they were when they were opened: a rotation renames them only. */
export type OpenLog = ReadonlyArray<LogFile>

interface LogFile {
  readonly handle: FileHandle
  /** Stays the same when the file is renamed, and is not used again after it is deleted. */
  readonly id: string
  readonly size: number
}

/** The beginning of a line: the number of the file, and the offset in it. */
export interface Place {
  readonly file: number
  readonly offset: number
}

/** Whole lines, with the place of the first. */
interface Block {
  readonly bytes: Buffer
  readonly place: Place
}

const blockBytes = 256 * 1024
const newline = 0x0a

interface OpenFiles {
  readonly log: OpenLog
  readonly close: () => Promise<void>
}

/** Opens all files of a log. */
const openFiles = async (path: string): Promise<OpenFiles> => {
  const handles: Array<FileHandle> = []
  const log: Array<LogFile> = []
  const close = async () => {
    for (const handle of handles) await handle.close()
  }
  try {
    for (const each of await rotatedLogs(path)) {
      const handle = await openLog(each)
      if (handle === undefined) continue
      handles.push(handle)
      const { birthtimeMs, ino, size } = await handle.stat()
      const id = `${ino.toString(36)}-${Math.floor(birthtimeMs).toString(36)}`
      // A rotation meanwhile renamed the file just opened.
      if (!log.some((file) => file.id === id)) log.push({ handle, id, size })
    }
    return { log, close }
  } catch (cause) {
    await close()
    throw cause
  }
}

/** Opens all files of a log while `act` reads them. */
export const withLog = async <A>(path: string, act: (log: OpenLog) => Promise<A>): Promise<A> => {
  const { close, log } = await openFiles(path)
  try {
    return await act(log)
  } finally {
    await close()
  }
}

const readAt = async ({ handle }: LogFile, from: number, to: number): Promise<Buffer> => {
  const block = Buffer.allocUnsafe(to - from)
  const { bytesRead } = await handle.read(block, 0, to - from, from)
  return block.subarray(0, bytesRead)
}

/** The first line that begins after an offset: after the newline at it or behind it. The size where there is none. */
const lineAfter = async (file: LogFile, offset: number): Promise<number> => {
  for (let from = offset; from < file.size; from += blockBytes) {
    const at = (await readAt(file, from, Math.min(file.size, from + blockBytes))).indexOf(newline)
    if (at !== -1) return from + at + 1
  }
  return file.size
}

export const positionOf = (log: OpenLog, { file, offset }: Place): LogPosition =>
  LogPosition.make(`${log[file]?.id ?? "0-0"}.${offset}`)

const parsed = (log: OpenLog, position: LogPosition) => {
  const [id = "", offset = ""] = position.split(".")
  return { file: log.findIndex((file) => file.id === id), offset: Number(offset) }
}

/** Where the lines end that begin before a position; undefined when its file is deleted. */
export const placeBefore = async (log: OpenLog, position: LogPosition): Promise<Place | undefined> => {
  const { file, offset } = parsed(log, position)
  const found = log[file]
  if (found === undefined) return undefined
  return { file, offset: offset <= 0 ? 0 : await lineAfter(found, offset - 1) }
}

/** Where the lines begin that begin after a position; undefined when its file is deleted. */
export const placeAfter = async (log: OpenLog, position: LogPosition): Promise<Place | undefined> => {
  const { file, offset } = parsed(log, position)
  const found = log[file]
  if (found === undefined) return undefined
  return { file, offset: offset < 0 ? 0 : await lineAfter(found, offset) }
}

export const oldest = (log: OpenLog): Place => ({ file: Math.max(0, log.length - 1), offset: 0 })
export const newest = (log: OpenLog): Place => ({ file: 0, offset: log[0]?.size ?? 0 })

/** Reads back from a place to another one, block by block. An unfinished last line is left out. */
export async function* blocksBack(log: OpenLog, from: Place, floor: Place): AsyncGenerator<Block> {
  for (let at = from.file; at <= floor.file; at++) {
    const file = log[at]
    if (file === undefined) return
    const least = at === floor.file ? floor.offset : 0
    let to = at === from.file ? from.offset : file.size
    /** The end of a line that begins in an earlier block; undefined before the last newline. */
    let carried: Buffer | undefined
    while (to > least) {
      const start = Math.max(least, to - blockBytes)
      const piece = await readAt(file, start, to)
      const bytes =
        carried === undefined
          ? piece.subarray(0, piece.lastIndexOf(newline) + 1)
          : Buffer.concat([piece, carried])
      const cut = start === least ? 0 : bytes.indexOf(newline) + 1
      to = start
      if (cut < bytes.length) yield { bytes: bytes.subarray(cut), place: { file: at, offset: start + cut } }
      const rest = cut < bytes.length ? bytes.subarray(0, cut) : bytes
      if (carried !== undefined || bytes.length > 0) carried = rest
    }
  }
}

/** Reads on from a place to another one, block by block. An unfinished last line is left out. */
export async function* blocksOn(log: OpenLog, from: Place, ceiling: Place): AsyncGenerator<Block> {
  for (let at = from.file; at >= ceiling.file; at--) {
    const file = log[at]
    if (file === undefined) return
    const most = at === ceiling.file ? ceiling.offset : file.size
    let offset = at === from.file ? from.offset : 0
    let carried: Buffer = Buffer.alloc(0)
    for (let to = offset; to < most; ) {
      const piece = await readAt(file, to, Math.min(most, to + blockBytes))
      if (piece.length === 0) break
      to += piece.length
      const bytes = carried.length === 0 ? piece : Buffer.concat([carried, piece])
      const end = bytes.lastIndexOf(newline) + 1
      if (end > 0) yield { bytes: bytes.subarray(0, end), place: { file: at, offset } }
      offset += end
      carried = bytes.subarray(end)
    }
  }
}

/** The first line with a time at a place or behind it, in the same file. */
const stampedFrom = async (log: OpenLog, place: Place) => {
  const size = log[place.file]?.size ?? 0
  for await (const { bytes, place: start } of blocksOn(log, place, { file: place.file, offset: size })) {
    for (let at = 0; at < bytes.length; at = bytes.indexOf(newline, at) + 1) {
      const stamp = bytes.toString("latin1", at, at + stampLength)
      if (storedLine(stamp) !== undefined) return { stamp, offset: start.offset + at }
    }
  }
  return undefined
}

/** The time of the oldest line, as it is stored. */
export const firstStamp = async (log: OpenLog): Promise<string | undefined> =>
  (await stampedFrom(log, oldest(log)))?.stamp.slice(0, "2026-11-22 19:45:36".length)

/** The first line of a time or later. Halves the file that holds it: a log may be far too long to be read. */
export const placeOfTime = async (log: OpenLog, since: string): Promise<Place> => {
  for (const [at, file] of log.entries()) {
    const first = await stampedFrom(log, { file: at, offset: 0 })
    if (first === undefined || first.stamp >= since) continue
    let [low, high] = [first.offset, file.size]
    while (high - low > blockBytes) {
      const middle = await lineAfter(file, Math.floor((low + high) / 2))
      const found = await stampedFrom(log, { file: at, offset: middle })
      if (found === undefined || found.stamp >= since || middle >= high) high = Math.floor((low + high) / 2)
      else low = found.offset
    }
    for (let offset = low; ; ) {
      const found = await stampedFrom(log, { file: at, offset })
      if (found === undefined) return { file: at, offset: file.size }
      if (found.stamp >= since) return { file: at, offset: found.offset }
      offset = await lineAfter(file, found.offset)
    }
  }
  return oldest(log)
}

/** The line at a position, as it is stored; undefined when its file is deleted. */
export const lineAt = async (log: OpenLog, position: LogPosition): Promise<string | undefined> => {
  const place = await placeBefore(log, position)
  const file = place === undefined ? undefined : log[place.file]
  if (place === undefined || file === undefined) return undefined
  const end = await lineAfter(file, place.offset)
  return (await readAt(file, place.offset, end)).toString("utf8").trimEnd()
}

/** All bytes of a log, the oldest first, as they are taken. */
export async function* bytesOf(path: string): AsyncGenerator<Uint8Array> {
  const { close, log } = await openFiles(path)
  try {
    for (const file of log.toReversed())
      for (let from = 0; from < file.size; from += blockBytes)
        yield await readAt(file, from, Math.min(file.size, from + blockBytes))
  } finally {
    await close()
  }
}
