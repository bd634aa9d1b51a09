import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type AgentSeen, noAgent } from "../../../src/Domain/agent/AgentSeen.ts"
import type { WorkerExit } from "../../../src/Domain/tree/WorkerExit.ts"
import type { OomKill } from "../../../src/Domain/verdict/OomKill.ts"
import { CannotStart } from "../../../src/Layers/tree/Executable.ts"
import { WorkerRun } from "../../../src/Layers/worker/WorkerRun.ts"
import { noEvidence } from "../../fixtures/RunEvidence.ts"

/** A run without a process. */
export interface FakeRun {
  readonly id: string
  readonly pid: number
  /** Makes the leader exit by itself. */
  readonly exit: (exit: WorkerExit, uptimeMs?: number, oomKill?: OomKill) => Effect.Effect<void>
  /** The agent has reported this while it runs. */
  readonly reports: (agent: AgentSeen) => Effect.Effect<void>
}

/** Runs without processes: the test decides when leaders exit and how long a stop takes. */
export class FakeRuns extends Context.Tag("FakeRuns")<
  FakeRuns,
  {
    /** All runs, in order. */
    readonly started: ReadonlyArray<FakeRun>
    /** The number of current runs; two of one project must never happen. */
    readonly alive: () => number
    readonly mostAlive: () => number
    /** The number of kills of leftovers without a start. */
    readonly sweeps: () => number
    /** Makes later starts fail with this reason; undefined: succeed. */
    readonly refuse: (reason: string | undefined) => void
    /** Makes later stops take this long, unless hastened. */
    readonly endsAfter: (durationMs: number) => void
    /** Runs when a later start begins. */
    readonly onStart: (act: () => void) => void
    /** What the agent of a run that ends has told. */
    readonly tells: (agent: AgentSeen) => void
    /** Makes the next start die with a defect. */
    readonly breakNext: () => void
  }
>() {}

export const layer: Layer.Layer<FakeRuns | WorkerRun> = Layer.effectContext(
  Effect.sync(() => {
    const started: Array<FakeRun> = []
    let alive = 0
    let mostAlive = 0
    let refusal: string | undefined
    let endMs = 0
    let isBroken = false
    let ids = 0
    let atStart = () => {}
    let sweeps = 0
    let agent = noAgent

    const runs = WorkerRun.of({
      newId: (project) => Effect.sync(() => `home:${project}:${++ids}`),
      origin: { bootId: "boot", homeId: "home" },
      remember: () => Effect.void,
      endLeftovers: () => Effect.sync(() => void sweeps++),
      run: (_plan, id, _log, patience, report) =>
        Effect.gen(function* () {
          if (isBroken) {
            isBroken = false
            return yield* Effect.dieMessage("a bug in the supervision of a run")
          }
          if (refusal !== undefined) return yield* new CannotStart({ reason: refusal })
          atStart()
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
                  Effect.asVoid(Deferred.succeed(exited, [exit, uptimeMs, oomKill])),
                reports: report.onAgent
              })
            }),
            () =>
              Effect.raceFirst(
                Effect.interruptible(Effect.sleep(endMs)),
                Effect.interruptible(patience.hasten)
              ).pipe(
                Effect.when(() => endMs > 0),
                Effect.zipRight(report.onGone),
                Effect.zipRight(
                  Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
                    report.onEvidence({ ...noEvidence, agent, nowMs })
                  )
                ),
                Effect.zipRight(Effect.sync(() => void alive--))
              )
          )
          yield* report.onSpawned({ pid, startTicks: 1 })
          const [exit, uptimeMs, oomKill] = yield* Deferred.await(exited)
          yield* report.onExited(exit, uptimeMs, oomKill)
        }).pipe(Effect.scoped, Effect.interruptible)
    })

    return Context.make(WorkerRun, runs).pipe(
      Context.add(FakeRuns, {
        started,
        alive: () => alive,
        mostAlive: () => mostAlive,
        sweeps: () => sweeps,
        refuse: (reason) => void (refusal = reason),
        endsAfter: (durationMs) => void (endMs = durationMs),
        onStart: (act) => void (atStart = act),
        tells: (seen) => void (agent = seen),
        breakNext: () => void (isBroken = true)
      })
    )
  })
)
