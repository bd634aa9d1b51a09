import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import { provideInTurn } from "../../src/Programs/InTurn.ts"
import { countedFibers } from "../fixtures/CountedFibers.ts"
import { endsThoughClosing } from "../fixtures/InterruptedClosing.ts"

class Disk extends Context.Tag("Disk")<Disk, string>() {}
class Log extends Context.Tag("Log")<Log, string>() {}
class Lock extends Context.Tag("Lock")<Lock, Effect.Effect<void>>() {}
class Socket extends Context.Tag("Socket")<Socket, string>() {}

/** Layers that note when they are built and closed; `socket` is the one with the name. */
const noting = () => {
  const notes: Array<string> = []
  const note = (what: string) => Effect.sync(() => void notes.push(what))
  const open = (name: string) => Effect.acquireRelease(Effect.as(note(name), name), () => note(`no ${name}`))
  const disk = Layer.scoped(Disk, open("disk"))
  const log = Layer.unwrapScoped(
    Effect.flatMap(Disk, (on) =>
      Effect.map(open(`log on ${on}`), (made) =>
        Layer.merge(
          Layer.succeed(Log, made),
          Logger.replace(
            Logger.defaultLogger,
            Logger.make(({ message }) => void notes.push(`logged ${String(message)}`))
          )
        )
      )
    )
  )
  const socket = Layer.scoped(Socket, Effect.zipRight(Disk, open("socket")))
  const beside = Layer.scopedDiscard(Effect.zipRight(Log, open("guard")))
  const all = [disk, log, socket, beside] as const
  return { all, disk, log, note, notes, open }
}

const built = ["disk", "log on disk", "socket", "guard"]
const closed = built.map((name) => `no ${name}`).toReversed()

const disk = Layer.succeed(Disk, "disk")
const log = Layer.effect(Log, Disk)
const socket = Layer.effect(Socket, Log)

/** The operations of a program that needs these layers. */
const operationsWith = (provide: (program: Effect.Effect<void>) => Effect.Effect<void>) =>
  countedFibers((counts) => Effect.map(provide(Effect.void), () => counts().operations))

describe("layers that are provided in turn", () => {
  it.effect("take less than a fourth of the operations that Effect.provide takes", () =>
    Effect.gen(function* () {
      const all = socket.pipe(Layer.provideMerge(log), Layer.provideMerge(disk))
      const usual = yield* operationsWith((program) => Effect.provide(program, all))
      const here = yield* operationsWith(provideInTurn(disk, log, socket))
      assert.isBelow(here, usual / 4, `${here} of ${usual}`)
    })
  )

  it.effect("are built once each, from the first to the last, and closed in reverse after the program", () =>
    Effect.gen(function* () {
      const { all, note, notes } = noting()
      const program = Effect.gen(function* () {
        yield* Effect.log("hello")
        yield* note(`${yield* Disk}, ${yield* Log}, ${yield* Socket}`)
        return 7
      })
      assert.strictEqual(yield* provideInTurn(...all)(program), 7)
      assert.deepStrictEqual(notes, [...built, "logged hello", "disk, log on disk, socket", ...closed])
    })
  )

  it.effect(
    "close what one adds while the program runs with that one, after those that were built after it",
    () =>
      Effect.gen(function* () {
        const { note, notes, open } = noting()
        const lock = Layer.scoped(
          Lock,
          Effect.zipRight(
            open("lock"),
            Effect.map(Effect.scope, (scope) => Scope.addFinalizer(scope, note("no other lock")))
          )
        )
        yield* provideInTurn(lock, Layer.scopedDiscard(open("socket")))(Effect.flatten(Lock))
        assert.deepStrictEqual(notes, ["lock", "socket", "no socket", "no other lock", "no lock"])
      })
  )

  it.effect("lose no interruption of a fiber that closes something meanwhile", () =>
    Effect.gen(function* () {
      assert.isTrue(yield* provideInTurn(disk)(endsThoughClosing))
    })
  )

  it.effect("are built for each program anew", () =>
    Effect.gen(function* () {
      const { all, notes } = noting()
      const run = provideInTurn(...all)(Disk)
      yield* run
      yield* run
      assert.deepStrictEqual(notes, [...built, ...closed, ...built, ...closed])
    })
  )

  it.effect("are closed when one of them fails, and none after it is built", () =>
    Effect.gen(function* () {
      const { disk, log, notes, open } = noting()
      const failing = Layer.scopedDiscard(Effect.zipRight(open("half"), Effect.fail("no room")))
      const never = Layer.scopedDiscard(open("never"))
      const exit = yield* Effect.exit(provideInTurn(disk, log, failing, never)(Effect.void))
      assert.deepStrictEqual(exit, Exit.fail("no room"))
      assert.deepStrictEqual(notes, ["disk", "log on disk", "half", "no half", "no log on disk", "no disk"])
    })
  )

  it.effect("are closed when the program is interrupted", () =>
    Effect.gen(function* () {
      const { all, notes } = noting()
      const runs = yield* Deferred.make<void>()
      const program = Effect.zipRight(Deferred.succeed(runs, undefined), Effect.never)
      const fiber = yield* Effect.fork(provideInTurn(...all)(program))
      yield* Deferred.await(runs)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(notes, [...built, ...closed])
    })
  )
})
