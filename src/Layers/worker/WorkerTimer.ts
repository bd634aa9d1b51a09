import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import type * as Mailbox from "effect/Mailbox"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { type RestartPolicy, schedule } from "../../Domain/worker/RestartPolicy.ts"
import type { WorkerEvent } from "../../Domain/worker/WorkerEvent.ts"

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
  readonly cancel: Effect.Effect<void>
  /** The rest of the backoff on the monotonic clock; undefined without one. */
  readonly backoffLeftMs: (nowNanos: bigint) => number | undefined
}

/** Re-reads the wall clock: the machine may have slept. */
const recheckInterval = Duration.seconds(30)

const sleepUntil = Effect.fnUntraced(function* (untilMs: number) {
  for (;;) {
    const leftMs = untilMs - (yield* Clock.currentTimeMillis)
    if (leftMs <= 0) return
    yield* Effect.sleep(Duration.min(Duration.millis(leftMs), recheckInterval))
  }
})

/** Reports into the mailbox of a project. Ends with the scope. */
export const make = (
  mailbox: Pick<Mailbox.Mailbox<WorkerEvent>, "offer" | "failCause">
): Effect.Effect<WorkerTimer, never, Scope.Scope> =>
  Effect.map(FiberHandle.make(), (handle) => {
    let backoffEndNanos: bigint | undefined
    const tell = (event: WorkerEvent) => Effect.asVoid(mailbox.offer(event))
    const begin = Effect.fnUntraced(function* (delay: Duration.Duration, epoch: number) {
      const delayMs = Duration.toMillis(delay)
      const dueMs = (yield* Clock.currentTimeMillis) + delayMs
      backoffEndNanos = (yield* Clock.currentTimeNanos) + Duration.unsafeToNanos(delay)
      yield* tell({ _tag: "BackingOff", epoch, delayMs, dueMs })
    })
    // A timer that fails silently would leave the worker waiting for ever, so its defect is the actor's.
    const arm = (wait: Effect.Effect<void, unknown>) => {
      backoffEndNanos = undefined
      return Effect.orDie(wait).pipe(
        Effect.tapDefect((defect) => mailbox.failCause(defect)),
        (watched) => FiberHandle.run(handle, watched),
        Effect.asVoid
      )
    }
    return {
      after: (delayMs, event) => arm(Effect.delay(tell(event), Duration.millis(delayMs))),
      until: (untilMs, event) => arm(Effect.zipRight(sleepUntil(untilMs), tell(event))),
      backoff: (policy, failuresBefore, epoch) =>
        arm(
          Effect.gen(function* () {
            const driver = yield* Schedule.driver(
              schedule(policy, failuresBefore).pipe(
                // Runs before the sleep, so a status during the backoff shows its end.
                Schedule.tapOutput((delay) => begin(delay, epoch))
              )
            )
            yield* driver.next(undefined)
            yield* tell({ _tag: "Due", epoch })
          })
        ),
      backoffFor: (delayMs, epoch) =>
        arm(
          begin(Duration.millis(delayMs), epoch).pipe(
            Effect.zipRight(Effect.sleep(Duration.millis(delayMs))),
            Effect.zipRight(tell({ _tag: "Due", epoch }))
          )
        ),
      cancel: FiberHandle.clear(handle),
      backoffLeftMs: (nowNanos) =>
        backoffEndNanos === undefined ? undefined : Math.max(0, Number(backoffEndNanos - nowNanos) / 1e6)
    }
  })
