import * as fs from "node:fs/promises"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { projectOf } from "../../Domain/history/DaemonEvent.ts"
import { type HistoryRecord, recordOf, timeOfLine } from "../../Domain/history/HistoryRecord.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { printable } from "../../Domain/text/Printable.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { errorCode, reasonOf } from "../files/SystemError.ts"
import { olderOf } from "./HistoryFile.ts"

/** Selects records; without fields, all of them. */
export interface HistoryQuery {
  /** The oldest time, in milliseconds since 1970 ... */
  readonly sinceMs?: number
  /** ... unless fewer records than this are younger. */
  readonly atLeast?: number
  /** Only the records of one project and of the daemon itself. */
  readonly project?: ProjectName
  /** The greatest number of records; the newest win. */
  readonly limit?: number
}

interface HistoryFound {
  /** The oldest first. */
  readonly records: ReadonlyArray<HistoryRecord>
  /** The number of damaged lines. An unfinished last line, which a crash leaves, does not count. */
  readonly damaged: number
}

/** The history exists but cannot be read. */
export class HistoryUnreadable extends Data.TaggedError("HistoryUnreadable")<{
  readonly path: string
  readonly reason: string
}> {
  override get message() {
    return `The history in ${printable(this.path, 400)} cannot be read: ${this.reason}.`
  }
}

/** Reads the history, with or without a daemon. A missing file is an empty history. */
export class HistoryReader extends Context.Tag("HistoryReader")<
  HistoryReader,
  { readonly read: (query: HistoryQuery) => Effect.Effect<HistoryFound, HistoryUnreadable> }
>() {}

const blockBytes = 64 * 1024
const newline = 10

const opened = (path: string): Promise<fs.FileHandle | undefined> =>
  fs.open(path, "r").catch((cause: unknown) => {
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

const search = async (path: string, query: HistoryQuery): Promise<HistoryFound> => {
  const { atLeast = 0, limit = Number.POSITIVE_INFINITY, project, sinceMs = Number.NEGATIVE_INFINITY } = query
  const found: Array<HistoryRecord> = []
  let damaged = 0

  const take = (line: string, isLast: boolean): void => {
    const record = recordOf(line)
    if (Either.isLeft(record)) {
      if (record.left === "damaged" && !isLast) damaged++
      return
    }
    const owner = projectOf(record.right)
    if (project === undefined || owner === undefined || owner === project) found.push(record.right)
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

/** One search at a time: many at once would each hold the event loop for a block, and a status would wait for all. */
export const layer: Layer.Layer<HistoryReader, never, AutopilotHome> = Layer.effect(
  HistoryReader,
  Effect.gen(function* () {
    const { historyFile: path } = yield* AutopilotHome
    const turn = yield* Effect.makeSemaphore(1)
    return {
      read: (query) =>
        Effect.tryPromise({
          try: () => search(path, query),
          catch: (cause) => new HistoryUnreadable({ path, reason: reasonOf(cause) })
        }).pipe(turn.withPermits(1))
    }
  })
)
