import * as fs from "node:fs/promises"
import type * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import { PlainTimer } from "../concurrency/EventLoop.ts"

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

/** An asker has at most one question outstanding, and then the path that it is about. */
interface Asker {
  path: (() => string) | undefined
  isOverdue: boolean
}

interface Question {
  readonly asker: Asker
  readonly path: () => string
  readonly begin: (end: () => void) => void
}

/** A call that hangs keeps its thread of libuv, which has four unless the launcher says more. A quarter stays free. */
const threads = Number(process.env["UV_THREADPOOL_SIZE"]) || 4
let free = Math.max(1, threads - Math.ceil(threads / 4))

const askers = new Map<string, Asker>()

/** The questions that wait for a thread, or for the one before of their asker, in order. */
const waiting: Array<Question> = []

const askerOf = (name: string): Asker => {
  const known = askers.get(name)
  if (known !== undefined) return known
  const asker: Asker = { path: undefined, isOverdue: false }
  askers.set(name, asker)
  return asker
}

/** The path of a question that all the others wait for. */
const overduePath = (): string | undefined =>
  [...askers.values()].find(({ isOverdue }) => isOverdue)?.path?.()

/** Begins the questions that need not wait. */
const beginNext = (): void => {
  while (free > 0) {
    const at = waiting.findIndex(({ asker }) => asker.path === undefined)
    const [question] = at === -1 ? [] : waiting.splice(at, 1)
    if (question === undefined) return
    const { asker, begin, path } = question
    free--
    asker.path = path
    // A call that hangs cannot be taken back: the turn ends with its answer.
    begin(() => {
      free++
      asker.path = undefined
      asker.isOverdue = false
      beginNext()
    })
  }
}

/** A question to a disk in plain code. */
export interface DiskQuestion<A> {
  /** The name of the asker. */
  readonly asker: string
  readonly path: () => string
  /** Starts calls in libuv's threads. */
  readonly begin: (answer: (answer: A) => void) => void
}

/**
 * Asks the disk about a path. An asker has one question outstanding: while the disk is silent, its further questions fail at
 * once and take no more threads. Returns the function that stops the wait for the answer.
 */
export const askInPlainCode = <A>(
  timer: Context.Tag.Service<PlainTimer>,
  { asker: name, begin, path }: DiskQuestion<A>,
  done: (result: Exit.Exit<A, SilentDisk>) => void
): (() => void) => {
  const asker = askerOf(name)
  if (asker.isOverdue) {
    done(Exit.fail(new SilentDisk({ path: (asker.path ?? path)() })))
    return () => undefined
  }
  const question: Question = {
    asker,
    path,
    begin: (end) => {
      const finish = (result: Exit.Exit<A>) => {
        cancel()
        end()
        done(result)
      }
      try {
        begin((answer) => finish(Exit.succeed(answer)))
      } catch (defect) {
        // Node throws for a path with a NUL character, and the turn would never end.
        finish(Exit.die(defect))
      }
    }
  }
  const drop = () => {
    const at = waiting.indexOf(question)
    if (at !== -1) waiting.splice(at, 1)
  }
  const cancel = timer.after(Duration.toMillis(answerLimit), () => {
    asker.isOverdue = asker.path !== undefined
    drop()
    done(Exit.fail(new SilentDisk({ path: asker.path?.() ?? overduePath() ?? path() })))
  })
  waiting.push(question)
  beginNext()
  return () => {
    cancel()
    drop()
  }
}

/** The same as an effect. Neither an interruption nor the time limit waits for the answer. */
export const askDiskPlainly = <A>(question: DiskQuestion<A>): Effect.Effect<A, SilentDisk> =>
  Effect.flatMap(PlainTimer, (timer) =>
    Effect.async((resume) => {
      const stop = askInPlainCode(timer, question, resume)
      return Effect.sync(stop)
    })
  )

/** The same for a question that is an effect. */
export const askDisk = <A, E, R>(
  name: string,
  path: string,
  question: Effect.Effect<A, E, R>
): Effect.Effect<A, E | SilentDisk, R> =>
  Effect.flatMap(Effect.runtime<R>(), (runtime) =>
    Effect.flatten(
      askDiskPlainly<Exit.Exit<A, E>>({
        asker: name,
        path: () => path,
        // A fiber without a parent, which nobody interrupts.
        begin: (answer) => Runtime.runFork(runtime, Effect.uninterruptible(question)).addObserver(answer)
      })
    )
  )

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
