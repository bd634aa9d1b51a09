import * as fs from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { errorCode } from "../files/SystemError.ts"

/** Where reading goes on. */
export interface LogPlace {
  readonly handle: fs.FileHandle
  readonly offset: number
}

const undefinedIfMissing = (cause: unknown): undefined => {
  if (errorCode(cause) !== "ENOENT") throw cause
}

/** Opens a file to read; undefined when there is none. */
export const openLog = (path: string): Promise<fs.FileHandle | undefined> =>
  fs.open(path, "r").catch(undefinedIfMissing)

/** A log file and those it was rotated to, that exist: the newest first. */
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

/** So many rotations may come while files are looked at, each of which gives the oldest one a higher number. */
const rotationsMeanwhile = 8

/**
 * The files from the newest to the open one; all of them when that is not among them. Each is asked for by its number,
 * in this order: a list of the names may lack one that is renamed at that moment, but none that moves up with the
 * numbers can be passed by on the way up.
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

/** So often a file that still has a name is looked for: a rotation may just have given it the next one. */
const mostLooks = 3

/**
 * The file that was begun after the open one was rotated away, open; undefined while the open one is the newest. Names
 * change with each rotation, so files are known by their inodes; nobody else gets that of one that is open.
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
  // Gone: rotated out, or removed or moved away by a person. What was written to later follows.
  const next = at === -1 ? found.findLast(({ stat }) => stat.mtimeMs > own.mtimeMs) : found[at - 1]
  if (next === undefined) return undefined
  const handle = await openLog(next.path)
  const opened = await handle?.stat()
  if (handle !== undefined && opened?.ino === next.stat.ino && opened.dev === next.stat.dev) return handle
  // Rotated again meanwhile: the next look finds it under its new name.
  await handle?.close()
  return undefined
}
