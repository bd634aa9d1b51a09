import * as Cause from "effect/Cause"
import * as Option from "effect/Option"

/** What a shell is told. */
export const exitCodes = { done: 0, failed: 1, usage: 2, notRunning: 3 } as const

interface Failure {
  readonly _tag: string
  readonly message: string
}

const isSilent = (failure: Failure): boolean =>
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
    onSome: (failure) => (isSilent(failure) ? "" : `autopilotd: ${failure.message}\n`)
  })
