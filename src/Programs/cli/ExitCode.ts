import * as Cause from "effect/Cause"
import * as Option from "effect/Option"
import { exitCodeOf } from "../../Domain/cli/ExitCodes.ts"
import type { CodedError } from "../../Domain/control/ErrorCode.ts"
import type { JsonAnswer } from "../../Domain/json/JsonAnswer.ts"
import { failureCode, type Refused } from "../Refused.ts"

/** A failure of a command. One whose tag has no code does not compile. */
export type Failure = (CodedError & { readonly message: string; readonly exitCode?: number }) | Refused

/** The daemon's log or the output has reported it already. */
const isReported = (failure: Failure): boolean =>
  failure._tag === "Refused" ? failure.isTold === true : failure._tag === "EndedBadly"

/** The exit code of a command that failed. */
export const exitCodeIn = (cause: Cause.Cause<Failure>): number =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => exitCodeOf("bug"),
    onSome: (failure) => failure.exitCode ?? exitCodeOf(failureCode(failure))
  })

/**
 * The error message for a user: the sentences of the failure, or the whole cause of a defect. Empty when the failure has
 * been reported already.
 */
export const sentenceOf = (cause: Cause.Cause<Failure>): string =>
  Option.match(Cause.failureOption(cause), {
    onNone: () =>
      `autopilotd: this is a bug in autopilotd, please report it with these lines:\n${Cause.pretty(cause, { renderErrorCause: true })}\n`,
    onSome: (failure) => (isReported(failure) ? "" : `autopilotd: ${failure.message}\n`)
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
    onSome: (failure) =>
      isReported(failure)
        ? undefined
        : {
            success: false,
            message: failure.message,
            code: failureCode(failure),
            ...(failure._tag === "Refused" && { data: failure.data })
          }
  })
