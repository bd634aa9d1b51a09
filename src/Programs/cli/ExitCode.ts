import * as Cause from "effect/Cause"
import * as Option from "effect/Option"
import { exitCodes } from "../../Domain/cli/ExitCodes.ts"

interface Failure {
  readonly _tag: string
  readonly message: string
  /** An exit code in a `Refused`, and other things in other failures. */
  readonly code?: unknown
}

/** The daemon's log or the printed answer has reported it already. */
const isReported = (failure: Failure): boolean =>
  failure._tag === "EndedBadly" ||
  (failure._tag === "Refused" && "isTold" in failure && failure.isTold === true)

/** The exit code of a command that failed. */
export const codeOf = (cause: Cause.Cause<Failure>): number =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => exitCodes.failed,
    onSome: ({ _tag, code }) =>
      _tag === "UsageError"
        ? exitCodes.usage
        : _tag === "NotRunning"
          ? exitCodes.notRunning
          : _tag === "Refused" && typeof code === "number"
            ? code
            : exitCodes.failed
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

const answer = (message: string): string => `${JSON.stringify({ success: false, message })}\n`

/**
 * The error message for a program (`--json`): one line of JSON in the shape of every answer, without the trace of a
 * defect. Empty when the failure has been reported already.
 */
export const answerOf = (cause: Cause.Cause<Failure>): string =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => answer("This is a bug in autopilotd, please report it: its trace is on standard error."),
    onSome: (failure) => (isReported(failure) ? "" : answer(failure.message))
  })
