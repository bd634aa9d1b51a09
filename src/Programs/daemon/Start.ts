import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { canonicalArgv, type Invocation } from "../../Domain/cli/CommandLine.ts"
import { exitCodeOfStart } from "../../Domain/cli/ExitCodes.ts"
import type { CodedError } from "../../Domain/control/ErrorCode.ts"
import { fitting } from "../../Domain/status/TerminationText.ts"
import { shellLine } from "../../Domain/text/ShellLine.ts"
import { tooManyFiles } from "../../Domain/tree/StartLimits.ts"
import { Caller } from "../../Layers/daemon/Caller.ts"
import { openFilesLimit } from "../../Layers/files/OpenFilesLimit.ts"
import { checkProc } from "../../Layers/machine/ProcFs.ts"
import {
  type TerminationLogFile,
  terminationLogOf,
  writerOf
} from "../../Layers/status/TerminationLogFile.ts"
import { failureCode } from "../Failure.ts"
import { Refused } from "../Refused.ts"
import { sourcesOf } from "../Sources.ts"
import { daemon } from "./Daemon.ts"

/** The daemon exited after a failure, which its log explains. */
class EndedBadly extends Data.TaggedError("EndedBadly")<{ readonly exitCode: number }> {}

/** Room for a prompt of several pages, which the user copies whole. */
const maxCommandLength = 20_000

/** What a user of a daemon that runs already wants with a command of the command line. */
const besideIt = (invocation: Invocation): string => {
  if (invocation.workerArgv === undefined) return ""
  const { maxBudget, maxTurns, model, project, workdir } = invocation.options
  const options = Object.fromEntries(
    Object.entries({ workdir, model, maxBudget, maxTurns, project }).filter(
      ([, value]) => value !== undefined
    )
  )
  const line = canonicalArgv({ ...invocation, verb: "run", options })
  return `\nTo run this command beside what it runs: ${shellLine(["autopilotd", ...line], maxCommandLength)}`
}

/** An engine hears by the exit code that settings allow no start, and reads why. */
const notStarted = (failure: (CodedError & { readonly message: string }) | Refused) => {
  const code = failureCode(failure)
  return new Refused({ reason: failure.message, code, exitCode: exitCodeOfStart(code) })
}

/** A daemon that has not started has no log for the warning about this file: the failure itself is on standard error. */
const tellNotStarted = (file: TerminationLogFile | undefined, message: string) =>
  file === undefined
    ? Effect.void
    : Effect.ignore(writerOf(file)(fitting(`autopilotd has not started: ${message}\n`)))

/** `autopilotd start` in the foreground: returns after a clean shutdown. */
export const start = Effect.fnUntraced(function* (invocation: Invocation) {
  yield* checkProc
  const tooFew = tooManyFiles(openFilesLimit(), 0)
  if (tooFew !== undefined)
    return yield* new Refused({ reason: `The daemon was not started: ${tooFew}.`, code: "start_failed" })
  const sources = yield* sourcesOf(invocation)
  const { options } = invocation
  const terminationLog = terminationLogOf(options.terminationLog, yield* Caller)
  const exitWhenFinished = options.exitWhenFinished === true
  const code = yield* daemon({
    sources,
    keepState: options.keepState === true,
    raw: options.raw === true,
    exitWhenFinished,
    terminationLog
  }).pipe(
    Effect.catchTag(
      "AlreadyRunning",
      ({ message }) => new Refused({ reason: message + besideIt(invocation), code: "already_running" })
    ),
    Effect.tapError(({ message }) => tellNotStarted(terminationLog, message)),
    Effect.catchAll((failure) => (exitWhenFinished ? notStarted(failure) : Effect.fail(failure)))
  )
  if (code !== 0) return yield* new EndedBadly({ exitCode: code })
})
