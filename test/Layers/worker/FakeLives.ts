import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { WorkerExit } from "../../../src/Domain/tree/WorkerExit.ts"
import type { OomKill } from "../../../src/Domain/verdict/OomKill.ts"
import { CannotStart } from "../../../src/Layers/tree/Executable.ts"
import { WorkerLife } from "../../../src/Layers/worker/WorkerLife.ts"
import { nothingSaid } from "../../fixtures/LifeSeen.ts"

/** One pretended worker. */
export interface FakeLife {
  readonly id: string
  readonly pid: number
  /** The leader ends by itself. */
  readonly exit: (exit: WorkerExit, uptimeMs?: number, oomKill?: OomKill) => Effect.Effect<void>
}

/** Workers without processes: the test decides when they end and how long their trees take to be gone. */
export class FakeLives extends Context.Tag("FakeLives")<
  FakeLives,
  {
    /** All that were started, in order. */
    readonly started: ReadonlyArray<FakeLife>
    /** How many live now; more than one of a project is what must never be. */
    readonly alive: () => number
    readonly mostAlive: () => number
    /** How often leftovers were ended without a start. */
    readonly sweeps: () => number
    /** From now on starting fails with this reason; undefined: it works. */
    readonly refuse: (reason: string | undefined) => void
    /** From now on a tree takes this to be gone, unless it is hastened. */
    readonly endsAfter: (durationMs: number) => void
    /** The next start meets a defect of ours. */
    readonly breakNext: () => void
  }
>() {}

export const layer: Layer.Layer<FakeLives | WorkerLife> = Layer.effectContext(
  Effect.sync(() => {
    const started: Array<FakeLife> = []
    let alive = 0
    let mostAlive = 0
    let refusal: string | undefined
    let endMs = 0
    let isBroken = false
    let ids = 0
    let sweeps = 0

    const lives = WorkerLife.of({
      newId: (project) => Effect.sync(() => `home:${project}:${++ids}`),
      endLeftovers: () => Effect.sync(() => void sweeps++),
      live: (_plan, id, _log, patience, tell) =>
        Effect.gen(function* () {
          if (isBroken) {
            isBroken = false
            return yield* Effect.dieMessage("a bug in the supervision of a life")
          }
          if (refusal !== undefined) return yield* new CannotStart({ reason: refusal })
          const exited = yield* Deferred.make<readonly [WorkerExit, number, OomKill | undefined]>()
          const pid = 1000 + started.length
          yield* Effect.acquireRelease(
            Effect.sync(() => {
              alive++
              mostAlive = Math.max(mostAlive, alive)
              started.push({
                id,
                pid,
                exit: (exit, uptimeMs = 10, oomKill = undefined) =>
                  Effect.asVoid(Deferred.succeed(exited, [exit, uptimeMs, oomKill]))
              })
            }),
            () =>
              Effect.raceFirst(
                Effect.interruptible(Effect.sleep(endMs)),
                Effect.interruptible(patience.hasten)
              ).pipe(
                Effect.when(() => endMs > 0),
                Effect.zipRight(tell.onSeen(nothingSaid)),
                Effect.zipRight(Effect.sync(() => void alive--))
              )
          )
          yield* tell.onSpawned(pid)
          const [exit, uptimeMs, oomKill] = yield* Deferred.await(exited)
          yield* tell.onExited(exit, uptimeMs, oomKill)
        }).pipe(Effect.scoped, Effect.interruptible)
    })

    return Context.make(WorkerLife, lives).pipe(
      Context.add(FakeLives, {
        started,
        alive: () => alive,
        mostAlive: () => mostAlive,
        sweeps: () => sweeps,
        refuse: (reason) => void (refusal = reason),
        endsAfter: (durationMs) => void (endMs = durationMs),
        breakNext: () => void (isBroken = true)
      })
    )
  })
)
