import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import {
  inARow,
  longestHoldMs,
  mayStart,
  shortestHoldMs,
  whyRestarted
} from "../../Domain/guard/MemoryHold.ts"
import { figuresOf, type MemorySample } from "../../Domain/memory/MemorySample.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import type { WorkerHolding } from "../../Domain/tree/ProcessOrigin.ts"
import { heldForMemory } from "../../Domain/worker/WorkerState.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { MemoryMonitor } from "../memory/MemoryMonitor.ts"
import { Supervisor } from "../worker/Supervisor.ts"

/** The last restart of a project for memory. */
interface Past {
  /** Consecutive restarts of workers that had hardly run. */
  readonly inARow: number
  readonly atNanos: bigint
  readonly shortestMs: number
}

const checkInterval = Duration.seconds(1)

const millisBetween = (fromNanos: bigint, toNanos: bigint): number => Number(toNanos - fromNanos) / 1e6

/** Restarts workers for memory, and holds their starts until there is enough of it. */
export const make = Effect.gen(function* () {
  const supervisor = yield* Supervisor
  const { last } = yield* MemoryMonitor
  const events = yield* DaemonEvents
  const concerns = yield* Concerns
  const isHolding = yield* Effect.makeLatch(false)
  const past = new Map<ProjectName, Past>()

  /** The time that the project has waited. A hold of an earlier daemon is known by its time of day only. */
  const waitedMs = Effect.fnUntraced(function* (untilMs: number, known: Past | undefined) {
    return known === undefined
      ? (yield* Clock.currentTimeMillis) - (untilMs - longestHoldMs)
      : millisBetween(known.atNanos, yield* Clock.currentTimeNanos)
  })

  /** Starts the workers that have waited long enough; returns whether others still wait. */
  const release = Effect.gen(function* () {
    const sample = yield* last
    let isWaiting = false
    for (const { plan, state } of yield* supervisor.snapshots) {
      const held = heldForMemory(state)
      if (held === undefined) continue
      const { project } = plan
      const known = past.get(project)
      const waited = yield* waitedMs(held.untilMs, known)
      if (state.phase._tag !== "Waiting" || !mayStart(waited, known?.shortestMs ?? 0, sample)) {
        isWaiting = true
        continue
      }
      const figures = sample === undefined ? {} : { figures: figuresOf(sample) }
      yield* events.publish({ _tag: "HoldEnded", project, heldForMs: Math.max(0, waited), ...figures })
      yield* Effect.flatMap(supervisor.project(project), (actor) => actor.release(held.because)).pipe(
        // The project was removed meanwhile.
        Effect.catchTag("UnknownProject", () => Effect.void)
      )
    }
    return isWaiting
  })

  const releases = Effect.gen(function* () {
    yield* isHolding.open
    for (;;) {
      yield* isHolding.await
      // Closed before the check, so that a wait that begins during it causes another one.
      yield* isHolding.close
      if (!(yield* release)) continue
      yield* Effect.sleep(checkInterval)
      yield* isHolding.open
    }
  })

  /** A first start and a start by the user are never held; the warning explains later why it went wrong. */
  const warnings = events.follow(["WorkerStarted", "Waiting", "StateKept"], (event) => {
    // `StateKept` may be a hold of an earlier daemon.
    if (event._tag !== "WorkerStarted") return isHolding.open
    const { project } = event
    return Effect.flatMap(last, (sample) =>
      sample === undefined || sample.level === "plentiful"
        ? Effect.void
        : events.publish({ _tag: "StartedShort", project, figures: figuresOf(sample) })
    )
  })

  yield* concerns.run("memory holds", Effect.all([releases, warnings], { concurrency: "unbounded" }))

  return {
    /** Cuts the grace period of the worker that is stopping. */
    hasten: (project: ProjectName): Effect.Effect<void> =>
      Effect.flatMap(supervisor.project(project), ({ hurry }) => hurry).pipe(
        Effect.catchTag("UnknownProject", () => Effect.void)
      ),
    /** Stops the project's worker, if one runs, and starts it again when there is enough memory. */
    restart: Effect.fnUntraced(
      function* (holding: WorkerHolding, sample: MemorySample) {
        const { project } = holding
        const actor = yield* supervisor.project(project)
        const { plan, worker } = yield* actor.snapshot
        if (worker === undefined) return
        const atNanos = yield* Clock.currentTimeNanos
        const uptimeMs = millisBetween(worker.startedNanos, atNanos)
        const row = inARow(past.get(project)?.inARow ?? 0, uptimeMs, plan.restart)
        past.set(project, { inARow: row, atNanos, shortestMs: shortestHoldMs(row, plan.restart) })
        const untilMs = (yield* Clock.currentTimeMillis) + longestHoldMs
        yield* actor.restartFor(
          whyRestarted(sample, holding),
          { _tag: "hold", untilMs, awaits: "memory" },
          { _tag: "Memory", figures: figuresOf(sample) }
        )
      },
      // The project was removed meanwhile.
      Effect.catchTag("UnknownProject", () => Effect.void)
    )
  }
})
