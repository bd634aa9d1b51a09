import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import type { Dialogue, DialogueOf, Step } from "../../Domain/cli/Dialogue.ts"
import { harmlessText } from "../../Domain/text/Printable.ts"
import { ControlClient, EarlierExchanges } from "../../Layers/control/ControlClient.ts"
import { clockTime } from "../../Layers/output/ClockTime.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { canAsk, confirmed } from "../../Layers/output/TerminalQuestion.ts"
import { Refused } from "../Refused.ts"

/** Carries out one step of a dialogue, and returns what its generator waits for. */
const carryOut = Effect.fnUntraced(function* (step: Step) {
  if (step._tag === "Pause") {
    const earlier = yield* EarlierExchanges
    // What has been asked before was also waited for.
    if (earlier.length === 0) yield* Effect.sleep(step.durationMs)
    return undefined
  }
  if (step._tag === "Confirm") {
    const earlier = yield* EarlierExchanges
    // What has been asked of the daemon afterwards was allowed before.
    return earlier.length > 0 || (yield* Effect.promise(() => confirmed(harmlessText(step.question))))
  }
  const { request } = yield* ControlClient
  const asked: Effect.Effect<unknown, Effect.Effect.Error<ReturnType<typeof request>>> = request(
    step.question,
    step.patience
  )
  return yield* step.isOptional ? Effect.orElseSucceed(asked, () => undefined) : asked
})

/** Runs a command that only talks to the daemon. Fails with its refusal. */
export const runDialogue = Effect.fnUntraced(function* (begin: DialogueOf, invocation: Invocation) {
  const { colour, columns, out } = yield* CommandOutput
  const clock = yield* Effect.clock
  const dialogue: Dialogue = begin(invocation, {
    clockTime,
    canAsk: canAsk(),
    colour,
    columns,
    nowMs: () => clock.unsafeCurrentTimeMillis()
  })
  let step = dialogue.next()
  while (step.done !== true) step = dialogue.next(yield* carryOut(step.value))
  const { answer, out: text, refused } = step.value
  if (text !== "") yield* out(text)
  if (answer !== undefined) {
    const { sayJson } = yield* Effect.promise(() => import("../Answer.ts"))
    yield* sayJson(invocation.verb, answer)
  }
  if (refused !== undefined) return yield* new Refused(refused)
})
