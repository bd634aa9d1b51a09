import * as fs from "node:fs/promises"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import { PlainTimer } from "../concurrency/EventLoop.ts"
import { inTurn } from "../concurrency/InTurn.ts"

/** A disk that does not answer within this time counts as silent: nothing of the daemon may wait for it for ever. */
export const answerLimit = Duration.seconds(10)

/** A question about a path has no answer: the disk hangs, as a network disk does when its server is gone. */
export class SilentDisk extends Data.TaggedError("SilentDisk")<{
  /** The path that the disk was asked about. A later question of the same asker fails with it, too. */
  readonly path: string
}> {
  override get message() {
    return `the disk of ${this.path} did not answer within ${Duration.format(answerLimit)}. Check that disk, or unmount it`
  }
}

/** An asker has at most one question outstanding. */
interface Asker {
  readonly turn: Effect.Semaphore
  /** The path of the outstanding question, of several the first without an answer. */
  path: (() => string) | undefined
  isOverdue: boolean
}

/** A call that hangs keeps its thread of libuv, which has four unless the launcher says more. A quarter stays free. */
const threads = Number(process.env["UV_THREADPOOL_SIZE"]) || 4
const room = Effect.unsafeMakeSemaphore(Math.max(1, threads - Math.ceil(threads / 4)))

const askers = new Map<string, Asker>()

const askerOf = (name: string): Asker => {
  const known = askers.get(name)
  if (known !== undefined) return known
  const asker: Asker = { turn: Effect.unsafeMakeSemaphore(1), path: undefined, isOverdue: false }
  askers.set(name, asker)
  return asker
}

/** The path of a question that all the others wait for. */
const overduePath = (): string | undefined =>
  [...askers.values()].find(({ isOverdue }) => isOverdue)?.path?.()

/**
 * Asks the disk about a path, with calls that run in libuv's threads. An asker has one question outstanding: while the
 * disk is silent, its further questions fail at once and take no more threads.
 */
export const askDisk = <A, E, R>(
  name: string,
  path: string | (() => string),
  question: Effect.Effect<A, E, R>
): Effect.Effect<A, E | SilentDisk, R> =>
  Effect.gen(function* () {
    const asker = askerOf(name)
    const own = typeof path === "string" ? () => path : path
    if (asker.isOverdue) return yield* new SilentDisk({ path: (asker.path ?? own)() })
    // A call that hangs cannot be taken back: the turn ends with its answer.
    const asked = Effect.acquireUseRelease(
      Effect.sync(() => void (asker.path = own)),
      () => question,
      () =>
        Effect.sync(() => {
          asker.path = undefined
          asker.isOverdue = false
        })
    ).pipe(Effect.uninterruptible, inTurn(room), inTurn(asker.turn))
    const timer = yield* PlainTimer
    const runtime = yield* Effect.runtime<R>()
    return yield* Effect.async<A, E | SilentDisk>((resume) => {
      const cancel = timer.after(Duration.toMillis(answerLimit), () => {
        asker.isOverdue = asker.path !== undefined
        resume(new SilentDisk({ path: asker.path?.() ?? overduePath() ?? own() }))
      })
      // A fiber without a parent: neither an interruption nor the time limit waits for the answer.
      const fiber = Runtime.runFork(runtime, Effect.interruptible(asked))
      fiber.addObserver((exit) => {
        cancel()
        resume(exit)
      })
      return Effect.zipRight(Effect.sync(cancel), Fiber.interruptFork(fiber))
    })
  })

/** The checks that wait for a disk, by path. */
const checks = new Map<string, Deferred.Deferred<void, SilentDisk>>()

/**
 * Fails when the disk of a path does not answer. bind(2) and connect(2) of a Unix socket, which Node calls in the event
 * loop, would hang with that disk. Callers that check a path at the same time share one question.
 */
export const checkDisk = (path: string): Effect.Effect<void, SilentDisk> =>
  Effect.suspend(() => {
    const known = checks.get(path)
    if (known !== undefined) return Deferred.await(known)
    const answer = Deferred.unsafeMake<void, SilentDisk>(FiberId.none)
    checks.set(path, answer)
    const asked = askDisk(
      path,
      path,
      Effect.promise(() =>
        fs.stat(path).then(
          () => undefined,
          () => undefined
        )
      )
    ).pipe(Effect.ensuring(Effect.sync(() => checks.delete(path))))
    return Effect.zipRight(Effect.forkDaemon(Effect.intoDeferred(asked, answer)), Deferred.await(answer))
  })
