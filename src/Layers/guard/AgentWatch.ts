import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type AgentSeen, isAgent, noAgent } from "../../Domain/agent/AgentSeen.ts"
import {
  type AgentWatch,
  beginWatch,
  nextLookMs,
  noProgressReason,
  tellBlocked,
  watchAgent
} from "../../Domain/guard/AgentWatch.ts"
import type { DaemonEvent } from "../../Domain/history/DaemonEvent.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { latchOf } from "../concurrency/Listeners.ts"
import { pollLoop } from "../concurrency/PollLoop.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { LiveWorkers } from "../verdict/LiveWorkers.ts"
import { Supervisor } from "../worker/Supervisor.ts"

/** An agent may print hundreds of lines a second: after a look, the next ones wait. */
const rest = "1 second"

/** The watch of one run. */
interface Watched {
  readonly pid: number
  readonly watch: AgentWatch
}

const make = Effect.gen(function* () {
  const supervisor = yield* Supervisor
  const live = yield* LiveWorkers
  const events = yield* DaemonEvents
  const concerns = yield* Concerns
  /** The runs that have started and not ended. */
  const watched = new Map<ProjectName, Watched>()

  /** Tells what the agent meets, and stops it where the settings say so. Returns when to look again. */
  const look = Effect.fnUntraced(function* (project: ProjectName, before: Watched, agent: AgentSeen) {
    const actor = yield* supervisor.project(project)
    const { plan, state } = yield* actor.snapshot
    // What an agent says while it is stopped is no news.
    if (state.phase._tag !== "Running" && state.phase._tag !== "Starting") return undefined
    const nowMs = yield* Clock.currentTimeMillis
    const [watch, told] = watchAgent(before.watch, project, agent, nowMs, plan.agent?.lingerMs)
    watched.set(project, { ...before, watch })
    yield* Effect.forEach(told, events.publish, { discard: true })
    const stuck = plan.restart.onNoProgress === "stop" ? noProgressReason(agent) : undefined
    if (stuck !== undefined) yield* actor.restartFor(stuck, { _tag: "give-up" })
    const nextMs = nextLookMs(watch, agent, nowMs)
    return nextMs === undefined ? undefined : nextMs - nowMs
  })

  const lookAt = ([project, run]: readonly [ProjectName, Watched]) => {
    const output = live.of(run.pid)?.output
    return output === undefined
      ? Effect.succeed(undefined)
      : // The project may be removed meanwhile.
        Effect.catchTag(look(project, run, output.agent()), "UnknownProject", () => Effect.succeed(undefined))
  }

  const check = Effect.gen(function* () {
    const beginMs = yield* Clock.currentTimeMillis
    const next = (yield* Effect.forEach([...watched], lookAt)).filter((inMs) => inMs !== undefined)
    yield* Effect.sleep(rest)
    const restedMs = (yield* Clock.currentTimeMillis) - beginMs
    return next.length === 0 ? undefined : Math.max(0, Math.min(...next) - restedMs)
  })

  /** The last word of an agent comes right before its exit, between two looks. */
  const onEvent = (
    isWanted: Effect.Latch,
    event: Extract<DaemonEvent, { readonly _tag: "WorkerStarted" | "WorkerEnded" }>
  ): Effect.Effect<void> => {
    if (event._tag === "WorkerStarted") {
      watched.set(event.project, { pid: event.pid, watch: beginWatch })
      // A worker may have printed something before this event. One that is no agent is never looked at.
      return isAgent(live.of(event.pid)?.output.agent() ?? noAgent)
        ? Effect.asVoid(isWanted.open)
        : Effect.void
    }
    const { project } = event
    const before = watched.get(project)?.watch ?? beginWatch
    watched.delete(project)
    // The verdict tells a login that is missing.
    if (event.agent?.blocked?.why === "login") return Effect.void
    const [, told] = tellBlocked(before, project, event.agent?.blocked)
    return Effect.forEach(told, events.publish, { discard: true })
  }

  const watch = Effect.gen(function* () {
    const isWanted = yield* latchOf(live.onAgent)
    const changes = events.follow(["WorkerStarted", "WorkerEnded"], (event) => onEvent(isWanted, event))
    yield* Effect.all([pollLoop(isWanted, check), changes], { concurrency: "unbounded" })
  })
  yield* concerns.run("agent watch", Effect.scoped(watch))
})

/**
 * Tells once in each run that its agent needs a person, waits, has finished but stays, or makes no progress. The reader of
 * its output wakes it up, so an agent that prints nothing costs nothing.
 */
export const layer: Layer.Layer<never, never, Supervisor | LiveWorkers | DaemonEvents | Concerns> =
  Layer.scopedDiscard(make)
