import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { startProgram } from "../files/ProgramStart.ts"
import { Caller } from "./Caller.ts"

/** The daemon exited before it answered. */
export class DaemonDidNotStart extends Data.TaggedError("DaemonDidNotStart")<{
  /** Its own error. */
  readonly told: string
}> {
  override get message() {
    return this.told === ""
      ? "The daemon exited at once and printed no error. Run autopilotd start in the foreground to see why."
      : this.told
  }
}

interface Started {
  readonly pid: number
  /** Fails when the process exits, with its error. Never succeeds. */
  readonly ended: Effect.Effect<never, DaemonDidNotStart>
}

/**
 * Starts this program again in a session of its own, without a terminal. Its standard error is read until the scope
 * closes; afterwards it has only its log.
 */
export class BackgroundStart extends Context.Tag("BackgroundStart")<
  BackgroundStart,
  {
    readonly start: (argv: ReadonlyArray<string>) => Effect.Effect<Started, DaemonDidNotStart, Scope.Scope>
  }
>() {}

const errorPrefix = "autopilotd: "

/** Returns the last error in an output, or all of it: a crash of Node has no prefix of autopilotd. */
export const errorIn = (said: string): string => {
  const at = said.lastIndexOf(errorPrefix)
  return (at === -1 ? said : said.slice(at + errorPrefix.length)).trim()
}

export const layer: Layer.Layer<BackgroundStart, never, Caller> = Layer.effect(
  BackgroundStart,
  Effect.map(Caller, ({ program: [runtime, ...args] }) => ({
    start: (argv) =>
      Effect.gen(function* () {
        const ended = yield* Deferred.make<never, DaemonDidNotStart>()
        const said: Array<Buffer> = []
        const { pid } = yield* Effect.acquireRelease(
          startProgram(
            runtime,
            [...args, ...argv],
            { detached: true, stdio: ["ignore", "ignore", "pipe"] },
            (child) => {
              child.stderr?.on("data", (chunk: Buffer) => said.push(chunk))
              // "close" follows the last output, which "exit" may precede.
              child.once("close", () => {
                const told = errorIn(Buffer.concat(said).toString("utf8"))
                Deferred.unsafeDone(ended, Exit.fail(new DaemonDidNotStart({ told })))
              })
            }
          ).pipe(
            Effect.mapError(
              ({ reason }) => new DaemonDidNotStart({ told: `The daemon was not started: ${reason}.` })
            )
          ),
          (child) =>
            Effect.sync(() => {
              child.stderr?.destroy()
              child.unref()
            })
        )
        // A process that has spawned has a pid.
        return { pid: pid ?? 0, ended: Deferred.await(ended) }
      })
  }))
)
