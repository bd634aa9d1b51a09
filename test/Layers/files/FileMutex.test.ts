import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestServices from "effect/TestServices"
import { FileMutex, layer } from "../../../src/Layers/files/FileMutex.ts"
import { folder, promisesWith } from "../../fixtures/SettingsWriter.ts"
import { eventually } from "../../live/TestDaemon.ts"

/** Another program that holds the turn at a folder, once it does, until it is killed. */
const otherProgram = (path: string) =>
  Effect.acquireRelease(
    Effect.async<ChildProcess>((resume) => {
      const child = spawn("flock", ["-n", "-F", path, "sh", "-c", "echo held; exec sleep 1000"], {
        stdio: ["ignore", "pipe", "ignore"]
      })
      child.stdout.once("data", () => resume(Effect.succeed(child)))
    }),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

/** Until the scope closes, no program is found by its name. */
const withoutPrograms = Effect.acquireRelease(
  Effect.sync(() => {
    const path = process.env["PATH"]
    process.env["PATH"] = "/nonexistent"
    return path
  }),
  (path) => Effect.sync(() => void (process.env["PATH"] = path))
)

/** Somebody who has the turn until told to end. */
const holding = Effect.fnUntraced(function* (path: string) {
  const mutex = yield* FileMutex
  const begun = yield* Deferred.make<string>()
  const end = yield* Deferred.make<void>()
  const isOver = yield* Deferred.make<void>()
  const work = Effect.zipRight(Deferred.await(end), Deferred.succeed(isOver, undefined))
  const fiber = yield* Effect.fork(
    mutex.withLock(path, (target) => Effect.zipRight(Deferred.succeed(begun, target), work))
  )
  return {
    fiber,
    begun: Deferred.await(begun),
    hasBegun: Deferred.isDone(begun),
    end: Deferred.succeed(end, undefined),
    isOver: Deferred.await(isOver)
  }
})

const begunHolding = (path: string) => Effect.tap(holding(path), ({ begun }) => begun)

/** Whether somebody pauses before the next look at what cannot be waited for. */
const isPausing = Effect.fnUntraced(function* (clock: TestClock.TestClock) {
  const now = yield* clock.currentTimeMillis
  return Chunk.some(yield* clock.sleeps, (until) => until > now && until - now < 1000)
})

/** Whether a flock(1) of ours sleeps, as it does while the lock is another's. */
const isWaiting = (): boolean =>
  fs.readdirSync("/proc").some((pid) => {
    try {
      return fs.readFileSync(`/proc/${pid}/stat`, "latin1").includes(`(flock) S ${process.pid} `)
    } catch {
      return false
    }
  })

/** Waits until somebody has seen that the lock is another's. */
const lockedOut = Effect.gen(function* () {
  const clock = yield* TestClock.testClock()
  const look = Effect.map(isPausing(clock), (pauses) => pauses || isWaiting() || undefined)
  yield* TestServices.provideLive(eventually("somebody is locked out", look))
})

const lockedOutHolding = (path: string) => Effect.tap(holding(path), () => lockedOut)

/** Lets somebody do something in the real world, and the clock run only for its short pauses. */
const withClock = <A, E>(fiber: Fiber.Fiber<A, E>) =>
  Effect.zipRight(
    Effect.iterate(false, {
      while: (isDone) => !isDone,
      body: () =>
        Effect.gen(function* () {
          if (yield* isPausing(yield* TestClock.testClock())) yield* TestClock.adjust("40 millis")
          yield* TestServices.provideLive(Effect.sleep("5 millis"))
          return (yield* Fiber.poll(fiber))._tag === "Some"
        })
    }),
    Fiber.join(fiber)
  )

describe("The turn at a file", () => {
  it.scoped("is one writer's after the other within a process, in the order in which they asked", () =>
    Effect.gen(function* () {
      const mutex = yield* FileMutex
      const path = join(yield* folder, "daemon.toml")
      let writers = 0
      const order: Array<number> = []
      const numbers = Array.from({ length: 20 }, (_, number) => number)
      yield* Effect.forEach(
        numbers,
        (number) =>
          mutex.withLock(path, () =>
            Effect.gen(function* () {
              writers++
              yield* Effect.promise(() => fs.promises.stat(path).catch(() => undefined))
              assert.strictEqual(writers, 1)
              writers--
              order.push(number)
            })
          ),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(order, numbers)
    }).pipe(Effect.provide(layer))
  )

  it.scoped("is waited for while another program has it, and is free once that is killed", () =>
    Effect.gen(function* () {
      const home = yield* folder
      const other = yield* otherProgram(home)
      const mine = yield* holding(join(home, "daemon.toml"))
      yield* lockedOut
      assert.isFalse(yield* mine.hasBegun)
      other.kill("SIGKILL")
      yield* mine.end
      yield* withClock(mine.fiber)
      assert.strictEqual(yield* mine.begun, join(home, "daemon.toml"))
    }).pipe(Effect.provide(layer))
  )

  it.scoped("is given up after ten seconds, with the reason and what to do", () =>
    Effect.gen(function* () {
      const home = yield* folder
      const path = join(home, "daemon.toml")
      yield* otherProgram(home)
      const mutex = yield* FileMutex
      let isRun = false
      const waiting = yield* Effect.fork(
        Effect.flip(mutex.withLock(path, () => Effect.sync(() => void (isRun = true))))
      )
      yield* lockedOut
      yield* TestClock.adjust("10 seconds")
      const refused = yield* Fiber.join(waiting)
      assert.strictEqual(
        refused.message,
        `${path} was not written: another program has been writing it for 10s. Let that finish, then try again.`
      )
      assert.isFalse(isRun)
    }).pipe(Effect.provide(layer))
  )

  it.scoped("keeps other programs out, and leaves no file behind", () =>
    Effect.gen(function* () {
      const home = yield* folder
      const mine = yield* holding(join(home, "daemon.toml"))
      yield* mine.begun
      const tryIt = Effect.sync(() => spawnSync("flock", ["-n", home, "true"]).status)
      assert.strictEqual(yield* tryIt, 1)
      assert.deepStrictEqual(fs.readdirSync(home), [])
      yield* mine.end
      yield* Fiber.join(mine.fiber)
      assert.strictEqual(yield* tryIt, 0)
    }).pipe(Effect.provide(layer))
  )

  it.scoped(
    "is that of the folder at the end of the links, also when a link is turned while it is waited for",
    () =>
      Effect.gen(function* () {
        const home = yield* folder
        for (const name of ["one", "two"]) fs.mkdirSync(join(home, name))
        const link = join(home, "daemon.toml")
        fs.symlinkSync("one/settings.toml", link)
        const first = yield* holding(join(home, "one/settings.toml"))
        assert.strictEqual(yield* first.begun, join(home, "one/settings.toml"))
        const byLink = yield* holding(link)
        yield* lockedOut
        assert.isFalse(yield* byLink.hasBegun)
        fs.rmSync(link)
        fs.symlinkSync("two/settings.toml", link)
        yield* first.end
        yield* byLink.end
        yield* withClock(byLink.fiber)
        assert.strictEqual(yield* byLink.begun, join(home, "two/settings.toml"))
      }).pipe(Effect.provide(layer))
  )

  it.scoped(
    "is that of the folder at the end of the links also when one is turned just before it is locked",
    () =>
      Effect.gen(function* () {
        const home = yield* folder
        for (const name of ["one", "two"]) fs.mkdirSync(join(home, name))
        const link = join(home, "daemon.toml")
        fs.symlinkSync("one/settings.toml", link)
        yield* promisesWith("open", (original) => (...args) => {
          if (fs.readlinkSync(link) === "one/settings.toml") {
            fs.rmSync(link)
            fs.symlinkSync("two/settings.toml", link)
          }
          return original(...args)
        })
        const mine = yield* holding(link)
        yield* mine.end
        yield* withClock(mine.fiber)
        assert.strictEqual(yield* mine.begun, join(home, "two/settings.toml"))
      }).pipe(Effect.provide(layer))
  )

  it.scoped("is one writer's also where flock(1) is missing, for who has it and who has not", () =>
    Effect.gen(function* () {
      const home = yield* folder
      const path = join(home, "daemon.toml")
      for (const isFirstWithout of [true, false]) {
        const first = yield* isFirstWithout
          ? Effect.scoped(Effect.zipRight(withoutPrograms, begunHolding(path)))
          : begunHolding(path)
        // By another name, so that the queue within this process is not what keeps it out.
        fs.symlinkSync(path, join(home, "link.toml"))
        const second = yield* isFirstWithout
          ? lockedOutHolding(join(home, "link.toml"))
          : Effect.scoped(Effect.zipRight(withoutPrograms, lockedOutHolding(join(home, "link.toml"))))
        assert.isFalse(yield* second.hasBegun)
        yield* first.end
        yield* Fiber.join(first.fiber)
        yield* second.end
        yield* withClock(second.fiber)
        fs.rmSync(join(home, "link.toml"))
      }
    }).pipe(Effect.provide(layer))
  )

  it.scoped("is not over while its work goes on, also when its caller has gone away", () =>
    Effect.gen(function* () {
      const path = join(yield* folder, "daemon.toml")
      const first = yield* begunHolding(path)
      yield* Fiber.interrupt(first.fiber)
      const second = yield* holding(path)
      assert.strictEqual(spawnSync("flock", ["-n", join(path, ".."), "true"]).status, 1)
      assert.isFalse(yield* second.hasBegun)
      yield* first.end
      yield* first.isOver
      yield* second.begun
      yield* second.end
      yield* Fiber.join(second.fiber)
    }).pipe(Effect.provide(layer))
  )

  it.scoped("passes on what its work says and what goes wrong in it, and is over then", () =>
    Effect.gen(function* () {
      const mutex = yield* FileMutex
      const path = join(yield* folder, "daemon.toml")
      assert.strictEqual(yield* mutex.withLock(path, () => Effect.succeed(7)), 7)
      assert.strictEqual(yield* Effect.flip(mutex.withLock(path, () => Effect.fail("no"))), "no")
      const defect = yield* Effect.exit(mutex.withLock(path, () => Effect.dieMessage("a bug")))
      assert.include(String(defect), "a bug")
      assert.strictEqual(yield* mutex.withLock(path, () => Effect.succeed(8)), 8)
    }).pipe(Effect.provide(layer))
  )
})
