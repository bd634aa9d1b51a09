import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import {
  inARow,
  longestHoldMs,
  mayStart,
  shortestHoldMs,
  whyRestarted
} from "../../Domain/guard/MemoryHold.ts"
import { figuresOf, type MemoryLook } from "../../Domain/memory/MemoryLook.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import type { WorkerHolding } from "../../Domain/tree/ProcessOrigin.ts"
import { heldForMemory } from "../../Domain/worker/WorkerState.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { MemoryMonitor } from "../memory/MemoryMonitor.ts"
import { Supervisor } from "../worker/Supervisor.ts"

/** Restarts workers for memory, and holds their starts until there is enough of it. */
export class MemoryRestart extends Context.Tag("MemoryRestart")<
  MemoryRestart,
  {
    /** Ends the project's worker, if one runs; it is started again when there is enough memory. */
    readonly restart: (holding: WorkerHolding, look: MemoryLook) => Effect.Effect<void>
    /** Leaves the worker that is being ended no more time. */
    readonly hasten: (project: ProjectName) => Effect.Effect<void>
  }
>() {}

/** What is remembered of a project's restarts for memory. */
interface Past {
  /** Restarts of workers that had hardly run. */
  readonly inARow: number
  readonly atNanos: bigint
  readonly shortestMs: number
}

const lookInterval = Duration.seconds(1)

const millisBetween = (fromNanos: bigint, toNanos: bigint): number => Number(toNanos - fromNanos) / 1e6

const make = Effect.gen(function* () {
  const supervisor = yield* Supervisor
  const { last } = yield* MemoryMonitor
  const events = yield* DaemonEvents
  const concerns = yield* Concerns
  const isHolding = yield* Effect.makeLatch(false)
  const past = new Map<ProjectName, Past>()

  /** How long it has waited. Of a hold that an earlier daemon began only the time of day is known. */
  const waitedMs = Effect.fnUntraced(function* (untilMs: number, known: Past | undefined) {
    return known === undefined
      ? (yield* Clock.currentTimeMillis) - (untilMs - longestHoldMs)
      : millisBetween(known.atNanos, yield* Clock.currentTimeNanos)
  })

  /** Starts those that have waited enough, and returns whether anybody still waits. */
  const release = Effect.gen(function* () {
    const look = yield* last
    let isWaiting = false
    for (const { plan, state } of yield* supervisor.snapshots) {
      const held = heldForMemory(state)
      if (held === undefined) continue
      const { project } = plan
      const known = past.get(project)
      const waited = yield* waitedMs(held.untilMs, known)
      if (state.phase._tag !== "Waiting" || !mayStart(waited, known?.shortestMs ?? 0, look)) {
        isWaiting = true
        continue
      }
      const figures = look === undefined ? {} : { figures: figuresOf(look) }
      yield* events.publish({ _tag: "HoldEnded", project, heldForMs: Math.max(0, waited), ...figures })
      yield* Effect.flatMap(supervisor.project(project), (actor) => actor.release(held.because)).pipe(
        // It was removed this very moment: there is nothing to start.
        Effect.catchTag("UnknownProject", () => Effect.void)
      )
    }
    return isWaiting
  })

  const releases = Effect.gen(function* () {
    yield* isHolding.open
    for (;;) {
      yield* isHolding.await
      // Before the look: who begins to wait during it is looked at again.
      yield* isHolding.close
      if (!(yield* release)) continue
      yield* Effect.sleep(lookInterval)
      yield* isHolding.open
    }
  })

  /** Nobody's first start, and no person's, is held. Who sleeps must be able to see later why it went wrong. */
  const warnings = events.changes.pipe(
    Stream.runForEach((event) => {
      // A hold that was kept from an earlier daemon is a wait, too.
      if (event._tag === "Waiting" || event._tag === "StateKept") return isHolding.open
      if (event._tag !== "WorkerStarted") return Effect.void
      const { project } = event
      return Effect.flatMap(last, (look) =>
        look === undefined || look.level === "plentiful"
          ? Effect.void
          : events.publish({ _tag: "StartedShort", project, figures: figuresOf(look) })
      )
    })
  )

  yield* concerns.run("memory holds", Effect.all([releases, warnings], { concurrency: "unbounded" }))

  return MemoryRestart.of({
    hasten: (project) =>
      Effect.flatMap(supervisor.project(project), ({ hurry }) => hurry).pipe(
        Effect.catchTag("UnknownProject", () => Effect.void)
      ),
    restart: Effect.fnUntraced(
      function* (holding, look) {
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
          whyRestarted(look, holding),
          { _tag: "hold", untilMs, awaits: "memory" },
          { _tag: "Memory", figures: figuresOf(look) }
        )
        // A project that was removed meanwhile has no worker either.
      },
      Effect.catchTag("UnknownProject", () => Effect.void)
    )
  })
})

export const layer: Layer.Layer<MemoryRestart, never, Supervisor | MemoryMonitor | DaemonEvents | Concerns> =
  Layer.scoped(MemoryRestart, make)
