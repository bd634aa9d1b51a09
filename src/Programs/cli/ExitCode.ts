import * as Cause from "effect/Cause"
import * as Option from "effect/Option"

/** What a shell is told. */
export const exitCodes = {
  done: 0,
  failed: 1,
  usage: 2,
  notRunning: 3,
  /** Ctrl-C, as a shell says it: 128 and the number of SIGINT. */
  interrupted: 130
} as const

interface Failure {
  readonly _tag: string
  readonly message: string
}

/** It has been told already, by the daemon's log or in the answer. */
const isTold = (failure: Failure): boolean =>
  failure._tag === "EndedBadly" ||
  (failure._tag === "Refused" && "isTold" in failure && failure.isTold === true)

/** The exit code of a command that failed. */
export const codeOf = (cause: Cause.Cause<Failure>): number =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => exitCodes.failed,
    onSome: ({ _tag }) =>
      _tag === "UsageError"
        ? exitCodes.usage
        : _tag === "NotRunning"
          ? exitCodes.notRunning
          : exitCodes.failed
  })

/**
 * What a person is told, once: the failure's own sentences, or of a defect, which is a bug of ours, all there is.
 * Empty when it has been told already.
 */
export const sentenceOf = (cause: Cause.Cause<Failure>): string =>
  Option.match(Cause.failureOption(cause), {
    onNone: () =>
      `autopilotd: this is a bug in autopilotd, please report it with these lines:\n${Cause.pretty(cause, { renderErrorCause: true })}\n`,
    onSome: (failure) => (isTold(failure) ? "" : `autopilotd: ${failure.message}\n`)
  })

const answer = (message: string): string => `${JSON.stringify({ success: false, message })}\n`

/**
 * The same for a program (`--json`): one line of JSON in the shape of every answer. Empty when it has been told. The
 * trace of a defect is not in it.
 */
export const answerOf = (cause: Cause.Cause<Failure>): string =>
  Option.match(Cause.failureOption(cause), {
    onNone: () => answer("This is a bug in autopilotd, please report it: its trace is on standard error."),
    onSome: (failure) => (isTold(failure) ? "" : answer(failure.message))
  })
