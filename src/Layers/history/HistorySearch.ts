import type * as fs from "node:fs/promises"
import { projectOf } from "../../Domain/history/DaemonEvent.ts"
import type { HistoryFound, HistoryQuery } from "../../Domain/history/HistoryQuery.ts"
import type { HistoryRecord } from "../../Domain/history/HistoryRecord.ts"
import { recordOf, timeOfLine } from "../../Domain/history/RecordLine.ts"
import { openedFile, toRead } from "../files/OpenedFile.ts"
import { errorCode } from "../files/SystemError.ts"
import { olderOf } from "./HistoryFile.ts"

const blockBytes = 64 * 1024
const newline = 10

const opened = (path: string): Promise<fs.FileHandle | undefined> =>
  openedFile(path, toRead).catch((cause: unknown) => {
    if (errorCode(cause) === "ENOENT") return undefined
    throw cause
  })

/** The lines of a file in blocks, the last block first. The last line of all may be unfinished. */
async function* blocksBack(file: fs.FileHandle): AsyncGenerator<ReadonlyArray<string>> {
  const { size } = await file.stat()
  let rest: Buffer = Buffer.alloc(0)
  for (let end = size; end > 0; ) {
    const start = Math.max(0, end - blockBytes)
    const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(end - start), 0, end - start, start)
    const bytes = Buffer.concat([buffer.subarray(0, bytesRead), rest])
    const cut = start === 0 ? 0 : bytes.indexOf(newline) + 1
    rest = bytes.subarray(0, cut === 0 && start > 0 ? bytes.length : cut)
    const lines = bytes.subarray(rest.length).toString("utf8").split("\n")
    if (lines.at(-1) === "") lines.pop()
    yield lines
    end = start
  }
}

/** Searches the file and the one before it, from the end. Rejects with a system error. A missing file is an empty history. */
export const searchHistory = async (path: string, query: HistoryQuery): Promise<HistoryFound> => {
  const { atLeast = 0, limit = Number.POSITIVE_INFINITY, project, sinceMs = Number.NEGATIVE_INFINITY } = query
  const found: Array<HistoryRecord> = []
  let damaged = 0

  const take = (line: string, isLast: boolean): void => {
    const record = recordOf(line)
    if (typeof record === "string") {
      if (record === "damaged" && !isLast) damaged++
      return
    }
    const owner = projectOf(record)
    if (project === undefined || owner === undefined || owner === project) found.push(record)
  }

  /** Returns false once no older record can match. */
  const searchIn = async (file: fs.FileHandle): Promise<boolean> => {
    let isLast = true
    for await (const lines of blocksBack(file)) {
      let isAnyYoung = lines.length === 0
      for (const line of lines.toReversed()) {
        if (found.length >= limit) return false
        const atMs = timeOfLine(line)
        // A wrong clock makes single records look old: only a whole block of old ones ends the search.
        if (atMs === undefined || atMs >= sinceMs || found.length < atLeast) {
          isAnyYoung = true
          take(line, isLast)
        }
        isLast = false
      }
      if (!isAnyYoung) return false
    }
    return true
  }

  const newest = await opened(path)
  try {
    const goesOn = newest === undefined || (await searchIn(newest))
    const older = goesOn ? await opened(olderOf(path)) : undefined
    try {
      // A rotation meanwhile makes the file just read the older one.
      const isSame =
        older !== undefined && newest !== undefined && (await older.stat()).ino === (await newest.stat()).ino
      if (older !== undefined && !isSame) await searchIn(older)
    } finally {
      await older?.close()
    }
  } finally {
    await newest?.close()
  }
  return { records: found.toReversed(), damaged }
}
