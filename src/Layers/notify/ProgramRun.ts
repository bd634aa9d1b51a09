import * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { isForRelay } from "../../Domain/relay/RelayChild.ts"
import { withoutEscapes } from "../../Domain/text/EscapeSequences.ts"
import { printable } from "../../Domain/text/Printable.ts"
import { startPiped } from "../files/ProgramStart.ts"

/** The end of a program. */
export interface ProgramEnd {
  /** Null after a signal. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  /** The last line of its standard error, made safe; empty without one. */
  readonly lastWords: string
}

const mostBytes = 8192

const lastLine = (bytes: string): string =>
  printable(withoutEscapes(bytes.trim().split("\n").at(-1) ?? ""), 200)

/** The program and what it has started. The group may be gone already. */
const signalGroup = (pid: number | undefined, signal: NodeJS.Signals): void => {
  try {
    if (pid !== undefined) process.kill(-pid, signal)
  } catch {
    // ESRCH: all have exited.
  }
}

const inherited = (): Readonly<Record<string, string | undefined>> =>
  Object.fromEntries(Object.entries(process.env).filter(([name]) => !isForRelay(name)))

/**
 * Runs a program in a session of its own until it exits; undefined when it has not within `limit`: its group then gets
 * SIGTERM, and SIGKILL after `grace`, or at once without one.
 */
export const runProgram = (
  [command, ...args]: readonly [string, ...ReadonlyArray<string>],
  {
    env,
    grace,
    input,
    limit
  }: {
    /** Added to the environment of this process. */
    readonly env: Readonly<Record<string, string>>
    readonly input: string
    readonly limit: Duration.DurationInput
    readonly grace?: Duration.DurationInput
  }
) =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<ProgramEnd>()
    let errors = ""
    return yield* Effect.acquireUseRelease(
      startPiped(
        command,
        args,
        { env: { ...inherited(), ...env }, detached: true },
        (child) => {
          child.stdout.resume()
          child.stderr.on("data", (chunk: Buffer) => {
            errors = `${errors}${chunk.toString("utf8")}`.slice(-mostBytes)
          })
          // A program need not read its input.
          child.stdin?.on("error", () => undefined)
          child.once("exit", (code, signal) =>
            // Waiting for the pipes could take for ever: a process that the program has started may keep them open.
            setImmediate(() =>
              Deferred.unsafeDone(ended, Exit.succeed({ code, signal, lastWords: lastLine(errors) }))
            )
          )
        },
        "pipe"
      ),
      (child) =>
        Effect.gen(function* () {
          child.stdin?.end(input)
          const first = yield* Effect.timeoutOption(Deferred.await(ended), limit)
          if (first._tag === "Some") return first.value
          if (grace !== undefined) {
            signalGroup(child.pid, "SIGTERM")
            yield* Effect.timeoutOption(Deferred.await(ended), grace)
          }
          return undefined
        }),
      (child) =>
        Effect.sync(() => {
          signalGroup(child.pid, "SIGKILL")
          child.stdout.destroy()
          child.stderr.destroy()
          child.unref()
        })
    )
  })
