import * as fs from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import { openedFile, toAppend } from "../files/OpenedFile.ts"
import { openFilesLimit } from "../files/OpenFilesLimit.ts"
import { errorCode } from "../files/SystemError.ts"

/** The size and number of the files of a log. */
export interface FileLimits {
  /** The file moves to `<path>.1` before it would exceed this size. */
  readonly maxBytes: number
  /** The greatest number of files, including the current one; at least 2. */
  readonly files: number
}

/** Whole lines on their way into a file. */
export interface Batch {
  readonly lines: Buffer
  /** The number of bytes already in the file. */
  doneBytes: number
}

/**
 * A file that grows by whole lines and rotates. It stays open, because opening costs more than writing, unless too many others are
 * used after it.
 */
interface AppendedFile {
  /** Writes the rest of a batch. After a failure, call it again with the same batch. */
  readonly append: (batch: Batch, limits: FileLimits) => Promise<void>
  /** Does not wait for the disk. */
  readonly close: () => void
}

interface Open {
  readonly handle: fs.FileHandle
  readonly device: number
  readonly inode: number
}

const newline = 0x0a

/** The files that stay open share an eighth of the descriptors: each project has one, also without a worker. */
const mostOpen = (): number => {
  const limit = openFilesLimit()
  return limit > 0 ? Math.max(8, Math.min(1024, Math.floor(limit / 8))) : 1024
}

/** The files that are open and idle, each by what closes it, the one that was used last at the end. */
const idle = new Set<() => void>()

/** Keeps a file open for its next lines, and closes the one that was unused for longest where there are too many. */
const keepOpen = (close: () => void): void => {
  idle.add(close)
  if (idle.size <= mostOpen()) return
  const [oldest] = idle
  oldest?.()
}

const undefinedIfMissing = (cause: unknown): undefined => {
  if (errorCode(cause) !== "ENOENT") throw cause
}

/** Renames each file to the next number and removes the excess. */
const rotate = async (path: string, files: number): Promise<void> => {
  for (let n = files - 1; n > 0; n--) {
    await fs.rename(n === 1 ? path : `${path}.${n - 1}`, `${path}.${n}`).catch(undefinedIfMissing)
  }
  const prefix = `${basename(path)}.`
  for (const name of await fs.readdir(dirname(path))) {
    const number = name.startsWith(prefix) ? name.slice(prefix.length) : ""
    if (/^\d+$/.test(number) && Number(number) >= files) {
      await fs.unlink(join(dirname(path), name)).catch(undefinedIfMissing)
    }
  }
}

/** Ends a partial line that a killed daemon left. */
const endLastLine = async (handle: fs.FileHandle, size: number): Promise<number> => {
  if (size === 0) return 0
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1)
  if (buffer[0] === newline) return size
  await handle.write("\n")
  return size + 1
}

/** The end of the last line that begins at `from` and ends before `limit`; `from` when there is none. */
const endOfLines = (lines: Buffer, from: number, limit: number): number =>
  limit <= from ? from : Math.max(from, lines.lastIndexOf(newline, limit - 1) + 1)

export const appendedFile = (path: string): AppendedFile => {
  let open: Open | undefined
  let size = 0

  const close = () => {
    idle.delete(close)
    const closing = open?.handle.close()
    open = undefined
    // A failed close loses nothing that was written.
    closing?.catch(() => undefined)
  }

  const openAnew = async () => {
    await fs.mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const handle = await openedFile(path, toAppend)
    const stat = await handle.stat()
    open = { handle, device: stat.dev, inode: stat.ino }
    size = await endLastLine(handle, stat.size)
    return open
  }

  /** Returns the open file, or a new one when a user has moved or removed it. */
  const current = async (): Promise<Open> => {
    const found = open === undefined ? undefined : await fs.stat(path).catch(undefinedIfMissing)
    if (open !== undefined && found?.ino === open.inode && found.dev === open.device) {
      size = found.size
      return open
    }
    close()
    return openAnew()
  }

  const writeUpTo = async ({ handle }: Open, batch: Batch, end: number) => {
    const { doneBytes: start, lines } = batch
    let at = start
    try {
      while (at < end) at += (await handle.write(lines, at, end - at, null)).bytesWritten
    } catch (cause) {
      // A full disk may have taken a part: cut back to whole lines, the rest is written again.
      const whole = endOfLines(lines, start, at)
      await handle.truncate(size + whole - start).catch(close)
      size += whole - start
      batch.doneBytes = whole
      throw cause
    }
    size += end - start
    batch.doneBytes = end
  }

  const append = async (batch: Batch, { files, maxBytes }: FileLimits): Promise<void> => {
    let file = await current()
    const { lines } = batch
    while (batch.doneBytes < lines.length) {
      const start = batch.doneBytes
      const fitting = endOfLines(lines, start, Math.min(lines.length, start + maxBytes - size))
      if (fitting > start) await writeUpTo(file, batch, fitting)
      else if (size === 0) await writeUpTo(file, batch, lines.indexOf(newline, start) + 1)
      else {
        close()
        await rotate(path, files)
        file = await openAnew()
      }
    }
  }

  return {
    close,
    append: async (batch, limits) => {
      idle.delete(close)
      await append(batch, limits)
      if (open !== undefined) keepOpen(close)
    }
  }
}
