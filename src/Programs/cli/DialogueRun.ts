import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import type { Dialogue, DialogueOf, Outcome, ReadingOf, Step } from "../../Domain/cli/Dialogue.ts"
import { harmlessText } from "../../Domain/text/Printable.ts"
import { ControlClient, EarlierExchanges } from "../../Layers/control/ControlClient.ts"
import { HistoryReader } from "../../Layers/history/HistoryReader.ts"
import { localZone } from "../../Layers/machine/TimeZone.ts"
import { clockTime } from "../../Layers/output/ClockTime.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { canAsk, confirmed } from "../../Layers/output/TerminalQuestion.ts"
import { requireProject } from "../history/KnownProject.ts"
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

const surroundings = Effect.gen(function* () {
  const { colour, columns } = yield* CommandOutput
  const clock = yield* Effect.clock
  return { clockTime, canAsk: canAsk(), colour, columns, nowMs: () => clock.unsafeCurrentTimeMillis() }
})

/** Prints the outcome of a command. Fails with its refusal. */
export const conclude = Effect.fnUntraced(function* (invocation: Invocation, outcome: Outcome) {
  const { out } = yield* CommandOutput
  const { answer, out: text, refused } = outcome
  if (text !== "") yield* out(text)
  if (answer !== undefined) {
    const { sayJson } = yield* Effect.promise(() => import("../Answer.ts"))
    yield* sayJson(invocation.verb, answer)
  }
  if (refused !== undefined) return yield* new Refused(refused)
})

/** Runs a command that only talks to the daemon. Fails with its refusal. */
export const runDialogue = Effect.fnUntraced(function* (begin: DialogueOf, invocation: Invocation) {
  const dialogue: Dialogue = begin(invocation, yield* surroundings)
  let step = dialogue.next()
  while (step.done !== true) step = dialogue.next(yield* carryOut(step.value))
  yield* conclude(invocation, step.value)
})

/** Runs a command that also reads the history. Fails with its refusal. */
export const runReading = Effect.fnUntraced(function* (begin: ReadingOf, invocation: Invocation) {
  const { read } = yield* HistoryReader
  const reading = begin(invocation, { ...(yield* surroundings), zone: yield* localZone })
  let step = reading.next()
  while (step.done !== true) {
    const { value } = step
    if (value._tag === "ReadHistory") step = reading.next(yield* read(value.query))
    else if (value._tag === "RequireProject") step = reading.next(yield* requireProject(value.project))
    else step = reading.next(yield* carryOut(value))
  }
  yield* conclude(invocation, step.value)
})
