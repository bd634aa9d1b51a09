import type { FileHandle } from "node:fs/promises"
import { isMatching, isTooOld, type LogFilter } from "../../Domain/logs/LogFilter.ts"
import { type LogPlace, openLog, rotatedLogs } from "./RotatedLogs.ts"
import { withinLimit } from "./SearchLimit.ts"

const blockBytes = 64 * 1024
const newline = 0x0a

interface Search {
  /** The number of lines still to find; undefined: all. */
  missing: number | undefined
  /** No earlier line can match. */
  isDone: boolean
}

/** Scans the lines of a piece backwards. Returns the offset of the earliest line taken. */
const scanPiece = (piece: Buffer, filter: LogFilter, search: Search): number | undefined => {
  let taken: number | undefined
  let end = piece.length
  while (end > 0 && !search.isDone) {
    const start = end === 1 ? 0 : piece.lastIndexOf(newline, end - 2) + 1
    const line = piece.toString("latin1", start, piece[end - 1] === newline ? end - 1 : end)
    if (isTooOld(filter, line)) search.isDone = true
    else {
      taken = start
      if (search.missing !== undefined && isMatching(filter, line)) search.missing--
      search.isDone = search.missing === 0
    }
    end = start
  }
  return taken
}

/** The same within the limit of a search. */
const searchPiece = (piece: Buffer, filter: LogFilter, search: Search): number | undefined => {
  if (filter.isWanted === undefined) return scanPiece(piece, filter, search)
  const before = { ...search }
  let taken: number | undefined
  withinLimit(() => {
    Object.assign(search, before)
    taken = scanPiece(piece, filter, search)
  })
  return taken
}

/** Scans a file backwards. Returns the offset of the earliest line taken. */
const scanFile = async (handle: FileHandle, filter: LogFilter, search: Search): Promise<number> => {
  let to = (await handle.stat()).size
  let found = to
  /** The end of a line that begins in an earlier block. */
  let carried = Buffer.alloc(0)
  while (to > 0 && !search.isDone) {
    const from = Math.max(0, to - blockBytes)
    const block = Buffer.allocUnsafe(to - from)
    const { bytesRead } = await handle.read(block, 0, to - from, from)
    const bytes = Buffer.concat([block.subarray(0, bytesRead), carried])
    const whole = from === 0 ? 0 : bytes.indexOf(newline) + 1
    const isCut = from > 0 && (whole === 0 || whole === bytes.length)
    if (!isCut) {
      const taken = searchPiece(bytes.subarray(whole), filter, search)
      if (taken !== undefined) found = from + whole + taken
    }
    carried = isCut ? bytes : bytes.subarray(0, whole)
    to = from
  }
  return found
}

/** Finds the place from which the last matching lines follow; undefined without a file. Reads only what follows it. */
export const logStart = async (
  path: string,
  query: LogFilter & { readonly last: number | undefined }
): Promise<LogPlace | undefined> => {
  const search: Search = { missing: query.last, isDone: query.last === 0 }
  let place: LogPlace | undefined
  const closing = async (handle: FileHandle, cause: unknown): Promise<never> => {
    await handle.close()
    await place?.handle.close()
    throw cause
  }
  const seen = new Set<number>()
  for (const each of await rotatedLogs(path)) {
    const handle = await openLog(each)
    if (handle === undefined) continue
    const { ino } = await handle.stat()
    // A rotation meanwhile renamed the file just read.
    if (seen.has(ino)) {
      await handle.close()
      continue
    }
    seen.add(ino)
    const offset = await scanFile(handle, query, search).catch((cause: unknown) => closing(handle, cause))
    await place?.handle.close()
    place = { handle, offset }
    if (search.isDone) break
  }
  return place
}
