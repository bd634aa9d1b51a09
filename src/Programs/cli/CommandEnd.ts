import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { Verb } from "../../Domain/cli/CommandTable.ts"
import { exitCodes } from "../../Domain/cli/ExitCodes.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import type { Failure } from "../Failure.ts"
import { answerOf, exitCodeIn, sentenceOf } from "./ExitCode.ts"

interface Typed {
  readonly argv: ReadonlyArray<string>
  /** Undefined for an invalid command line. */
  readonly verb: Verb | undefined
}

/** Prints a failure on standard error, or as JSON for a program; a defect in both places. */
const reportFailure = Effect.fnUntraced(function* ({ argv, verb }: Typed, cause: Cause.Cause<Failure>) {
  const { err } = yield* CommandOutput
  // Holds for an invalid command line too: a program reads the answer to `--json`.
  const wantsJson = argv.slice(0, argv.includes("--") ? argv.indexOf("--") : undefined).includes("--json")
  const answer = wantsJson ? answerOf(cause) : undefined
  if (answer !== undefined) {
    const { sayJson } = yield* Effect.promise(() => import("../Answer.ts"))
    yield* sayJson(verb, answer)
  }
  if (!wantsJson || Option.isNone(Cause.failureOption(cause))) yield* err(sentenceOf(cause))
  return exitCodeIn(cause)
})

/** Reports the failure of a command, and returns the exit code. */
export const exitCodeOfCommand = <E extends Failure, R>(command: Effect.Effect<void, E, R>, typed: Typed) =>
  Effect.matchCauseEffect(command, {
    onFailure: (cause) => reportFailure(typed, cause),
    onSuccess: () => Effect.succeed<number>(exitCodes.done)
  })
