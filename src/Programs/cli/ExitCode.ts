import * as Cause from "effect/Cause"
import * as Option from "effect/Option"
import { exitCodeOf } from "../../Domain/cli/ExitCodes.ts"
import type { JsonAnswer } from "../../Domain/json/JsonAnswer.ts"
import { answerOfFailure, exitCodeOfFailure, type Failure, sentenceOfFailure } from "../Failure.ts"

/** The exit code of a command that failed. */
export const exitCodeIn = (cause: Cause.Cause<Failure>): number =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => exitCodeOf("bug"),
    onSome: exitCodeOfFailure
  })

/**
 * The error message for a user: the sentences of the failure, or the whole cause of a defect. Empty when the failure has
 * been reported already.
 */
export const sentenceOf = (cause: Cause.Cause<Failure>): string =>
  Option.match(Cause.failureOption(cause), {
    onNone: () =>
      `autopilotd: this is a bug in autopilotd, please report it with these lines:\n${Cause.pretty(cause, { renderErrorCause: true })}\n`,
    onSome: sentenceOfFailure
  })

/**
 * The answer for a program (`--json`), without the trace of a defect; undefined when the failure has been reported
 * already.
 */
export const answerOf = (cause: Cause.Cause<Failure>): JsonAnswer | undefined =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => ({
      success: false,
      message: "This is a bug in autopilotd, please report it: its trace is on standard error.",
      code: "bug"
    }),
    onSome: answerOfFailure
  })
