import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { AgentSeen } from "../../Domain/agent/AgentSeen.ts"
import { type Listen, latchOf } from "../concurrency/Listeners.ts"
import { pollLoop } from "../concurrency/PollLoop.ts"

/** The spending of a run is saved so often: a daemon that is killed loses no more. */
const progressInterval = Duration.seconds(5)

/** Reports what the agent has told when that has changed, and once more when a finished agent has waited for too long. */
export const reportAgent = Effect.fnUntraced(function* (
  { agent, onAgent }: { readonly agent: () => AgentSeen; readonly onAgent: Listen<[]> },
  lingerMs: Effect.Effect<number>,
  report: (agent: AgentSeen) => Effect.Effect<void>
) {
  const isChanged = yield* latchOf(onAgent)
  const reported = Effect.gen(function* () {
    yield* report(agent())
    yield* Effect.sleep(progressInterval)
    const { result } = agent()
    if (result === undefined || result.isError) return undefined
    return Math.max(0, result.atMs + (yield* lingerMs) - (yield* Clock.currentTimeMillis))
  })
  yield* isChanged.await
  yield* pollLoop(isChanged, reported)
}, Effect.scoped)
