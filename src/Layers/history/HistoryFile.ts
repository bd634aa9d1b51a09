import * as fs from "node:fs/promises"
import { recordOf, timeOfLine } from "../../Domain/history/RecordLine.ts"
import { replaceFile, syncFolder } from "../files/AtomicFile.ts"
import { openedFile, toAppend, toRead } from "../files/OpenedFile.ts"
import { errorCode } from "../files/SystemError.ts"

/** The file with the records before those of `path`. */
export const olderOf = (path: string): string => `${path}.1`

const blockBytes = 64 * 1024
const newline = 10

const readAt = async (file: fs.FileHandle, offset: number, length: number): Promise<Buffer> => {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, offset)
  return buffer.subarray(0, bytesRead)
}

/** Returns the offset of the last line. */
const lastLineAt = async (file: fs.FileHandle, size: number): Promise<number> => {
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - blockBytes)
    const found = (await readAt(file, start, end - start)).lastIndexOf(newline)
    if (found !== -1) return start + found + 1
    end = start
  }
  return 0
}

/** Repairs the last line after a crash and returns the size: adds a missing newline, or truncates a partial record. */
const repaired = async (file: fs.FileHandle): Promise<number> => {
  const { size } = await file.stat()
  if (size === 0 || (await readAt(file, size - 1, 1))[0] === newline) return size
  const start = await lastLineAt(file, size)
  const line = size - start > blockBytes ? "" : (await readAt(file, start, size - start)).toString("utf8")
  if (recordOf(line) === "damaged") {
    await file.truncate(start)
    return start
  }
  await file.appendFile("\n")
  return size + 1
}

/** The number of lines that fit into a file of this size. An empty file takes any line. */
const fitting = (lines: ReadonlyArray<Buffer>, size: number, maxBytes: number): number => {
  let total = size
  const past = lines.findIndex((line) => {
    const isOver = total > 0 && total + line.length > maxBytes
    total += line.length
    return isOver
  })
  return past === -1 ? lines.length : past
}

/**
 * Appends at least the first line and returns the number of lines. The rest belongs into the next file: this one is
 * full. The lines are on the disk when it returns, and none of them is when it fails.
 */
export const appendLines = async (
  path: string,
  lines: ReadonlyArray<Buffer>,
  maxBytes: number
): Promise<number> => {
  const file = await openedFile(path, toAppend)
  try {
    const size = await repaired(file)
    const count = fitting(lines, size, maxBytes)
    if (count === 0) {
      await fs.rename(path, olderOf(path))
      return await appendLines(path, lines, maxBytes)
    }
    try {
      await file.appendFile(Buffer.concat(lines.slice(0, count)))
      await file.datasync()
    } catch (cause) {
      // A full disk may have taken a part, which the next attempt would repeat.
      await file.truncate(size).catch(() => undefined)
      throw cause
    }
    if (size === 0) await syncFolder(path)
    return count
  } finally {
    await file.close()
  }
}

/** Holds the time at the beginning of a line. */
const headBytes = 32

const timeOf = (line: Buffer): number | undefined =>
  timeOfLine(line.subarray(0, headBytes).toString("latin1"))

/** The offset of the first line from `sinceMs` on, or the end of the file. */
const firstSince = async (file: fs.FileHandle, sinceMs: number): Promise<number> => {
  let rest: Buffer = Buffer.alloc(0)
  for (let offset = 0; ; ) {
    const block = await readAt(file, offset + rest.length, blockBytes)
    const bytes = Buffer.concat([rest, block])
    let start = 0
    for (let end = bytes.indexOf(newline); end !== -1; end = bytes.indexOf(newline, start)) {
      if ((timeOf(bytes.subarray(start, end)) ?? 0) >= sinceMs) return offset + start
      start = end + 1
    }
    if (block.length === 0) return offset + start
    offset += start
    rest = bytes.subarray(start)
  }
}

async function* blocksFrom(file: fs.FileHandle, offset: number): AsyncGenerator<Buffer> {
  for (let at = offset; ; ) {
    const block = await readAt(file, at, blockBytes)
    if (block.length === 0) return
    yield block
    at += block.length
  }
}

const forgetIn = async (path: string, sinceMs: number): Promise<void> => {
  const file = await openedFile(path, toRead).catch((cause: unknown) => {
    if (errorCode(cause) === "ENOENT") return undefined
    throw cause
  })
  if (file === undefined) return
  try {
    const stat = await file.stat()
    // A device such as /dev/full has no end.
    if (!stat.isFile()) return
    const { size } = stat
    const offset = await firstSince(file, sinceMs)
    if (offset === size && size > 0) await fs.unlink(path)
    else if (offset > 0) {
      await replaceFile(path, blocksFrom(file, offset))
      await syncFolder(path)
    }
  } finally {
    await file.close()
  }
}

/** Removes the records before a time, up to the first younger one. */
export const forgetBefore = async (path: string, sinceMs: number): Promise<void> => {
  await forgetIn(olderOf(path), sinceMs)
  await forgetIn(path, sinceMs)
}
