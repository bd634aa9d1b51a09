import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { canonicalArgv, type Invocation } from "../../Domain/cli/CommandLine.ts"
import { shellLine } from "../../Domain/text/ShellLine.ts"
import { checkProc } from "../../Layers/machine/ProcFs.ts"
import { Refused } from "../Refused.ts"
import { sourcesOf } from "../Sources.ts"
import { daemon } from "./Daemon.ts"

/** The daemon exited after a failure, which its log explains. */
class EndedBadly extends Data.TaggedError("EndedBadly")<{ readonly code: number }> {}

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

/** `autopilotd start` in the foreground: returns after a clean shutdown. */
export const start = Effect.fnUntraced(function* (invocation: Invocation) {
  yield* checkProc
  const sources = yield* sourcesOf(invocation)
  const code = yield* Effect.catchTag(
    daemon({
      sources,
      keepState: invocation.options.keepState === true,
      raw: invocation.options.raw === true
    }),
    "AlreadyRunning",
    ({ message }) => new Refused({ reason: message + besideIt(invocation), code: "already_running" })
  )
  if (code !== 0) return yield* new EndedBadly({ code })
})
