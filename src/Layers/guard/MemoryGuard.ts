import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import {
  decide,
  type GuardDecision,
  type Shortage,
  type WorkerAtStake
} from "../../Domain/guard/GuardDecision.ts"
import type { GuardEvent } from "../../Domain/guard/GuardEvent.ts"
import { hogSignalled, nobodyToEnd, restartedForMemory } from "../../Domain/guard/GuardReport.ts"
import {
  type GuardTelling,
  isNews,
  isSummaryDue,
  onPlentiful,
  onShort,
  onTold
} from "../../Domain/guard/GuardTelling.ts"
import type { HogChoice } from "../../Domain/guard/HogChoice.ts"
import { isWorse } from "../../Domain/memory/MemoryLevel.ts"
import { figuresOf, type MemoryLook } from "../../Domain/memory/MemoryLook.ts"
import type { EffectiveSettings } from "../../Domain/settings/EffectiveSettings.ts"
import * as LivenessProbe from "../concurrency/LivenessProbe.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { MemoryMonitor } from "../memory/MemoryMonitor.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import type { ProjectSnapshot } from "../worker/ProjectActor.ts"
import { Supervisor } from "../worker/Supervisor.ts"
import { HogEnd } from "./HogEnd.ts"
import { HogSearch } from "./HogSearch.ts"
import { MemoryRestart } from "./MemoryRestart.ts"

/** Acts when memory is short: ends those whom it could be had from, one at a time, and at worst restarts a worker. */
export class MemoryGuard extends Context.Tag("MemoryGuard")<
  MemoryGuard,
  {
    /** Returns when the guard has come by: it is not hung, however long it has somebody to end. */
    readonly turn: Effect.Effect<void>
  }
>() {}

/** Looking at all processes costs milliseconds: this often while it does not help. */
const fruitlessMs = 1000

/** And this often while something that was done takes its time. */
const awaitMs = 200

const monotonicMs = Effect.map(Clock.currentTimeNanos, (nanos) => Number(nanos) / 1e6)

const make = Effect.gen(function* () {
  const monitor = yield* MemoryMonitor
  const events = yield* DaemonEvents
  const concerns = yield* Concerns
  const { current } = yield* SettingsInForce
  const { search } = yield* HogSearch
  const hogs = yield* HogEnd
  const restarts = yield* MemoryRestart
  const supervisor = yield* Supervisor
  const isWanted = yield* Effect.makeLatch(false)
  const liveness = LivenessProbe.make(isWanted.open)
  let hasNews = false

  let shortage: Shortage | undefined
  let telling: GuardTelling | undefined
  let rest: { readonly untilMs: number; readonly level: MemoryLook["level"] } | undefined

  /** Takes in a look: undefined when there is nothing to do. What cannot be read is no reason to end anybody. */
  const takeIn = Effect.fnUntraced(function* (look: MemoryLook | undefined) {
    if (look === undefined) return undefined
    const nowMs = yield* monotonicMs
    if (look.level === "plentiful") {
      shortage = undefined
      rest = undefined
      telling = onPlentiful(telling, nowMs)
      return undefined
    }
    shortage ??= { sinceMs: nowMs, restarted: undefined }
    telling = onShort(telling, nowMs)
    const isResting = rest !== undefined && nowMs < rest.untilMs && !isWorse(look.level, rest.level)
    return isResting ? undefined : { look, shortage }
  })

  /** Tells of a decision that is taken again and again once, and every minute that nothing has changed. */
  const tell = Effect.fnUntraced(function* (
    decision: string,
    because: string,
    event: GuardEvent,
    look: MemoryLook
  ) {
    const nowMs = yield* monotonicMs
    if (telling === undefined) return
    if (isNews(telling, decision)) {
      telling = onTold(telling, decision, nowMs)
      yield* events.publish(event)
    } else if (isSummaryDue(telling, nowMs)) {
      const { ended, sinceMs } = telling
      telling = onTold(telling, decision, nowMs)
      const figures = figuresOf(look)
      yield* events.publish({
        _tag: "ShortOfMemory",
        forMs: nowMs - sinceMs,
        ended,
        figures,
        decision: because
      })
    }
  })

  /** Nothing was done, or it takes a moment to have an effect. What becomes worse ends the rest. */
  const restNow = Effect.fnUntraced(function* ({ level }: MemoryLook, forMs = fruitlessMs) {
    rest = { untilMs: (yield* monotonicMs) + forMs, level }
    return false
  })

  /** Returns whether to look again at once. */
  const carryOut = Effect.fnUntraced(function* (
    decision: GuardDecision,
    choice: HogChoice,
    look: MemoryLook
  ) {
    const { dryRun } = (yield* SubscriptionRef.get(current)).memory
    switch (decision._tag) {
      case "EndHog": {
        const { signal, victim } = decision
        if (dryRun) {
          const event = hogSignalled(victim, signal, choice, look, true)
          yield* tell(`end ${victim.pid}`, "dry_run is set", event, look)
          return yield* restNow(look)
        }
        const outcome = yield* hogs.end(decision, choice)
        if (outcome === "called-off") return yield* restNow(look)
        const nowMs = yield* monotonicMs
        if (telling !== undefined) {
          telling = {
            ...onTold(telling, undefined, nowMs),
            ended: telling.ended + (outcome === "gone" ? 1 : 0)
          }
        }
        return true
      }
      case "RestartWorker": {
        const { holding } = decision
        // Looking at all processes has taken a moment, in which others may have ended.
        if ((yield* monitor.now)?.level !== "critical") return true
        const event = restartedForMemory(holding, choice, look, dryRun)
        yield* tell(
          `restart ${holding.project}`,
          dryRun ? "dry_run is set" : "a worker is restarted",
          event,
          look
        )
        if (!dryRun && shortage !== undefined) {
          shortage = { ...shortage, restarted: { project: holding.project, atMs: yield* monotonicMs } }
          yield* restarts.restart(holding, look)
        }
        return yield* restNow(look, dryRun ? fruitlessMs : awaitMs)
      }
      case "Hasten": {
        const { project } = decision
        if ((yield* monitor.now)?.level !== "critical") return true
        const event = { _tag: "HastenedForMemory", project, figures: figuresOf(look) } as const
        yield* tell(`hasten ${project}`, "the worker is being killed", event, look)
        yield* restarts.hasten(project)
        return yield* restNow(look)
      }
      case "Await":
        return yield* restNow(look, awaitMs)
      case "Nobody": {
        const { because, why } = decision
        yield* tell(`${why} ${look.level}`, because, nobodyToEnd(because, choice, look), look)
        return yield* restNow(look)
      }
    }
  })

  const act = Effect.fnUntraced(
    function* (look: MemoryLook, now: Shortage) {
      const choice = yield* search(look)
      const workers = workersAtStake(yield* supervisor.snapshots, yield* SubscriptionRef.get(current))
      const signalled = yield* hogs.signalled
      return yield* carryOut(decide({ look, choice, workers, shortage: now, signalled }), choice, look)
    },
    (acting, look) =>
      Effect.catchTag(acting, "ProcUnreadable", ({ message }) =>
        Effect.zipRight(
          tell("unreadable", message, nobodyToEnd(message, undefined, look), look),
          restNow(look)
        )
      )
  )

  /** A look that was waiting while the last hog ended may say what is true no more: so it is only the reason to look. */
  const respond = Effect.gen(function* () {
    for (;;) {
      yield* liveness.answer
      const short = yield* takeIn(yield* monitor.now)
      if (short === undefined || !(yield* act(short.look, short.shortage))) return
    }
  })

  // Since when memory is short counts: nobody who is started later is restarted for it without being the cause.
  yield* takeIn(yield* monitor.last)
  const hear = Stream.runForEach(monitor.shortage, () => {
    hasNews = true
    return isWanted.open
  })
  const guard = Effect.gen(function* () {
    // Also for who has asked for a turn while the guard was being started again.
    yield* isWanted.open
    for (;;) {
      yield* isWanted.await
      yield* isWanted.close
      yield* liveness.answer
      if (!hasNews) continue
      hasNews = false
      yield* respond
    }
  })
  yield* concerns.run("memory guard", Effect.all([hear, guard], { concurrency: "unbounded", discard: true }))
  return MemoryGuard.of({ turn: liveness.probe })
})

/** A concern of its own. */
export const layer: Layer.Layer<
  MemoryGuard,
  never,
  MemoryMonitor | DaemonEvents | Concerns | SettingsInForce | HogSearch | HogEnd | MemoryRestart | Supervisor
> = Layer.scoped(MemoryGuard, make)
/** What matters of each project's worker when one may have to be restarted for memory. */

export const workersAtStake = (
  snapshots: ReadonlyArray<ProjectSnapshot>,
  { projects }: EffectiveSettings
): ReadonlyArray<WorkerAtStake> =>
  snapshots.map(({ plan: { project }, state: { phase }, worker }) => ({
    project,
    criticalRestart:
      projects.find((one) => one.project === project)?.settings.memory.criticalRestart ?? "if-cause",
    startedMs:
      phase._tag === "Running" && worker !== undefined ? Number(worker.startedNanos) / 1e6 : undefined,
    isEnding: phase._tag === "Stopping"
  }))
