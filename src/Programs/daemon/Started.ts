import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { sayDone } from "../Answer.ts"
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
  invocation: Invocation,
  { done, first, head, json }: Started
) {
  const { options } = invocation
  const data = { ...json, workers: workersInJson(first) }
  const sentences = [...(done === undefined ? [] : [done]), ...first.sentences]
    .map((sentence) => `${sentence}.\n`)
    .join("")
  // The worker was failed before: --keep-state asks for that.
  const failed = options.keepState === true ? undefined : first.failed
  if (failed === undefined) {
    const text = `${head}\n${sentences}Log: ${json.log}\n${commands}\n`
    return yield* sayDone(invocation, { message: "Daemon started", data }, text)
  }
  const message = `The daemon runs, but not the worker of ${failed}`
  const advice = "Why, and what to do: autopilotd why. Stop: autopilotd stop."
  return yield* new Refused({
    reason: options.json === true ? message : `${message}.\n${sentences}${advice}`,
    code: "wrong_state",
    data
  })
})
