import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import type { AgentSeen } from "../../../src/Domain/agent/AgentSeen.ts"
import { type DaemonEvent, describeEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import * as AgentWatch from "../../../src/Layers/guard/AgentWatch.ts"
import { LiveWorkers } from "../../../src/Layers/verdict/LiveWorkers.ts"
import { answer, init, result, says } from "../../fixtures/AgentLines.ts"
import { agentAfter, recordedLines } from "../../fixtures/RecordedRuns.ts"
import { FakeRuns } from "../worker/FakeRuns.ts"
import { settle } from "../worker/SupervisorWorld.ts"
import { begin, workerWorld, worldLayer } from "../worker/WorkerWorld.ts"

const inWorld = <A, E, R>(
  test: (world: {
    readonly told: () => ReadonlyArray<string>
    readonly events: ReadonlyArray<DaemonEvent>
  }) => Effect.Effect<A, E, R>
) =>
  Effect.flatMap(workerWorld, (world) => {
    const told = () =>
      world.events.flatMap((event) =>
        event._tag.startsWith("Agent") ? [`${event._tag} ${"text" in event ? event.text : ""}`] : []
      )
    return Effect.provide(
      test({ told, events: world.events }),
      AgentWatch.layer.pipe(Layer.provideMerge(worldLayer(world)))
    )
  })

const pass = (duration: Parameters<typeof TestClock.adjust>[0]) =>
  Effect.zipRight(TestClock.adjust(duration), settle)

/** The worker's output becomes that of this agent. */
const showing = (agent: () => AgentSeen, pid = 1000) =>
  Effect.map(LiveWorkers, (live) =>
    live.add(pid, { lastOutputNanos: () => 0n, agent, unfinished: () => undefined })
  )

describe("the watch of agents", () => {
  it.scoped("tells at once, and once, that an agent has finished and stays", () =>
    inWorld(({ told }) =>
      Effect.gen(function* () {
        const left = agentAfter(recordedLines("claude-2.1.332/background-bash-left"))
        yield* showing(() => left)
        yield* begin
        yield* pass("30 seconds")
        assert.deepStrictEqual(told(), ['AgentFinished has finished, and waits for "work"'])
        yield* pass("1 hour")
        assert.strictEqual(told().length, 1)
      })
    )
  )

  it.scoped("tells the question with which an agent ends between two looks", () =>
    inWorld(({ events, told }) =>
      Effect.gen(function* () {
        const runs = yield* FakeRuns
        yield* begin
        const asks = agentAfter([init, answer("msg_1", says("Shall I drop the table?")), result({})])
        runs.tells(asks)
        yield* runs.started[0]?.exit({ code: 0, signal: null }) ?? Effect.void
        yield* pass("1 second")
        assert.deepStrictEqual(told(), [
          'AgentBlocked has finished with a question: "Shall I drop the table?"'
        ])
        const ended = events.find((event) => event._tag === "WorkerEnded")
        assert.deepInclude(ended?.agent, { sessionId: asks.sessionId ?? "", turns: 1, costUsd: 0.4242 })
        assert.include(ended && describeEvent(ended).text, `(1 turn for $0.42; session ${asks.sessionId})`)
      })
    )
  )
})
