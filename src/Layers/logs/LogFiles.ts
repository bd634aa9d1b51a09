import * as fs from "node:fs/promises"
import { join } from "node:path"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { LogFilter } from "../../Domain/logs/LogFilter.ts"
import { ProjectName } from "../../Domain/Project.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { errorCode } from "../files/SystemError.ts"
import { type LogLines, type LogSource, mergedLogs } from "./MergedLogs.ts"
import { rotatedLogs } from "./RotatedLogs.ts"
import { SearchTooLong } from "./SearchLimit.ts"

/** A worker's log exists but cannot be read. */
export class LogUnreadable extends Data.TaggedError("LogUnreadable")<{
  readonly path: string
  readonly reason: string
}> {
  override get message() {
    return `${this.path} cannot be read: ${this.reason}.`
  }
}

/** The logs that a reader wants: those of these projects or of all, and perhaps the daemon's own. */
export interface LogChoice {
  readonly projects: ReadonlyArray<ProjectName> | "all"
  readonly daemon: boolean
}

export interface LogQuery extends LogFilter {
  /** The greatest number of lines, of all logs together; the newest win. Undefined: all. */
  readonly last: number | undefined
  /** Continues with new lines, and with the logs of projects that come later. */
  readonly follow: boolean
}

/** Reads the stored output of workers and the daemon's own log, with or without a daemon. */
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
      choice: LogChoice,
      query: LogQuery
    ) => Stream.Stream<LogLines, LogUnreadable | SearchTooLong>
  }
>() {}

const isName = Schema.is(ProjectName)

/** The log of a worker. */
export const workerLogIn = (logDir: string, project: ProjectName): string =>
  join(logDir, project, "worker.log")

/** Reads something of a log. */
export const readingLog = <A>(path: string, read: () => Promise<A>): Effect.Effect<A, LogUnreadable> =>
  Effect.tryPromise({
    try: read,
    catch: (cause) => {
      // Anything but a system error is a bug.
      if (!(cause instanceof Error) || errorCode(cause) === undefined) throw cause
      return new LogUnreadable({ path, reason: cause.message })
    }
  })

/** The same where a search may take too long. */
const searching = <A>(
  path: string,
  read: () => Promise<A>
): Effect.Effect<A, LogUnreadable | SearchTooLong> =>
  Effect.flatMap(
    readingLog(path, () =>
      read().then(Either.right, (cause: unknown) => {
        if (cause instanceof SearchTooLong) return Either.left(cause)
        throw cause
      })
    ),
    identity
  )

const make = Effect.map(AutopilotHome, ({ logDir }) => {
  const projects = async (): Promise<ReadonlyArray<ProjectName>> => {
    const names: ReadonlyArray<string> = await fs.readdir(logDir).catch(() => [])
    const found = await Promise.all(
      names
        .filter((name): name is ProjectName => isName(name))
        .map(async (name) => ((await rotatedLogs(workerLogIn(logDir, name))).length > 0 ? [name] : []))
    )
    return found.flat().toSorted()
  }

  const sources = async (choice: LogChoice): Promise<ReadonlyArray<LogSource>> => [
    ...(choice.projects === "all" ? await projects() : choice.projects).map((project) => ({
      project,
      path: workerLogIn(logDir, project)
    })),
    ...(choice.daemon ? [{ project: undefined, path: join(logDir, "autopilotd.log") }] : [])
  ]

  const read = (choice: LogChoice, query: LogQuery) =>
    Stream.unwrapScoped(
      Effect.gen(function* () {
        const logs = yield* Effect.acquireRelease(
          Effect.sync(() => mergedLogs(() => sources(choice), query)),
          ({ close }) => Effect.promise(close)
        )
        const next: Effect.Effect<
          ReadonlyArray<LogLines>,
          Option.Option<LogUnreadable | SearchTooLong>
        > = Effect.gen(function* () {
          for (;;) {
            const found = yield* Effect.mapError(searching(logDir, logs.next), Option.some)
            if (found === undefined) return yield* Effect.fail(Option.none())
            if (found.length > 0) return found
          }
        })
        return Stream.mapConcat(Stream.repeatEffectOption(next), identity)
      })
    )

  return LogFiles.of({ projects: Effect.promise(projects), read })
})

export const layer: Layer.Layer<LogFiles, never, AutopilotHome> = Layer.effect(LogFiles, make)
