import * as fs from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { openedFile, toRead } from "../files/OpenedFile.ts"
import { errorCode } from "../files/SystemError.ts"

/** A position in an open log file. */
export interface LogPlace {
  readonly handle: fs.FileHandle
  readonly offset: number
}

const undefinedIfMissing = (cause: unknown): undefined => {
  if (errorCode(cause) !== "ENOENT") throw cause
}

/** Opens a file for reading; undefined when it does not exist. */
export const openLog = (path: string): Promise<fs.FileHandle | undefined> =>
  openedFile(path, toRead).catch(undefinedIfMissing)

/** The existing files of a log, the newest first. */
export const rotatedLogs = async (path: string): Promise<ReadonlyArray<string>> => {
  const names = (await fs.readdir(dirname(path)).catch(undefinedIfMissing)) ?? []
  const prefix = `${basename(path)}.`
  const numbers = names
    .filter((name) => name.startsWith(prefix) && /^[1-9]\d*$/.test(name.slice(prefix.length)))
    .map((name) => Number(name.slice(prefix.length)))
    .toSorted((a, b) => a - b)
  const rotated = numbers.map((number) => join(dirname(path), `${prefix}${number}`))
  return names.includes(basename(path)) ? [path, ...rotated] : rotated
}

interface Found {
  readonly path: string
  readonly stat: { readonly dev: number; readonly ino: number; readonly mtimeMs: number }
}

/** The number of rotations expected during a search; each gives the oldest file a higher number. */
const rotationsMeanwhile = 8

/**
 * The files from the newest to the open one, or all of them without it. Opens them by number in ascending order: a
 * directory listing may miss a file during its rename, but no file moving up can be missed on the way up.
 */
const newerThan = async (
  path: string,
  isCurrent: (found: Found) => boolean
): Promise<ReadonlyArray<Found>> => {
  const found: Array<Found> = []
  let highest = 0
  for (let number = 0; number <= highest; number++) {
    const each = number === 0 ? path : `${path}.${number}`
    const stat = await fs.stat(each).catch(undefinedIfMissing)
    if (stat !== undefined) found.push({ path: each, stat })
    if (stat !== undefined && isCurrent({ path: each, stat })) break
    if (number === 0) {
      const oldest = (await rotatedLogs(path)).at(-1) ?? path
      highest = Number(oldest.slice(path.length + 1)) + rotationsMeanwhile
    }
  }
  return found
}

/** A rotation may rename the open file during a search, so the search repeats. */
const mostLooks = 3

/**
 * Opens the file that followed the current one; undefined while the current one is the newest. Identifies files by
 * inode, because a rotation renames them; the inode of an open file is never reused.
 */
export const successorOf = async (
  path: string,
  current: fs.FileHandle
): Promise<fs.FileHandle | undefined> => {
  const own = await current.stat()
  const isCurrent = ({ stat }: Found) => stat.dev === own.dev && stat.ino === own.ino
  let found = await newerThan(path, isCurrent)
  for (let looks = 1; looks < mostLooks && own.nlink > 0 && !found.some(isCurrent); looks++) {
    found = await newerThan(path, isCurrent)
  }
  const at = found.findIndex(isCurrent)
  // The current file is deleted or moved: the next one is the one written to later.
  const next = at === -1 ? found.findLast(({ stat }) => stat.mtimeMs > own.mtimeMs) : found[at - 1]
  if (next === undefined) return undefined
  const handle = await openLog(next.path)
  const opened = await handle?.stat()
  if (handle !== undefined && opened?.ino === next.stat.ino && opened.dev === next.stat.dev) return handle
  // Rotated again: the next call finds it under its new name.
  await handle?.close()
  return undefined
}
