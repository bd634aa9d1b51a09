import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type RestartPolicy, schedule } from "../../Domain/worker/RestartPolicy.ts"
import type { WorkerEvent } from "../../Domain/worker/WorkerEvent.ts"
import { PlainTimer } from "../concurrency/PlainTimer.ts"

/** The timer of a project. Each call replaces the previous wait. */
interface WorkerTimer {
  /** Reports the event after a delay on the monotonic clock. */
  readonly after: (delayMs: number, event: WorkerEvent) => Effect.Effect<void>
  /** Reports the event at a time of day, in milliseconds since 1970. */
  readonly until: (untilMs: number, event: WorkerEvent) => Effect.Effect<void>
  /** Reports the length of the backoff at once, and `Due` when it is over. */
  readonly backoff: (policy: RestartPolicy, failuresBefore: number, epoch: number) => Effect.Effect<void>
  /** Replaces the rest of a backoff by this delay. */
  readonly backoffFor: (delayMs: number, epoch: number) => Effect.Effect<void>
  /** Reports `Due` after a cool-down. */
  readonly coolDown: (forMs: number, epoch: number) => Effect.Effect<void>
  readonly cancel: Effect.Effect<void>
  /** The rest of the backoff or cool-down on the monotonic clock; undefined without one. */
  readonly leftMs: (nowNanos: bigint) => number | undefined
}

/** Re-reads the wall clock: the machine may have slept. */
const recheckMs = 30_000

/** Node takes a longer delay for one of a millisecond. */
const longestMs = 2 ** 31 - 1

/** Reports in plain code. Ends with the scope. */
export const make = (report: (event: WorkerEvent) => void): Effect.Effect<WorkerTimer, never, Scope.Scope> =>
  Effect.gen(function* () {
    const timer = yield* PlainTimer
    const clock = yield* Effect.clock
    let stop = (): void => undefined
    let endNanos: bigint | undefined
    const clear = (): void => {
      stop()
      endNanos = undefined
    }
    const cancel = Effect.sync(clear)
    yield* Effect.addFinalizer(() => cancel)
    const wait = (delayMs: number, event: WorkerEvent): void => {
      stop = timer.after(Math.min(delayMs, longestMs), () =>
        delayMs > longestMs ? wait(delayMs - longestMs, event) : report(event)
      )
    }
    const waitUntil = (untilMs: number, event: WorkerEvent): void => {
      const leftMs = untilMs - clock.unsafeCurrentTimeMillis()
      if (leftMs <= 0) report(event)
      else stop = timer.after(Math.min(leftMs, recheckMs), () => waitUntil(untilMs, event))
    }
    const arm = (begin: () => void) =>
      Effect.sync(() => {
        clear()
        begin()
      })
    const countDown = (delayMs: number, epoch: number): void => {
      endNanos = clock.unsafeCurrentTimeNanos() + Duration.unsafeToNanos(Duration.millis(delayMs))
      wait(delayMs, { _tag: "Due", epoch })
    }
    const backoffFor = (delayMs: number, epoch: number) =>
      arm(() => {
        // Before the wait, so a status during the backoff shows its end.
        report({ _tag: "BackingOff", epoch, delayMs, dueMs: clock.unsafeCurrentTimeMillis() + delayMs })
        countDown(delayMs, epoch)
      })
    return {
      after: (delayMs, event) => arm(() => wait(delayMs, event)),
      until: (untilMs, event) => arm(() => waitUntil(untilMs, event)),
      backoff: (policy, failuresBefore, epoch) =>
        Effect.suspend(() => {
          const delays = schedule(policy, failuresBefore)
          return delays.step(clock.unsafeCurrentTimeMillis(), undefined, delays.initial)
        }).pipe(Effect.flatMap(([, delay]) => backoffFor(Duration.toMillis(delay), epoch))),
      backoffFor,
      coolDown: (forMs, epoch) => arm(() => countDown(forMs, epoch)),
      cancel,
      leftMs: (nowNanos) =>
        endNanos === undefined ? undefined : Math.max(0, Number(endNanos - nowNanos) / 1e6)
    }
  })
