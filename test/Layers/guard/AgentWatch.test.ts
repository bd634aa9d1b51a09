import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { type AgentSeen, noAgent } from "../../../src/Domain/agent/AgentSeen.ts"
import { type DaemonEvent, describeEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import type { RestartPolicy } from "../../../src/Domain/worker/RestartPolicy.ts"
import { makeListeners } from "../../../src/Layers/concurrency/Listeners.ts"
import * as AgentWatch from "../../../src/Layers/guard/AgentWatch.ts"
import { LiveWorkers } from "../../../src/Layers/verdict/LiveWorkers.ts"
import { Supervisor } from "../../../src/Layers/worker/Supervisor.ts"
import { answer, calls, denied, init, result, says, toolResult } from "../../fixtures/AgentLines.ts"
import { agentAfter, recordedLines } from "../../fixtures/RecordedRuns.ts"
import type { TestBody } from "../../fixtures/TestBody.ts"
import { FakeRuns } from "../worker/FakeRuns.ts"
import { plan, settle } from "../worker/SupervisorWorld.ts"
import { begin, type InWorld, workerWorld, worldLayer } from "../worker/WorkerWorld.ts"

const inWorld = (
  body: TestBody<
    [{ readonly told: () => ReadonlyArray<string>; readonly events: ReadonlyArray<DaemonEvent> }],
    InWorld
  >,
  onNoProgress: RestartPolicy["onNoProgress"] = "tell"
) =>
  Effect.flatMap(workerWorld, (world) => {
    const told = () =>
      world.events.flatMap((event) =>
        event._tag.startsWith("Agent") ? [`${event._tag} ${"text" in event ? event.text : ""}`] : []
      )
    return Effect.provide(
      Effect.gen(() => body({ told, events: world.events })),
      AgentWatch.layer.pipe(
        Layer.provideMerge(
          worldLayer(world, {}, { projects: [{ ...plan, restart: { ...plan.restart, onNoProgress } }] })
        )
      )
    )
  })

const pass = (duration: Parameters<typeof TestClock.adjust>[0]) =>
  Effect.zipRight(TestClock.adjust(duration), settle)

/** The worker's output becomes that of this agent. */
const showing = (agent: AgentSeen, pid = 1000) =>
  Effect.map(LiveWorkers, (live) => {
    let seen = agent
    const { listen, tell } = makeListeners<[]>()
    const looks = { count: 0 }
    const output = {
      lastOutputNanos: () => 0n,
      agent: () => {
        looks.count++
        return seen
      },
      onAgent: listen,
      unfinished: () => undefined
    }
    live.add(pid, output)
    const prints = (next: AgentSeen) =>
      Effect.sync(() => {
        seen = next
        tell()
      })
    return { looks, prints }
  })

const stuck = agentAfter([
  init,
  ...Array.from({ length: 10 }, (_, at) => [
    answer(`msg_${at}`, calls(`t${at}`)),
    toolResult(`t${at}`, "pending")
  ]).flat()
])

describe("the watch of agents", () => {
  it.scoped("tells at once, and once, that an agent has finished and stays", () =>
    inWorld(function* ({ told }) {
      const left = agentAfter(recordedLines("claude-2.1.332/background-bash-left"))
      yield* showing(left)
      yield* begin
      yield* pass("30 seconds")
      assert.deepStrictEqual(told(), ['AgentFinished has finished, and waits for "work"'])
      yield* pass("1 hour")
      assert.strictEqual(told().length, 1)
    })
  )

  it.scoped(
    "tells at once that an agent is denied again and again, and does not look while nothing is printed",
    () =>
      inWorld(function* ({ told }) {
        const { looks, prints } = yield* showing(noAgent)
        yield* begin
        yield* pass("1 hour")
        // At its start, to see whether it has printed something already.
        assert.strictEqual(looks.count, 1)
        yield* prints(agentAfter([init, ...denied("a"), ...denied("b"), ...denied("c")]))
        yield* settle
        assert.deepStrictEqual(told(), [
          "AgentBlocked was denied Write 3 times in a row: nobody is there to allow it"
        ])
      })
  )

  it.scoped(
    "stops an agent without progress where the settings say so: failed, with the reason and the way on",
    () =>
      inWorld(function* ({ events }) {
        const { prints } = yield* showing(noAgent)
        yield* begin
        yield* prints(stuck)
        yield* pass("1 second")
        const { snapshot } = yield* Effect.flatMap(Supervisor, ({ project }) => project(undefined))
        const { phase } = (yield* snapshot).state
        assert.strictEqual(phase._tag, "Failed")
        assert.match(
          phase._tag === "Failed" ? phase.because : "",
          /^it makes no progress .*Bash "npm test" 10 times with the same result.*start-worker/
        )
        assert.includeMembers(
          events.map(({ _tag }) => _tag),
          ["AgentNoProgress", "AgentStopped", "PersonNeeded"]
        )
      }, "stop")
  )

  it.scoped("leaves an agent without progress alone by default", () =>
    inWorld(function* ({ told }) {
      const { prints } = yield* showing(noAgent)
      yield* begin
      yield* prints(stuck)
      yield* pass("1 hour")
      assert.lengthOf(told(), 1)
      const { snapshot } = yield* Effect.flatMap(Supervisor, ({ project }) => project(undefined))
      assert.strictEqual((yield* snapshot).state.phase._tag, "Running")
    })
  )

  it.scoped("tells the question with which an agent ends between two looks", () =>
    inWorld(function* ({ events, told }) {
      const runs = yield* FakeRuns
      yield* begin
      const asks = agentAfter([init, answer("msg_1", says("Shall I drop the table?")), result({})])
      runs.tells(asks)
      yield* runs.started[0]?.exit({ code: 0, signal: null }) ?? Effect.void
      yield* pass("1 second")
      assert.deepStrictEqual(told(), ['AgentBlocked has finished with a question: "Shall I drop the table?"'])
      const ended = events.find((event) => event._tag === "WorkerEnded")
      assert.deepInclude(ended?.agent, { sessionId: asks.sessionId ?? "", turns: 1, costUsd: 0.4242 })
      assert.include(ended && describeEvent(ended).text, `(1 turn for $0.42; session ${asks.sessionId})`)
    })
  )
})
