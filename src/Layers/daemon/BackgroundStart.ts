import { spawn } from "node:child_process"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { Caller } from "./Caller.ts"

/** The daemon that was started in the background has ended before it could be asked. */
export class DaemonDidNotStart extends Data.TaggedError("DaemonDidNotStart")<{ readonly told: string }> {
  override get message() {
    return this.told === "" ? "The daemon ended at once and said nothing." : this.told
  }
}

export interface Started {
  readonly pid: number
  /** Fails when the process ends, with what it has said; never succeeds. */
  readonly ended: Effect.Effect<never, DaemonDidNotStart>
}

/**
 * Starts this program again as a process of its own session, without a terminal. What it says on standard error is
 * kept until the scope closes, and then nobody reads it any more: it has its log.
 */
export class BackgroundStart extends Context.Tag("BackgroundStart")<
  BackgroundStart,
  {
    readonly start: (argv: ReadonlyArray<string>) => Effect.Effect<Started, DaemonDidNotStart, Scope.Scope>
  }
>() {}

const errorPrefix = "autopilotd: "

/** Of all that was said the error is what counts; a crash of the runtime says it without our prefix. */
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
            // "close" comes after the last of its words, "exit" may come before.
            child.once("close", () => resume(new DaemonDidNotStart({ told: text() })))
          })
          return child.pid === undefined ? ended : Effect.succeed({ pid: child.pid, ended })
        })
      )
  }))
)
