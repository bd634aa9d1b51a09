import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import type { LogFilter } from "../../Domain/logs/LogFilter.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { type LogChoice, type LogUnreadable, loggedProjects, logSources, unreadable } from "./LogSources.ts"
import { type LogLines, mergedLogs } from "./MergedLogs.ts"
import { SearchTooLong } from "./SearchLimit.ts"

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

/** Reads something of a log. */
export const readingLog = <A>(path: string, read: () => Promise<A>): Effect.Effect<A, LogUnreadable> =>
  Effect.tryPromise({
    try: read,
    catch: (cause) => unreadable(path, cause)
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
  const read = (choice: LogChoice, query: LogQuery) =>
    Stream.unwrapScoped(
      Effect.gen(function* () {
        const logs = yield* Effect.acquireRelease(
          Effect.sync(() => mergedLogs(() => logSources(logDir, choice), query)),
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

  return LogFiles.of({ projects: Effect.promise(() => loggedProjects(logDir)), read })
})

export const layer: Layer.Layer<LogFiles, never, AutopilotHome> = Layer.effect(LogFiles, make)
