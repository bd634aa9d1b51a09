import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { DaemonEvent } from "../../Domain/history/DaemonEvent.ts"
import { terminationText } from "../../Domain/status/TerminationText.ts"
import { hasFailed } from "../../Domain/worker/Outcome.ts"
import { type Listen, latchOf } from "../concurrency/Listeners.ts"
import { makeMutex } from "../concurrency/Mutex.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { Supervisor } from "../worker/Supervisor.ts"
import { type TerminationLogFile, writerOf } from "./TerminationLogFile.ts"

/** Whether a worker has failed in some way: the state of its project has changed before the event is published. */
const isFailure = (event: DaemonEvent): boolean =>
  event._tag === "WorkerEnded"
    ? event.verdict.kind !== "done" && event.verdict.kind !== "killed-by-us"
    : event._tag === "WorkerNotStarted" || event._tag === "GaveUp" || event._tag === "PersonNeeded"

const firstLook = "1 second"

/**
 * Keeps the termination log: what all workers have come to, at each failure and at the end of the daemon. Call it before the workers start. A file that
 * cannot be written is a warning in the log, once until it can be.
 */
export const make = Effect.fnUntraced(function* (file: TerminationLogFile | undefined) {
  if (file === undefined) return { ending: Effect.succeed((_by: string, _code: number) => Effect.void) }
  const { listen } = yield* DaemonEvents
  const { run } = yield* Concerns
  const { snapshots } = yield* Supervisor
  const writeText = writerOf(file)
  const inTurn = makeMutex()
  let isWarned = false
  let isEnding = false
  const write = (text: string) =>
    Effect.matchEffect(writeText(text), {
      onFailure: (sentence) =>
        Effect.suspend(() => {
          const warning = isWarned
            ? Effect.void
            : Effect.logWarning(`${sentence}. The daemon goes on without it`)
          isWarned = true
          return warning
        }),
      onSuccess: () => Effect.sync(() => void (isWarned = false))
    })
  const tellFailure = Effect.gen(function* () {
    const at = new Date(yield* Clock.currentTimeMillis).toISOString()
    // The shutdown has texts of its own, and stops all workers.
    if (!isEnding) yield* write(terminationText(yield* snapshots, `At ${at}, after a failure:`))
  }).pipe(inTurn)
  const failures: Listen<[]> = (heard) => listen((event) => void (isFailure(event) && heard()))
  const follow = Effect.gen(function* () {
    const failed = yield* latchOf(failures)
    const tellLate = Effect.flatMap(snapshots, (workers) =>
      workers.some(hasFailed) ? failed.open : Effect.void
    )
    // A worker may fail before its events are heard.
    yield* Effect.forkScoped(Effect.delay(tellLate, firstLook))
    for (;;) {
      yield* failed.await
      // Failures that come while the file is written are in the next text, all in one.
      yield* failed.close
      yield* tellFailure
    }
  }).pipe(Effect.scoped)
  // The text of an earlier daemon must not pass for that of this one.
  yield* write("")
  yield* run("termination log", follow)
  return {
    /** Reads what the workers have come to before the shutdown stops them; returns the writer of the last text. */
    ending: Effect.gen(function* () {
      isEnding = true
      const workers = yield* snapshots
      return (by: string, code: number) =>
        inTurn(write(terminationText(workers, `autopilotd has ended with exit code ${code}: ${by}.`)))
    })
  }
})
