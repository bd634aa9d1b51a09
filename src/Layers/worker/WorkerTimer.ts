import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberHandle from "effect/FiberHandle"
import type * as Mailbox from "effect/Mailbox"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { type RestartPolicy, schedule } from "../../Domain/worker/RestartPolicy.ts"
import type { WorkerEvent } from "../../Domain/worker/WorkerEvent.ts"

/** The one thing a project may be waiting for. Each of these takes the place of the one before. */
export interface WorkerTimer {
  /** Reports after a time on the monotonic clock. */
  readonly after: (delayMs: number, event: WorkerEvent) => Effect.Effect<void>
  /** Reports at a time of day, in milliseconds since 1970. */
  readonly until: (untilMs: number, event: WorkerEvent) => Effect.Effect<void>
  /** Reports at once how long the backoff is, and `Due` when it is over. */
  readonly backoff: (policy: RestartPolicy, failuresBefore: number, epoch: number) => Effect.Effect<void>
  /** The same for a wait that is given: a backoff that shall be shorter than it began. */
  readonly backoffFor: (delayMs: number, epoch: number) => Effect.Effect<void>
  readonly cancel: Effect.Effect<void>
  /** How long the backoff still lasts; undefined when there is none. A clock that is set changes nothing of it. */
  readonly backoffLeftMs: Effect.Effect<number | undefined>
}

/** A time of day is looked at again this often: the machine may have slept. */
const lookAgain = Duration.seconds(30)

const sleepUntil = Effect.fnUntraced(function* (untilMs: number) {
  for (;;) {
    const leftMs = untilMs - (yield* Clock.currentTimeMillis)
    if (leftMs <= 0) return
    yield* Effect.sleep(Duration.min(Duration.millis(leftMs), lookAgain))
  }
})

/** A timer that reports into a project's mailbox, and ends with the scope. */
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
    // A timer that dies unseen would leave the worker waiting for ever: its defect is the project's.
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
                // Runs at the step, before the sleep: whoever asks meanwhile is told when it ends.
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
      backoffLeftMs: Effect.map(Clock.currentTimeNanos, (now) =>
        backoffEndNanos === undefined ? undefined : Math.max(0, Number(backoffEndNanos - now) / 1e6)
      )
    }
  })
