import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { projectOf } from "../../Domain/history/DaemonEvent.ts"
import type { HistoryQuery } from "../../Domain/history/HistoryQuery.ts"
import type { HistoryRecord } from "../../Domain/history/HistoryRecord.ts"
import { recordOf } from "../../Domain/history/RecordLine.ts"
import { makeMutex } from "../concurrency/Mutex.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { openedFile, toRead } from "../files/OpenedFile.ts"
import { errorCode, reasonOf } from "../files/SystemError.ts"
import { olderOf } from "../history/HistoryFile.ts"
import { HistoryReader, HistoryUnreadable } from "../history/HistoryReader.ts"

/** Bounds the memory of the panel: several bad nights. The newest stay. */
const maxRecords = 20_000

/** What the history files have held so far. */
interface Remembered {
  /** The newest file, and how much of it is known: up to the end of a line. */
  readonly inode: number | undefined
  readonly bytes: number
  /** The oldest first. */
  readonly records: ReadonlyArray<HistoryRecord>
  readonly damaged: number
}

const nothingYet: Remembered = { inode: undefined, bytes: 0, records: [], damaged: 0 }

const newline = 10

/** Adds the whole lines of a file that come after what is known of it. A missing file has none. */
const withLinesOf = async (path: string, known: Remembered): Promise<Remembered> => {
  const file = await openedFile(path, toRead).catch((cause: unknown) => {
    if (errorCode(cause) === "ENOENT") return undefined
    throw cause
  })
  if (file === undefined) return known
  try {
    const { ino: inode, size } = await file.stat()
    const { bytesRead, buffer } = await file.read(
      Buffer.allocUnsafe(Math.max(0, size - known.bytes)),
      0,
      null,
      known.bytes
    )
    const read = buffer.subarray(0, bytesRead)
    // The daemon may be in the midst of a line.
    const whole = read.subarray(0, read.lastIndexOf(newline) + 1)
    const lines = whole
      .toString("utf8")
      .split("\n")
      .slice(0, -1)
      .map((line) => recordOf(line))
    const records = [...known.records, ...lines.filter((line) => typeof line !== "string")]
    const damaged = lines.filter((line) => line === "damaged").length
    return {
      inode,
      bytes: known.bytes + whole.length,
      records: records.slice(-maxRecords),
      damaged: known.damaged + damaged
    }
  } finally {
    await file.close()
  }
}

/** Reads what is new. A file that was replaced, as a full one is, means that all is read again. */
const refreshed = async (path: string, known: Remembered): Promise<Remembered> => {
  const found = await fs.stat(path).catch(() => undefined)
  if (found?.ino === known.inode && (found?.size ?? 0) === known.bytes) return known
  if (found !== undefined && found.ino === known.inode && found.size > known.bytes)
    return withLinesOf(path, known)
  const { damaged, records } = await withLinesOf(olderOf(path), nothingYet)
  return withLinesOf(path, { ...nothingYet, damaged, records })
}

const selected = (
  all: ReadonlyArray<HistoryRecord>,
  { atLeast = 0, limit = Number.POSITIVE_INFINITY, project, sinceMs = Number.NEGATIVE_INFINITY }: HistoryQuery
): ReadonlyArray<HistoryRecord> => {
  const found: Array<HistoryRecord> = []
  for (const record of all.toReversed()) {
    if (found.length >= limit) break
    const owner = projectOf(record)
    if (project !== undefined && owner !== undefined && owner !== project) continue
    if (record.at >= sinceMs || found.length < atLeast) found.push(record)
  }
  return found.toReversed()
}

/** A reader that keeps the history in memory and reads only what was added: pages ask for it with each event. */
export const layer: Layer.Layer<HistoryReader, never, AutopilotHome> = Layer.effect(
  HistoryReader,
  Effect.gen(function* () {
    const { historyFile: path } = yield* AutopilotHome
    // Many pages that ask at once wait for one read.
    const inTurn = makeMutex()
    let known = nothingYet
    return HistoryReader.of({
      read: (query) =>
        Effect.tryPromise({
          try: () => refreshed(path, known),
          catch: (cause) => new HistoryUnreadable({ path, reason: reasonOf(cause) })
        }).pipe(
          Effect.tap((now) => Effect.sync(() => (known = now))),
          inTurn,
          Effect.map(({ damaged, records }) => ({ records: selected(records, query), damaged }))
        )
    })
  })
)
