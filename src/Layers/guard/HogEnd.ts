import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type GuardDecision, hogGraceMs, type Signalled } from "../../Domain/guard/GuardDecision.ts"
import { hogSignalled, survivedBecause } from "../../Domain/guard/GuardReport.ts"
import type { HogChoice, Victim } from "../../Domain/guard/HogChoice.ts"
import { figuresOf } from "../../Domain/memory/MemoryLook.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { ProcessSignal } from "../machine/ProcessSignal.ts"
import { MemoryMonitor } from "../memory/MemoryMonitor.ts"

/** Ends a process that memory is to be had from, and remembers whom it has asked. */
export class HogEnd extends Context.Tag("HogEnd")<
  HogEnd,
  {
    /**
     * Reads the memory once more, signals if it is still short and the process still the one that is meant, and waits
     * a bounded time for its end. `asked`: TERM was not enough so far. `called-off`: nothing was signalled.
     */
    readonly end: (
      decision: Extract<GuardDecision, { readonly _tag: "EndHog" }>,
      choice: HogChoice
    ) => Effect.Effect<"gone" | "asked" | "survived" | "called-off">
    /** Those who were signalled and are still there, by pid. */
    readonly signalled: Effect.Effect<ReadonlyMap<number, Signalled>>
  }
>() {}

/** KILL is immediate but for a process that hangs in the kernel. */
const killLimitMs = 5000

const firstPauseMs = 5

const longestPauseMs = 50

const make = Effect.gen(function* () {
  const monitor = yield* MemoryMonitor
  const events = yield* DaemonEvents
  const signals = yield* ProcessSignal
  const signalled = new Map<number, Signalled>()

  /** Waits for its end: how long that took, or undefined when it took too long. */
  const awaitGone = Effect.fnUntraced(function* (victim: Victim, limitMs: Effect.Effect<number>) {
    const sentNanos = yield* Clock.currentTimeNanos
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(pauseMs * 1.5, longestPauseMs)) {
      const elapsedMs = Number((yield* Clock.currentTimeNanos) - sentNanos) / 1e6
      if (!(yield* signals.isThere(victim))) return elapsedMs
      if (elapsedMs >= (yield* limitMs)) return undefined
      yield* Effect.sleep(Duration.millis(pauseMs))
    }
  })

  /** Less time when memory becomes critical meanwhile. */
  const graceMs = Effect.map(monitor.last, (look) => (look === undefined ? killLimitMs : hogGraceMs(look)))

  const survived = Effect.fnUntraced(function* (
    { name, pid, startTicks }: Victim,
    how: "refused" | "survived"
  ) {
    signalled.set(pid, { startTicks, stage: "survived" })
    yield* events.publish({ _tag: "HogSurvived", pid, name, reason: survivedBecause(how) })
    return "survived" as const
  })

  return HogEnd.of({
    signalled: Effect.gen(function* () {
      for (const [pid, { startTicks }] of signalled) {
        if (!(yield* signals.isThere({ pid, startTicks }))) signalled.delete(pid)
      }
      return signalled
    }),
    end: Effect.fnUntraced(function* ({ signal, victim }, choice) {
      const { name, pid, startTicks } = victim
      const look = yield* monitor.now
      if (look === undefined || look.level === "plentiful") return "called-off"
      // One that is stopped acts on TERM only once it goes on.
      const sent = yield* signal === "SIGTERM"
        ? signals.send(victim, "SIGTERM", "SIGCONT")
        : signals.send(victim, "SIGKILL")
      if (sent === "gone") return "called-off"
      if (sent === "refused") return yield* survived(victim, "refused")
      signalled.set(pid, { startTicks, stage: "asked" })
      yield* events.publish(hogSignalled(victim, signal, choice, look, false))
      const afterMs = yield* awaitGone(victim, signal === "SIGTERM" ? graceMs : Effect.succeed(killLimitMs))
      if (afterMs === undefined) return signal === "SIGTERM" ? "asked" : yield* survived(victim, "survived")
      signalled.delete(pid)
      const after = yield* monitor.now
      const figures = after === undefined ? {} : { figures: figuresOf(after) }
      yield* events.publish({ _tag: "HogGone", pid, name, afterMs, ...figures })
      return "gone"
    })
  })
})

export const layer: Layer.Layer<HogEnd, never, MemoryMonitor | DaemonEvents | ProcessSignal> = Layer.effect(
  HogEnd,
  make
)
