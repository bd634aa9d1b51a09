import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { AgentSeen } from "../../Domain/agent/AgentSeen.ts"
import { type AgentWatch, beginWatch, tellBlocked, watchAgent } from "../../Domain/guard/AgentWatch.ts"
import type { DaemonEvent } from "../../Domain/history/DaemonEvent.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { pollLoop } from "../concurrency/PollLoop.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { LiveWorkers } from "../verdict/LiveWorkers.ts"
import type { ProjectSnapshot } from "../worker/ProjectActor.ts"
import { Supervisor } from "../worker/Supervisor.ts"

/** A person who is needed should hear of it at once, and a look costs no system call. */
const lookMs = 2000

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
  const isWanted = yield* Effect.makeLatch(true)
  const watched = new Map<ProjectName, Watched>()

  const watchOf = (project: ProjectName, pid: number): AgentWatch => {
    const known = watched.get(project)
    return known?.pid === pid ? known.watch : beginWatch
  }

  const look = Effect.fnUntraced(function* (project: ProjectName, pid: number, agent: AgentSeen) {
    const nowMs = yield* Clock.currentTimeMillis
    const [watch, told] = watchAgent(watchOf(project, pid), project, agent, nowMs)
    watched.set(project, { pid, watch })
    yield* Effect.forEach(told, events.publish, { discard: true })
  })

  const lookAt = ({ plan, state: { phase } }: ProjectSnapshot) => {
    const output = phase._tag === "Running" ? live.of(phase.pid)?.output : undefined
    return phase._tag === "Running" && output !== undefined
      ? look(plan.project, phase.pid, output.agent())
      : Effect.void
  }

  const check = Effect.gen(function* () {
    const snapshots = yield* supervisor.snapshots
    yield* Effect.forEach(snapshots, lookAt, { discard: true })
    const isUp = snapshots.some(
      ({ state: { phase } }) => phase._tag === "Running" || phase._tag === "Starting"
    )
    return isUp ? lookMs : undefined
  })

  /** The last word of an agent comes right before its exit, between two looks. */
  const onEvent = (event: DaemonEvent): Effect.Effect<void> => {
    if (event._tag === "WorkerStarted") {
      watched.delete(event.project)
      return Effect.asVoid(isWanted.open)
    }
    // The verdict tells a login that is missing.
    if (event._tag !== "WorkerEnded" || event.agent?.blocked?.why === "login") return Effect.void
    const { project } = event
    const [, told] = tellBlocked(watched.get(project)?.watch ?? beginWatch, project, event.agent?.blocked)
    watched.delete(project)
    return Effect.forEach(told, events.publish, { discard: true })
  }

  yield* concerns.run(
    "agent watch",
    Effect.all([pollLoop(isWanted, check), Stream.runForEach(events.changes, onEvent)], {
      concurrency: "unbounded"
    })
  )
})

/** Tells once in each run that its agent needs a person, waits, has finished but stays, or makes no progress. */
export const layer: Layer.Layer<never, never, Supervisor | LiveWorkers | DaemonEvents | Concerns> =
  Layer.scopedDiscard(make)
