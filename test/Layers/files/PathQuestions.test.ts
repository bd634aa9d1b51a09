import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { fileStamps } from "../../../src/Layers/files/FileStamps.ts"
import { askDisk as ask, checkDisk } from "../../../src/Layers/files/PathQuestions.ts"
import { testTimers } from "../../fixtures/PlainTimers.ts"
import { eventually } from "../../live/TestDaemon.ts"

const askDisk = <A>(name: string, path: string, question: Effect.Effect<A>) =>
  Effect.provide(ask(name, path, question), testTimers)

/** A question that a disk answers when it is told to. */
const question = Effect.gen(function* () {
  const answer = yield* Deferred.make<string>()
  let asked = 0
  const asking = Effect.suspend(() => {
    asked++
    return Deferred.await(answer)
  })
  // A step of the clock lets the fiber that has asked run.
  const answered = Effect.zipRight(Deferred.succeed(answer, "answered"), TestClock.adjust("1 millis"))
  return { asking, answer: answered, asked: () => asked }
})

const good = Effect.succeed("good")

describe("a disk that does not answer", () => {
  it.effect("fails a question after ten seconds, and gets no other one until it answers", () =>
    Effect.gen(function* () {
      const hangs = yield* question
      const first = yield* Effect.fork(Effect.flip(askDisk("a", "/silent/folder", hangs.asking)))
      yield* TestClock.adjust("10 seconds")
      const error = yield* Fiber.join(first)
      assert.match(error.message, /^the disk of \/silent\/folder did not answer within 10s\. Check that disk/)
      const second = yield* question
      assert.strictEqual((yield* Effect.flip(askDisk("a", "/other", second.asking))).path, "/silent/folder")
      assert.deepStrictEqual([hangs.asked(), second.asked()], [1, 0])
      assert.strictEqual(yield* askDisk("b", "/other", good), "good")
      yield* hangs.answer
      assert.strictEqual(yield* askDisk("a", "/silent/folder", good), "good")
    })
  )

  it.effect("keeps no caller waiting that is interrupted, also in an uninterruptible region", () =>
    Effect.gen(function* () {
      const hangs = yield* question
      const wants = yield* Effect.fork(askDisk("c", "/silent", hangs.asking))
      yield* Effect.yieldNow()
      yield* Fiber.interrupt(wants)
      const waits = yield* Effect.fork(Effect.uninterruptible(Effect.flip(askDisk("c", "/next", good))))
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(waits)).path, "/silent")
      yield* hangs.answer
      assert.strictEqual(yield* askDisk("c", "/next", good), "good")
    })
  )

  it.effect("keeps no turn for a question that cannot be asked", () =>
    Effect.gen(function* () {
      const exit = yield* Effect.exit(fileStamps("e", ["/a\0b"]))
      assert.isTrue(Exit.isFailure(exit))
      assert.strictEqual(yield* askDisk("e", "/next", good), "good")
    })
  )

  it.effect(
    "leaves threads to others however many questions it has, and a question without a thread names that disk",
    () =>
      Effect.gen(function* () {
        const hanging = yield* Effect.replicateEffect(question, 40)
        const all = yield* Effect.fork(
          Effect.forEach(hanging, ({ asking }, at) => Effect.flip(askDisk(`d${at}`, "/silent", asking)), {
            concurrency: "unbounded"
          })
        )
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.join(all)
        const begun = hanging.filter(({ asked }) => asked() > 0).length
        const threads = Number(process.env["UV_THREADPOOL_SIZE"] ?? 4)
        assert.isBelow(begun, threads)
        const late = yield* Effect.fork(Effect.flip(askDisk("e", "/fine", good)))
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual((yield* Fiber.join(late)).path, "/silent")
        yield* Effect.forEach(hanging, ({ answer }) => answer)
        assert.strictEqual(yield* askDisk("e", "/fine", good), "good")
      })
  )
})

describe("the check of a disk", () => {
  it.live("leaves nothing behind that later checks wait for, at whichever step it is interrupted", () =>
    Effect.gen(function* () {
      // With fewer steps Effect itself does not proceed.
      for (let steps = 25; steps < 80; steps++) {
        const path = `/proc/self/${steps}`
        const late = Array.from({ length: 20 }).reduce<ReturnType<typeof checkDisk>>(
          (next) => Effect.zipRight(Effect.void, next),
          checkDisk(path)
        )
        // A fiber that works is interrupted only where it lets others run, after so many steps.
        const first = yield* Effect.fork(Effect.withMaxOpsBeforeYield(late, steps))
        yield* Effect.yieldNow()
        yield* Fiber.interrupt(first)
        const second = yield* Effect.forkDaemon(checkDisk(path))
        yield* eventually(
          `an answer after ${steps} steps`,
          Effect.map(Fiber.poll(second), Option.getOrUndefined)
        )
      }
    })
  )

  it.effect("is one question for all that ask at the same time, and fails where the disk is silent", () =>
    Effect.gen(function* () {
      const hangs = yield* question
      const path = "/silent/socket"
      const holds = yield* Effect.fork(Effect.ignore(askDisk(path, path, hangs.asking)))
      yield* Effect.yieldNow()
      const check = Effect.provide(checkDisk(path), testTimers)
      const checks = yield* Effect.fork(
        Effect.all([check, check].map(Effect.flip), { concurrency: "unbounded" })
      )
      yield* TestClock.adjust("10 seconds")
      const [one, other] = yield* Fiber.join(checks)
      assert.strictEqual(one, other)
      assert.strictEqual(one?._tag, "SilentDisk")
      yield* hangs.answer
      yield* Fiber.join(holds)
      assert.strictEqual(yield* check, undefined)
    })
  )
})
