import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberMap from "effect/FiberMap"
import * as Schedule from "effect/Schedule"
import { type GuardDecision, hogGraceMs, type Signalled } from "../../Domain/guard/GuardDecision.ts"
import { hogSignalled, survivedBecause } from "../../Domain/guard/GuardReport.ts"
import type { HogChoice, Victim } from "../../Domain/guard/HogChoice.ts"
import { figuresOf } from "../../Domain/memory/MemorySample.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { ProcessSignal } from "../machine/ProcessSignal.ts"
import { MemoryMonitor } from "../memory/MemoryMonitor.ts"

/** SIGKILL takes effect at once, except on a process that hangs in the kernel. */
const killLimitMs = 5000

const firstPauseMs = 5

const longestPauseMs = 50

/** The interval of checks on a process that has outlived its wait. */
const longestLatePauseMs = 1000

/** Kills memory hogs, and remembers which were signalled. */
export const make = Effect.gen(function* () {
  const monitor = yield* MemoryMonitor
  const events = yield* DaemonEvents
  const signals = yield* ProcessSignal
  /** By pid: the waits for the exits that come late. */
  const late = yield* FiberMap.make<number>()
  const signalled = new Map<number, Signalled>()

  /** Waits until the process is gone; returns the time since the signal, or undefined when that exceeds `limitMs`. */
  const awaitGone = Effect.fnUntraced(function* (
    victim: Victim,
    sentNanos: bigint,
    limitMs: Effect.Effect<number>
  ) {
    for (let pauseMs = firstPauseMs; ; pauseMs *= 1.5) {
      const elapsedMs = Number((yield* Clock.currentTimeNanos) - sentNanos) / 1e6
      if (!(yield* signals.isThere(victim))) return elapsedMs
      const limit = yield* limitMs
      if (elapsedMs >= limit) return undefined
      const longestMs = limit === Infinity ? longestLatePauseMs : longestPauseMs
      yield* Effect.sleep(Duration.millis(Math.min(pauseMs, longestMs)))
    }
  })

  const reportGone = Effect.fnUntraced(function* ({ name, pid }: Victim, afterMs: number) {
    if (!signalled.delete(pid)) return
    const after = yield* monitor.now
    const figures = after === undefined ? {} : { figures: figuresOf(after) }
    yield* events.publish({ _tag: "HogGone", pid, name, afterMs, ...figures })
  })

  /** Reports the exit of a process that lives on after the wait for it, however late the exit comes. */
  const awaitLate = (victim: Victim, sentNanos: bigint) =>
    awaitGone(victim, sentNanos, Effect.succeed(Infinity)).pipe(
      Effect.retry(Schedule.spaced(Duration.millis(longestLatePauseMs))),
      Effect.flatMap((afterMs) => (afterMs === undefined ? Effect.void : reportGone(victim, afterMs))),
      FiberMap.run(late, victim.pid)
    )

  /** Gets shorter when memory becomes critical during the wait. */
  const graceMs = Effect.map(monitor.last, (sample) =>
    sample === undefined ? killLimitMs : hogGraceMs(sample)
  )

  const survived = Effect.fnUntraced(function* (
    victim: Victim,
    sentNanos: bigint,
    how: "refused" | "survived"
  ) {
    const { name, pid, startTicks } = victim
    signalled.set(pid, { startTicks, stage: "survived" })
    yield* awaitLate(victim, sentNanos)
    yield* events.publish({ _tag: "HogSurvived", pid, name, reason: survivedBecause(how) })
    return "survived" as const
  })

  return {
    /** The signalled processes that are still alive, by pid. */
    signalled,
    /**
     * Reads memory once more, signals the process if memory is still short, and waits a bounded time for its exit.
     * `terminating`: it has not reacted to SIGTERM yet. `called-off`: nothing was signalled.
     */
    kill: Effect.fnUntraced(function* (
      { signal, victim }: Extract<GuardDecision, { readonly _tag: "KillHog" }>,
      choice: HogChoice
    ) {
      const { pid, startTicks } = victim
      const sample = yield* monitor.now
      if (sample === undefined || sample.level === "plentiful") return "called-off"
      const sentNanos = yield* Clock.currentTimeNanos
      // A stopped process handles SIGTERM only after SIGCONT.
      const sent = yield* signal === "SIGTERM"
        ? signals.send(victim, "SIGTERM", "SIGCONT")
        : signals.send(victim, "SIGKILL")
      if (sent === "gone") return "called-off"
      yield* FiberMap.remove(late, pid)
      if (sent === "refused") return yield* survived(victim, sentNanos, "refused")
      signalled.set(pid, { startTicks, stage: "terminating" })
      yield* events.publish(hogSignalled(victim, signal, choice, sample, false))
      const limitMs = signal === "SIGTERM" ? graceMs : Effect.succeed(killLimitMs)
      const afterMs = yield* awaitGone(victim, sentNanos, limitMs)
      if (afterMs === undefined) {
        if (signal === "SIGKILL") return yield* survived(victim, sentNanos, "survived")
        yield* awaitLate(victim, sentNanos)
        return "terminating"
      }
      yield* reportGone(victim, afterMs)
      return "gone"
    })
  }
})
