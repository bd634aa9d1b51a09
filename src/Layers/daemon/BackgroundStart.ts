import { spawn } from "node:child_process"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
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

export interface Started {
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
      Effect.acquireRelease(
        Effect.sync(() => {
          const child = spawn(runtime, [...args, ...argv], {
            detached: true,
            stdio: ["ignore", "ignore", "pipe"]
          })
          const said: Array<Buffer> = []
          child.stderr.on("data", (chunk: Buffer) => said.push(chunk))
          const text = () => errorIn(Buffer.concat(said).toString("utf8"))
          return { child, text }
        }),
        ({ child }) =>
          Effect.sync(() => {
            child.stderr.destroy()
            child.unref()
          })
      ).pipe(
        Effect.flatMap(({ child, text }) => {
          const ended = Effect.async<never, DaemonDidNotStart>((resume) => {
            child.once("error", (cause) => resume(new DaemonDidNotStart({ told: cause.message })))
            // "close" follows the last output, which "exit" may precede.
            child.once("close", () => resume(new DaemonDidNotStart({ told: text() })))
          })
          return child.pid === undefined ? ended : Effect.succeed({ pid: child.pid, ended })
        })
      )
  }))
)
