import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { type LogFilter, matchesFilter } from "../../Domain/logs/LogFilter.ts"
import { ProjectName } from "../../Domain/Project.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { errorCode } from "../files/SystemError.ts"
import { logStart } from "./LogStart.ts"
import { type LogPlace, openLog, rotatedLogs, successorOf } from "./RotatedLogs.ts"

/** A worker's log exists but cannot be read. */
class LogUnreadable extends Data.TaggedError("LogUnreadable")<{
  readonly path: string
  readonly reason: string
}> {
  override get message() {
    return `${this.path} cannot be read: ${this.reason}.`
  }
}

export interface LogQuery extends LogFilter {
  /** The greatest number of lines; the newest win. Undefined: all. */
  readonly last: number | undefined
  /** Continues with new lines. */
  readonly follow: boolean
}

/** Reads the stored output of workers, with or without a daemon. */
export class LogFiles extends Context.Tag("LogFiles")<
  LogFiles,
  {
    /** The projects with a log, by name. */
    readonly projects: Effect.Effect<ReadonlyArray<ProjectName>>
    /**
     * The matching lines of all files, the oldest first, without newlines, as texts whose characters are bytes (latin1).
     * A follower sees each line once, across rotations and restarts of the daemon.
     */
    readonly read: (
      project: ProjectName,
      query: LogQuery
    ) => Stream.Stream<ReadonlyArray<string>, LogUnreadable>
  }
>() {}

const pollInterval = "150 millis"

const blockBytes = 64 * 1024
const newline = 0x0a

const split = (piece: Buffer): ReadonlyArray<string> =>
  piece.toString("latin1", 0, piece.length - 1).split("\n")

/** Reads from a place on, through all newer files. */
const makeReader = (path: string) => {
  let place: LogPlace | undefined
  let rest = Buffer.alloc(0)
  const block = Buffer.allocUnsafe(blockBytes)

  /** Returns the next piece of the file; empty at its end. */
  const readOn = async ({ handle, offset }: LogPlace): Promise<Buffer> => {
    const { bytesRead } = await handle.read(block, 0, blockBytes, offset)
    if (bytesRead === 0 && (await handle.stat()).size < offset) {
      // A user has truncated the file: new lines start at its beginning.
      place = { handle, offset: 0 }
      rest = Buffer.alloc(0)
      return readOn(place)
    }
    place = { handle, offset: offset + bytesRead }
    return block.subarray(0, bytesRead)
  }

  const linesOf = (piece: Buffer): ReadonlyArray<string> => {
    const bytes = rest.length === 0 ? piece : Buffer.concat([rest, piece])
    const end = bytes.lastIndexOf(newline) + 1
    rest = Buffer.from(bytes.subarray(end))
    return end === 0 ? [] : split(bytes.subarray(0, end))
  }

  /** Returns the unfinished last line of a file that no longer grows. */
  const lastPiece = (): ReadonlyArray<string> => {
    const line = rest
    rest = Buffer.alloc(0)
    return line.length === 0 ? [] : [line.toString("latin1")]
  }

  return {
    startAt: (start: LogPlace | undefined) => {
      place = start
    },
    close: async () => {
      await place?.handle.close()
    },
    lastPiece,
    /** Returns the next lines; undefined at the end of the newest file. */
    next: async (): Promise<ReadonlyArray<string> | undefined> => {
      const current = place
      if (current === undefined) {
        // There was no file at first, so all lines are new.
        const oldest = (await rotatedLogs(path)).at(-1)
        const handle = oldest === undefined ? undefined : await openLog(oldest)
        if (handle === undefined) return undefined
        place = { handle, offset: 0 }
        return []
      }
      const piece = await readOn(current)
      if (piece.length > 0) return linesOf(piece)
      const successor = await successorOf(path, current.handle)
      if (successor === undefined) return undefined
      // Lines written between the last read and the rotation.
      const late = await readOn(place ?? current)
      if (late.length > 0) {
        await successor.close()
        return linesOf(late)
      }
      await current.handle.close()
      place = { handle: successor, offset: 0 }
      return lastPiece()
    }
  }
}

const isName = Schema.is(ProjectName)

const make = Effect.map(AutopilotHome, ({ logDir }) => {
  const pathOf = (project: ProjectName) => join(logDir, project, "worker.log")

  const attempt = <A>(path: string, act: () => Promise<A>) =>
    Effect.tryPromise({
      try: act,
      catch: (cause) => {
        // Anything but a system error is a bug.
        if (!(cause instanceof Error) || errorCode(cause) === undefined) throw cause
        return new LogUnreadable({ path, reason: cause.message })
      }
    })

  const read = (project: ProjectName, query: LogQuery) =>
    Stream.unwrapScoped(
      Effect.gen(function* () {
        const path = pathOf(project)
        const reader = yield* Effect.acquireRelease(
          Effect.sync(() => makeReader(path)),
          ({ close }) => Effect.promise(() => close().catch(() => undefined))
        )
        reader.startAt(yield* attempt(path, () => logStart(path, query)))
        let isOver = false
        const pull: Effect.Effect<ReadonlyArray<string>, Option.Option<LogUnreadable>> = Effect.gen(
          function* () {
            while (!isOver) {
              const lines = yield* Effect.mapError(attempt(path, reader.next), Option.some)
              if (lines !== undefined) {
                const wanted = lines.filter((line) => matchesFilter(query, line))
                if (wanted.length > 0) return wanted
              } else if (query.follow) yield* Effect.sleep(pollInterval)
              else {
                isOver = true
                return reader.lastPiece().filter((line) => matchesFilter(query, line))
              }
            }
            return yield* Effect.fail(Option.none())
          }
        )
        return Stream.repeatEffectOption(pull)
      })
    )

  return LogFiles.of({
    projects: Effect.promise(async () => {
      const names: ReadonlyArray<string> = await fs.readdir(logDir).catch(() => [])
      const found = await Promise.all(
        names
          .filter((name): name is ProjectName => isName(name))
          .map(async (name) => ((await rotatedLogs(pathOf(name))).length > 0 ? [name] : []))
      )
      return found.flat().toSorted()
    }),
    read
  })
})

export const layer: Layer.Layer<LogFiles, never, AutopilotHome> = Layer.effect(LogFiles, make)
