import * as Effect from "effect/Effect"
import type { ChannelMessage } from "../../Domain/notify/ChannelMessage.ts"
import { printable } from "../../Domain/text/Printable.ts"
import { NotSent } from "./NotSent.ts"
import { runProgram } from "./ProgramRun.ts"

const limit = "30 seconds"

/** Runs the command of a user, with the notification in its environment and on its standard input. */
export const runHook = ({
  argv,
  env,
  input
}: Extract<ChannelMessage, { readonly _tag: "Run" }>): Effect.Effect<void, NotSent> => {
  const name = printable(argv[0], 80)
  return runProgram(argv, { env, input, limit, grace: "5 seconds" }).pipe(
    Effect.mapError(
      ({ reason }) =>
        new NotSent({ reason: `does not work: ${name} could not be started: ${reason}`, next: "give-up" })
    ),
    Effect.flatMap((end) => {
      if (end?.code === 0) return Effect.void
      const { lastWords = "" } = end ?? {}
      const how =
        end === undefined
          ? `had not exited after ${limit}, and was killed`
          : end.signal === null
            ? `exited with code ${end.code}`
            : `was killed by ${end.signal}`
      return new NotSent({
        reason: `does not work: ${name} ${how}${lastWords === "" ? "" : `: ${lastWords}`}`,
        next: "retry"
      })
    })
  )
}
