import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { Refused } from "../Refused.ts"
import { type FirstState, workersInJson } from "./FirstState.ts"

/** A start in the background, and what its workers have come to. */
interface Started {
  readonly head: string
  /** What was done for the worker; a sentence without a full stop. */
  readonly done?: string | undefined
  readonly json: { readonly pid: number; readonly log: string } & Readonly<Record<string, unknown>>
  readonly first: FirstState
}

const commands = "Output: autopilotd logs -f. Status: autopilotd status. Stop: autopilotd stop."

/** Reports a start in the background. Fails when a worker that was to run does not. */
export const sayStarted = Effect.fnUntraced(function* (
  { options }: Invocation,
  { done, first, head, json }: Started
) {
  const { out } = yield* CommandOutput
  const sentences = [...(done === undefined ? [] : [done]), ...first.sentences]
    .map((sentence) => `${sentence}.\n`)
    .join("")
  // The worker was failed before: --keep-state asks for that.
  const failed = options.keepState === true ? undefined : first.failed
  if (failed === undefined) {
    const answer = { success: true, message: "Daemon started", ...json, workers: workersInJson(first) }
    return yield* out(
      options.json ? `${JSON.stringify(answer)}\n` : `${head}\n${sentences}Log: ${json.log}\n${commands}\n`
    )
  }
  const message = `The daemon runs, but not the worker of ${failed}`
  if (options.json)
    yield* out(`${JSON.stringify({ success: false, message, ...json, workers: workersInJson(first) })}\n`)
  return yield* new Refused({
    reason: `${message}.\n${sentences}Why, and what to do: autopilotd why. Stop: autopilotd stop.`,
    isTold: options.json === true
  })
})
