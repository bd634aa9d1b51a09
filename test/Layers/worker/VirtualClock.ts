import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

interface Sleeper {
  readonly atMs: number
  readonly wake: () => void
}

/** Everything that can run now has run: what waits for nothing but microtasks is done before the event loop turns. */
const turn = () => new Promise((resume) => setImmediate(resume))

/**
 * A clock that stands still until it is told how much time passes. It does what TestClock does, without that one's
 * pauses of real milliseconds at each sleep that ends: an hour full of short sleeps takes a second.
 */
export const makeVirtualClock = () => {
  const sleepers = new Set<Sleeper>()
  let nowMs = 0
  const nowNanos = () => BigInt(Math.round(nowMs * 1e6))

  const clock: Clock.Clock = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => nowMs,
    currentTimeMillis: Effect.sync(() => nowMs),
    unsafeCurrentTimeNanos: nowNanos,
    currentTimeNanos: Effect.sync(nowNanos),
    sleep: (duration) =>
      Effect.async<void>((resume) => {
        const sleeper = { atMs: nowMs + Duration.toMillis(duration), wake: () => resume(Effect.void) }
        sleepers.add(sleeper)
        return Effect.sync(() => sleepers.delete(sleeper))
      })
  }

  const settle = async () => {
    for (let turns = 0; turns < 3; turns++) await turn()
  }

  /** Lets so many milliseconds pass, and everything happen in them in its order. */
  const pass = (milliseconds: number) =>
    Effect.promise(async () => {
      const untilMs = nowMs + milliseconds
      for (;;) {
        await settle()
        const [next] = [...sleepers].toSorted((a, b) => a.atMs - b.atMs)
        if (next === undefined || next.atMs > untilMs) break
        sleepers.delete(next)
        nowMs = Math.max(nowMs, next.atMs)
        next.wake()
      }
      nowMs = untilMs
    })

  return { clock, pass }
}

export type VirtualClock = ReturnType<typeof makeVirtualClock>
