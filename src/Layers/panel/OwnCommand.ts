import { existsSync } from "node:fs"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Caller } from "../daemon/Caller.ts"
import { type ProgramNotStarted, startPiped } from "../files/ProgramStart.ts"

/** More than any answer has. */
const maxOutputLength = 1024 * 1024

/** What a command has printed, on both streams, and its exit code. */
interface OwnOutput {
  readonly text: string
  readonly code: number | null
}

/** Runs a command of autopilotd in a process of its own. An interruption only ends the wait for it. */
export const ownCommand = (
  args: ReadonlyArray<string>,
  {
    program,
    seconds
  }: {
    /** By default the program of this process. */
    readonly program?: readonly [string, ...ReadonlyArray<string>]
    /** The command is killed after this time. */
    readonly seconds?: number
  } = {}
): Effect.Effect<OwnOutput, ProgramNotStarted, Caller> =>
  Effect.gen(function* () {
    const { cwd, program: own, userHome = "/" } = yield* Caller
    const [command, ...first] = program ?? own
    const ended = yield* Deferred.make<number | null>()
    let text = ""
    yield* startPiped(
      command,
      [...first, ...args],
      {
        cwd: existsSync(cwd) ? cwd : userHome,
        ...(seconds === undefined ? {} : { timeout: seconds * 1000, killSignal: "SIGKILL" as const })
      },
      (child) => {
        for (const output of [child.stdout, child.stderr])
          output.setEncoding("utf8").on("data", (piece: string) => {
            if (text.length < maxOutputLength) text += piece
          })
        child.once("close", (code) => Deferred.unsafeDone(ended, Exit.succeed(code)))
      }
    )
    const code = yield* Deferred.await(ended)
    return { text: text.trim(), code }
  })
