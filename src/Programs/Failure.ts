import { exitCodeOf } from "../Domain/cli/ExitCodes.ts"
import { type CodedError, codeOf, type ErrorCode } from "../Domain/control/ErrorCode.ts"
import type { JsonAnswer } from "../Domain/json/JsonAnswer.ts"
import type { Refused } from "./Refused.ts"

/** A failure of a command. One whose tag has no code does not compile. */
export type Failure = (CodedError & { readonly message: string; readonly exitCode?: number }) | Refused

/** The code of an error, which may be a refusal. */
export const failureCode = (failure: CodedError | Refused): ErrorCode =>
  failure._tag === "Refused" ? failure.code : codeOf(failure)

/** The exit code of a command that failed. */
export const exitCodeOfFailure = (failure: Failure): number =>
  failure.exitCode ?? exitCodeOf(failureCode(failure))

/** The daemon's log or the output has reported it already. */
const isReported = (failure: Failure): boolean =>
  failure._tag === "Refused" ? failure.isTold === true : failure._tag === "EndedBadly"

/** The sentences for a user; empty when the failure has been reported already. */
export const sentenceOfFailure = (failure: Failure): string =>
  isReported(failure) ? "" : `autopilotd: ${failure.message}\n`

/** The answer for a program (`--json`); undefined when the failure has been reported already. */
export const answerOfFailure = (failure: Failure): JsonAnswer | undefined =>
  isReported(failure)
    ? undefined
    : {
        success: false,
        message: failure.message,
        code: failureCode(failure),
        ...(failure._tag === "Refused" && { data: failure.data })
      }
