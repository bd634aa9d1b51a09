import * as fs from "node:fs/promises"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import { PlainTimer } from "../concurrency/PlainTimer.ts"
import { type Asked, ask, type DiskQuestion, type SilentDisk } from "./DiskTurns.ts"

/** The end of a question as an effect. */
export const effectOf = <A>(asked: Asked<A>): Effect.Effect<A, SilentDisk> => {
  switch (asked._tag) {
    case "Answered":
      return Effect.succeed(asked.answer)
    case "Silent":
      return Effect.fail(asked.silent)
    case "Broken":
      return Effect.die(asked.defect)
  }
}

/** Asks a question, as `ask` does. Neither an interruption nor the time limit waits for the answer. */
export const askDiskPlainly = <A>(question: DiskQuestion<A>): Effect.Effect<A, SilentDisk> =>
  Effect.flatMap(PlainTimer, (timer) =>
    Effect.async((resume) => {
      const stop = ask(timer, question, (asked) => resume(effectOf(asked)))
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

const existence = (path: string): DiskQuestion<boolean> => ({
  asker: path,
  path: () => path,
  begin: (answer) =>
    void fs.stat(path).then(
      () => answer(true),
      () => answer(false)
    )
})

/** Whether there is something at a path, which its disk says. */
export const isThere = (path: string): Effect.Effect<boolean, SilentDisk> => askDiskPlainly(existence(path))

/** The checks that wait for a disk, by path. */
const checks = new Map<string, Deferred.Deferred<void, SilentDisk>>()

/**
 * Fails when the disk of a path does not answer. bind(2) and connect(2) of a Unix socket, which Node calls in the event
 * loop, would hang with that disk. Callers that check a path at the same time share one question.
 */
export const checkDisk = (path: string): Effect.Effect<void, SilentDisk> =>
  Effect.flatMap(PlainTimer, (timer) => {
    const known = checks.get(path)
    if (known !== undefined) return Deferred.await(known)
    const answer = Deferred.unsafeMake<void, SilentDisk>(FiberId.none)
    checks.set(path, answer)
    // Plain code: an interruption between two steps would leave a check that nobody ends.
    ask(timer, existence(path), (asked) => {
      checks.delete(path)
      Deferred.unsafeDone(answer, Effect.asVoid(effectOf(asked)))
    })
    return Deferred.await(answer)
  })
