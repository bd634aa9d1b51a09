import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  decide,
  type GuardDecision,
  type RestartCandidate,
  type Shortage
} from "../../Domain/guard/GuardDecision.ts"
import type { GuardEvent } from "../../Domain/guard/GuardEvent.ts"
import { hogSignalled, nothingToKill, restartedForMemory } from "../../Domain/guard/GuardReport.ts"
import type { HogChoice } from "../../Domain/guard/HogChoice.ts"
import {
  isNewDecision,
  isSummaryDue,
  onPlentiful,
  onReported,
  onShort,
  type ShortageReports
} from "../../Domain/guard/ShortageReports.ts"
import { isWorse } from "../../Domain/memory/MemoryLevel.ts"
import { figuresOf, type MemorySample } from "../../Domain/memory/MemorySample.ts"
import type { EffectiveSettings } from "../../Domain/settings/EffectiveSettings.ts"
import * as LivenessProbe from "../concurrency/LivenessProbe.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import type { ProcessSignal } from "../machine/ProcessSignal.ts"
import { MemoryMonitor } from "../memory/MemoryMonitor.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import type { ProjectSnapshot } from "../worker/ProjectActor.ts"
import { Supervisor } from "../worker/Supervisor.ts"
import * as HogKill from "./HogKill.ts"
import { HogSearch } from "./HogSearch.ts"
import * as MemoryRestart from "./MemoryRestart.ts"

/** Acts when memory is short: kills memory hogs, one at a time, and at worst restarts a worker. */
export class MemoryGuard extends Context.Tag("MemoryGuard")<
  MemoryGuard,
  {
    /** Completes when the guard's loop has made progress. */
    readonly turn: Effect.Effect<void>
  }
>() {}

/** A scan costs milliseconds, so this is the pause while there is nothing to kill. */
const fruitlessMs = 1000

/** The pause while an action takes effect. */
const awaitMs = 200

const monotonicMs = Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos) / 1e6)

/** The workers among which the guard chooses one to restart. */
const restartCandidates = (
  snapshots: ReadonlyArray<ProjectSnapshot>,
  { projects }: EffectiveSettings
): ReadonlyArray<RestartCandidate> =>
  snapshots.map(({ plan: { project }, state: { phase }, worker }) => ({
    project,
    criticalRestart:
      projects.find((one) => one.project === project)?.settings.memory.criticalRestart ?? "if-cause",
    startedMs:
      phase._tag === "Running" && worker !== undefined ? Number(worker.startedNanos) / 1e6 : undefined,
    isStopping: phase._tag === "Stopping"
  }))

const make = Effect.gen(function* () {
  const monitor = yield* MemoryMonitor
  const events = yield* DaemonEvents
  const concerns = yield* Concerns
  const { now: inForce } = yield* SettingsInForce
  const { search } = yield* HogSearch
  const hogs = yield* HogKill.make
  const restarts = yield* MemoryRestart.make
  const supervisor = yield* Supervisor
  const isWanted = yield* Effect.makeLatch(false)
  const liveness = LivenessProbe.make(isWanted.open)
  let hasSample = false

  let shortage: Shortage | undefined
  let reports: ShortageReports | undefined
  let rest: { readonly untilMs: number; readonly level: MemorySample["level"] } | undefined

  /** Takes a sample; undefined when there is nothing to do. Unreadable memory info never triggers a kill. */
  const takeIn = Effect.fnUntraced(function* (sample: MemorySample | undefined) {
    if (sample === undefined) return undefined
    const nowMs = yield* monotonicMs
    if (sample.level === "plentiful") {
      shortage = undefined
      rest = undefined
      reports = onPlentiful(reports, nowMs)
      return undefined
    }
    shortage ??= { sinceMs: nowMs, restarted: undefined }
    reports = onShort(reports, nowMs)
    const isResting = rest !== undefined && nowMs < rest.untilMs && !isWorse(sample.level, rest.level)
    return isResting ? undefined : { sample, shortage }
  })

  /** Reports a decision once, however often it is repeated, and then a summary every minute. */
  const report = Effect.fnUntraced(function* (
    decision: string,
    because: string,
    event: GuardEvent,
    sample: MemorySample
  ) {
    const nowMs = yield* monotonicMs
    if (reports === undefined) return
    if (isNewDecision(reports, decision)) {
      reports = onReported(reports, decision, nowMs)
      yield* events.publish(event)
    } else if (isSummaryDue(reports, nowMs)) {
      const { ended, sinceMs } = reports
      reports = onReported(reports, decision, nowMs)
      const figures = figuresOf(sample)
      yield* events.publish({
        _tag: "ShortOfMemory",
        forMs: nowMs - sinceMs,
        ended,
        figures,
        decision: because
      })
    }
  })

  /** Pauses the guard. A worse level ends the pause. */
  const restNow = Effect.fnUntraced(function* ({ level }: MemorySample, forMs = fruitlessMs) {
    rest = { untilMs: (yield* monotonicMs) + forMs, level }
    return false
  })

  /** Returns whether to decide again at once. */
  const carryOut = Effect.fnUntraced(function* (
    decision: GuardDecision,
    choice: HogChoice,
    sample: MemorySample
  ) {
    const { dryRun } = inForce().memory
    switch (decision._tag) {
      case "KillHog": {
        const { signal, victim } = decision
        if (dryRun) {
          const event = hogSignalled(victim, signal, choice, sample, true)
          yield* report(`kill ${victim.pid}`, "dry_run is set", event, sample)
          return yield* restNow(sample)
        }
        const outcome = yield* hogs.kill(decision, choice)
        if (outcome === "called-off") return yield* restNow(sample)
        const nowMs = yield* monotonicMs
        if (reports !== undefined) {
          reports = {
            ...onReported(reports, undefined, nowMs),
            ended: reports.ended + (outcome === "gone" ? 1 : 0)
          }
        }
        return true
      }
      case "RestartWorker": {
        const { holding } = decision
        // Other processes may have exited during the scan.
        if ((yield* monitor.now)?.level !== "critical") return true
        const event = restartedForMemory(holding, choice, sample, dryRun)
        yield* report(
          `restart ${holding.project}`,
          dryRun ? "dry_run is set" : "the daemon restarts a worker",
          event,
          sample
        )
        if (!dryRun && shortage !== undefined) {
          shortage = { ...shortage, restarted: { project: holding.project, atMs: yield* monotonicMs } }
          yield* restarts.restart(holding, sample)
        }
        return yield* restNow(sample, dryRun ? fruitlessMs : awaitMs)
      }
      case "Hasten": {
        const { project } = decision
        if ((yield* monitor.now)?.level !== "critical") return true
        const event = { _tag: "HastenedForMemory", project, figures: figuresOf(sample) } as const
        yield* report(
          `hasten ${project}`,
          "the daemon kills the worker without a grace period",
          event,
          sample
        )
        yield* restarts.hasten(project)
        return yield* restNow(sample)
      }
      case "Await":
        return yield* restNow(sample, awaitMs)
      case "Nothing": {
        const { because, why } = decision
        yield* report(`${why} ${sample.level}`, because, nothingToKill(because, choice, sample), sample)
        return yield* restNow(sample)
      }
    }
  })

  const act = Effect.fnUntraced(
    function* (sample: MemorySample, now: Shortage) {
      const choice = yield* search(sample)
      const workers = restartCandidates(yield* supervisor.snapshots, inForce())
      return yield* carryOut(
        decide({ sample, choice, workers, shortage: now, signalled: hogs.signalled }),
        choice,
        sample
      )
    },
    (acting, sample) =>
      Effect.catchTag(acting, "ProcUnreadable", ({ message }) =>
        Effect.zipRight(
          report("unreadable", message, nothingToKill(message, undefined, sample), sample),
          restNow(sample)
        )
      )
  )

  /** Takes a new sample each time: one that has queued up while a hog exited is outdated. */
  const respond = Effect.gen(function* () {
    for (;;) {
      yield* liveness.answer
      const short = yield* takeIn(yield* monitor.now)
      if (short === undefined || !(yield* act(short.sample, short.shortage))) return
    }
  })

  // A shortage that exists now began before any worker: a worker that starts during it is restarted only as its cause.
  yield* takeIn(yield* monitor.last)
  yield* monitor.shortage(() => {
    hasSample = true
    isWanted.unsafeOpen()
  })
  const guard = Effect.gen(function* () {
    // For probes that arrived while the guard was restarting.
    yield* isWanted.open
    for (;;) {
      yield* isWanted.await
      yield* isWanted.close
      yield* liveness.answer
      if (!hasSample) continue
      hasSample = false
      yield* respond
    }
  })
  yield* concerns.run("memory guard", guard)
  return MemoryGuard.of({ turn: liveness.probe })
})

/** Runs the guard as a concern of its own. */
export const layer: Layer.Layer<
  MemoryGuard,
  never,
  MemoryMonitor | DaemonEvents | Concerns | SettingsInForce | HogSearch | ProcessSignal | Supervisor
> = Layer.scoped(MemoryGuard, make)
