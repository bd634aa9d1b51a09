import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import type { DaemonEvent } from "../../src/Domain/DaemonEvent.ts"
import type { ProcessEntry } from "../../src/Domain/ProcessTree.ts"
import { DaemonEvents } from "../../src/Layers/DaemonEvents.ts"
import { ProcFs, ProcUnreadable } from "../../src/Layers/ProcFs.ts"
import { Supervisor } from "../../src/Layers/Supervisor.ts"
import * as WorkerMemory from "../../src/Layers/WorkerMemory.ts"
import { layerOf, makeSurroundings, settle } from "./SupervisorWorld.ts"

const mebibyte = 2 ** 20

/** A /proc with one worker, whose looks are counted. */
const makeProc = () => {
  let looks = 0
  let residentBytes = mebibyte
  let isReadable = true
  const entry = (): ProcessEntry => ({
    pid: 1000,
    parentPid: 1,
    group: 1000,
    session: 1000,
    startTicks: 1,
    state: "S",
    residentBytes
  })
  // Only the walk over all processes is asked for here.
  const proc: Pick<typeof ProcFs.Service, "processes"> = {
    processes: Effect.suspend(() => {
      looks++
      return isReadable ? Effect.succeed([entry()]) : new ProcUnreadable({ reason: "no descriptor is free" })
    })
  }
  return {
    proc,
    looks: () => looks,
    grow: (bytes: number) => void (residentBytes = bytes),
    setReadable: (is: boolean) => void (isReadable = is)
  }
}

const inWorld =
  (proc: Pick<typeof ProcFs.Service, "processes">) =>
  <A, E>(test: Effect.Effect<A, E, WorkerMemory.WorkerMemory | Supervisor>) =>
    Effect.gen(function* () {
      const pubsub = yield* PubSub.unbounded<DaemonEvent>()
      const Events = Layer.succeed(DaemonEvents, {
        publish: (event) => Effect.asVoid(PubSub.publish(pubsub, event)),
        changes: Stream.fromPubSub(pubsub)
      })
      const Proc = Layer.succeed(ProcFs, {
        process: () => Effect.succeed(undefined),
        carrying: () => Effect.succeed(new Set()),
        openFilesSoftLimit: () => Effect.succeed(undefined),
        ...proc
      })
      return yield* Effect.provide(
        test,
        WorkerMemory.layer.pipe(
          Layer.provideMerge(layerOf(makeSurroundings(), {}, Events)),
          Layer.provide(Layer.merge(Events, Proc))
        )
      )
    })

// Whoever follows events has to listen before there are any.
const begin = settle.pipe(
  Effect.zipRight(Effect.flatMap(Supervisor, (supervisor) => supervisor.begin)),
  Effect.zipRight(settle)
)
const held = Effect.map(WorkerMemory.WorkerMemory, (memory) => memory.of(1000)?.residentBytes)
const ask = Effect.flatMap(WorkerMemory.WorkerMemory, (memory) => memory.ask).pipe(Effect.zipRight(settle))

describe("what a worker holds", () => {
  it.scoped("is known a second after its start, without anybody asking", () => {
    const world = makeProc()
    return Effect.gen(function* () {
      yield* begin
      assert.isUndefined(yield* held)
      yield* TestClock.adjust("1 seconds")
      yield* settle
      assert.strictEqual(yield* held, mebibyte)
    }).pipe(inWorld(world.proc))
  })

  it.scoped("is looked at again for who asks, at most every five seconds, and else once a minute", () => {
    const world = makeProc()
    return Effect.gen(function* () {
      yield* begin
      yield* TestClock.adjust("1 seconds")
      yield* settle
      assert.strictEqual(world.looks(), 1)
      world.grow(5 * mebibyte)
      for (let second = 0; second < 4; second++) {
        yield* TestClock.adjust("1 seconds")
        yield* ask
      }
      assert.strictEqual(world.looks(), 1)
      yield* TestClock.adjust("1 seconds")
      yield* ask
      assert.strictEqual(world.looks(), 2)
      assert.strictEqual(yield* held, 5 * mebibyte)
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(world.looks(), 12)
    }).pipe(inWorld(world.proc))
  })

  it.scoped("stays what it was while /proc cannot be read", () => {
    const world = makeProc()
    return Effect.gen(function* () {
      yield* begin
      yield* TestClock.adjust("1 seconds")
      yield* settle
      world.setReadable(false)
      yield* TestClock.adjust("2 minutes")
      assert.strictEqual(yield* held, mebibyte)
    }).pipe(inWorld(world.proc))
  })

  it.scoped("costs nothing while no worker runs", () => {
    const world = makeProc()
    return Effect.gen(function* () {
      yield* ask
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual(world.looks(), 0)
    }).pipe(inWorld(world.proc))
  })
})
