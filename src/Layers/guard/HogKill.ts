import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
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

/** Kills memory hogs, and remembers which were signalled. */
export const make = Effect.gen(function* () {
  const monitor = yield* MemoryMonitor
  const events = yield* DaemonEvents
  const signals = yield* ProcessSignal
  const signalled = new Map<number, Signalled>()

  /** Waits until the process is gone; returns how long that took, or undefined after `limitMs`. */
  const awaitGone = Effect.fnUntraced(function* (victim: Victim, limitMs: Effect.Effect<number>) {
    const sentNanos = yield* Clock.currentTimeNanos
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)) {
      const elapsedMs = Number((yield* Clock.currentTimeNanos) - sentNanos) / 1e6
      if (!(yield* signals.isThere(victim))) return elapsedMs
      if (elapsedMs >= (yield* limitMs)) return undefined
      yield* Effect.sleep(Duration.millis(pauseMs))
    }
  })

  /** Gets shorter when memory becomes critical during the wait. */
  const graceMs = Effect.map(monitor.last, (sample) =>
    sample === undefined ? killLimitMs : hogGraceMs(sample)
  )

  const survived = Effect.fnUntraced(function* (
    { name, pid, startTicks }: Victim,
    how: "refused" | "survived"
  ) {
    signalled.set(pid, { startTicks, stage: "survived" })
    yield* events.publish({ _tag: "HogSurvived", pid, name, reason: survivedBecause(how) })
    return "survived" as const
  })

  return {
    /** The signalled processes that are still alive, by pid. */
    signalled: Effect.gen(function* () {
      for (const [pid, { startTicks }] of signalled) {
        if (!(yield* signals.isThere({ pid, startTicks }))) signalled.delete(pid)
      }
      return signalled
    }),
    /**
     * Reads memory once more, signals the process if memory is still short, and waits a bounded time for its exit.
     * `terminating`: it has not reacted to SIGTERM yet. `called-off`: nothing was signalled.
     */
    kill: Effect.fnUntraced(function* (
      { signal, victim }: Extract<GuardDecision, { readonly _tag: "KillHog" }>,
      choice: HogChoice
    ) {
      const { name, pid, startTicks } = victim
      const sample = yield* monitor.now
      if (sample === undefined || sample.level === "plentiful") return "called-off"
      // A stopped process handles SIGTERM only after SIGCONT.
      const sent = yield* signal === "SIGTERM"
        ? signals.send(victim, "SIGTERM", "SIGCONT")
        : signals.send(victim, "SIGKILL")
      if (sent === "gone") return "called-off"
      if (sent === "refused") return yield* survived(victim, "refused")
      signalled.set(pid, { startTicks, stage: "terminating" })
      yield* events.publish(hogSignalled(victim, signal, choice, sample, false))
      const afterMs = yield* awaitGone(victim, signal === "SIGTERM" ? graceMs : Effect.succeed(killLimitMs))
      if (afterMs === undefined)
        return signal === "SIGTERM" ? "terminating" : yield* survived(victim, "survived")
      signalled.delete(pid)
      const after = yield* monitor.now
      const figures = after === undefined ? {} : { figures: figuresOf(after) }
      yield* events.publish({ _tag: "HogGone", pid, name, afterMs, ...figures })
      return "gone"
    })
  }
})
