import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import { Supervisor } from "../../../src/Layers/worker/Supervisor.ts"
import type { TestBody } from "../../fixtures/TestBody.ts"
import { FakeRuns } from "../worker/FakeRuns.ts"
import { makeVirtualClock, type VirtualClock } from "../worker/VirtualClock.ts"
import { blog, GiB, guarded, type Hog, hog, type Machine, makeMachine, shop } from "./GuardWorld.ts"

/** Starts the workers of that machine and runs the test on it. */
const onMachine = (
  machine: Machine,
  options: Parameters<typeof guarded>[1],
  body: TestBody<[pass: VirtualClock["pass"]], Supervisor | FakeRuns>
) => {
  const { clock, pass } = makeVirtualClock()
  const begin = Effect.flatMap(Supervisor, (supervisor) => supervisor.begin)
  return pass(0).pipe(
    Effect.zipRight(begin),
    Effect.zipRight(pass(0)),
    Effect.zipRight(Effect.gen(() => body(pass))),
    Effect.provide(guarded(machine, options)),
    Effect.withClock(clock)
  )
}

const signals = ({ deeds }: Machine): ReadonlyArray<string> =>
  deeds.filter(({ what }) => what !== "ended").map(({ pid, what }) => `${what} ${pid}`)

const reported = ({ events }: Machine, tag: string) => events.filter(({ _tag }) => _tag === tag)

const status = Effect.fnUntraced(function* (project = shop) {
  const actor = yield* Effect.flatMap(Supervisor, (supervisor) => supervisor.project(project))
  return yield* actor.snapshot
})

const phase = (project = shop) => Effect.map(status(project), ({ state }) => state.phase._tag)

describe("when memory is low", () => {
  it.effect("one hog after the other gets SIGTERM, until enough memory is available", () => {
    const machine = makeMachine(0.5 * GiB, [hog(1, GiB), hog(2, GiB), hog(3, GiB)])
    return onMachine(machine, {}, function* (pass) {
      yield* pass(1000)
      assert.deepStrictEqual(
        machine.deeds.map(({ pid, what }) => `${what} ${pid}`),
        ["SIGTERM 1", "ended 1", "SIGTERM 2", "ended 2"]
      )
      assert.deepStrictEqual(
        reported(machine, "HogGone").map((event) => event._tag === "HogGone" && event.pid),
        [1, 2]
      )
    })
  })

  it.effect("no process is signalled while it is plentiful", () => {
    const machine = makeMachine(2 * GiB, [hog(1, GiB)])
    return onMachine(machine, {}, function* (pass) {
      yield* pass(5000)
      assert.deepStrictEqual([machine.deeds, machine.searches], [[], 0])
    })
  })

  it.effect("no process is signalled when it has become plentiful before the signal", () => {
    const machine = makeMachine(4 * GiB, [hog(1, GiB)])
    return onMachine(machine, {}, function* (pass) {
      machine.meanwhile = () => {
        machine.freeBytes = 3 * GiB
      }
      machine.freeBytes = GiB
      yield* pass(2000)
      assert.strictEqual(machine.searches, 1)
      assert.deepStrictEqual(machine.deeds, [])
    })
  })

  it.effect("the exit of a hog is reported once, however late it comes", () => {
    // It exits between the grace period and SIGKILL, or when memory is plentiful again and nothing more is sent.
    const machine = makeMachine(1.5 * GiB, [hog(1, GiB, { afterMs: 9000 })])
    return onMachine(machine, {}, function* (pass) {
      yield* pass(200)
      machine.freeBytes = 4 * GiB
      yield* pass(30_000)
      assert.deepStrictEqual(signals(machine), ["SIGTERM 1"])
      const gone = reported(machine, "HogGone")
      assert.lengthOf(gone, 1)
      const [event] = gone
      if (event?._tag === "HogGone") assert.approximately(event.afterMs, 9500, 500)
    })
  })

  it.effect("a hog that ignores SIGTERM gets SIGTERM once and SIGKILL once (D23)", () => {
    const machine = makeMachine(1.5 * GiB, [hog(1, GiB, { endsBy: "SIGKILL" })])
    return onMachine(machine, {}, function* (pass) {
      yield* pass(30_000)
      assert.deepStrictEqual(signals(machine), ["SIGTERM 1", "SIGKILL 1"])
    })
  })

  it.effect(
    "a hog that got SIGTERM gets no SIGKILL while enough is available, and no second SIGTERM later",
    () => {
      const machine = makeMachine(1.5 * GiB, [hog(1, GiB, { endsBy: "SIGKILL" })])
      return onMachine(machine, {}, function* (pass) {
        yield* pass(200)
        machine.freeBytes = 4 * GiB
        yield* pass(30_000)
        assert.deepStrictEqual(signals(machine), ["SIGTERM 1"])
        machine.freeBytes = 1.5 * GiB
        yield* pass(10_000)
        assert.deepStrictEqual(signals(machine), ["SIGTERM 1", "SIGKILL 1"])
      })
    }
  )

  it.effect("a hog that survives SIGKILL is reported once, and the next one follows", () => {
    const machine = makeMachine(1.5 * GiB, [hog(1, GiB, { endsBy: "nothing" }), hog(2, GiB)])
    return onMachine(machine, {}, function* (pass) {
      yield* pass(60_000)
      assert.deepStrictEqual(signals(machine), ["SIGTERM 1", "SIGKILL 1", "SIGTERM 2"])
      assert.lengthOf(reported(machine, "HogSurvived"), 1)
    })
  })

  it.effect("no worker is restarted, and the lack of victims is reported once, then once a minute", () => {
    const machine = makeMachine(1.5 * GiB)
    machine.workers.set(shop, GiB)
    return onMachine(machine, {}, function* (pass) {
      yield* pass(50_000)
      assert.lengthOf(reported(machine, "NobodyToEnd"), 1)
      assert.strictEqual(yield* phase(), "Running")
      assert.isBelow(machine.searches, 60, "all processes looked at more often than once a second")
      yield* pass(80_000)
      assert.lengthOf(reported(machine, "NobodyToEnd"), 1)
      assert.lengthOf(reported(machine, "ShortOfMemory"), 2)
    })
  })

  it.effect("a dry run sends no signal and reports once what it would send", () => {
    const machine = makeMachine(4 * GiB, [hog(1, GiB / 4)])
    machine.workers.set(shop, GiB)
    return onMachine(machine, { memory: { dry_run: true } }, function* (pass) {
      machine.freeBytes = 0.5 * GiB
      yield* pass(20_000)
      assert.deepStrictEqual(machine.deeds, [])
      assert.lengthOf(reported(machine, "HogSignalled"), 1)
      machine.hogs.clear()
      machine.freeBytes = 0
      yield* pass(5000)
      assert.lengthOf(reported(machine, "RestartedForMemory"), 1)
      assert.strictEqual(yield* phase(), "Running")
    })
  })

  it.effect("an unreadable /proc triggers no kill, and is read again", () => {
    const machine = makeMachine(0.5 * GiB, [hog(1, 2 * GiB)])
    machine.isReadable = false
    machine.workers.set(shop, GiB)
    return onMachine(machine, {}, function* (pass) {
      yield* pass(10_000)
      assert.deepStrictEqual([machine.deeds, yield* phase()], [[], "Running"])
      assert.lengthOf(reported(machine, "NobodyToEnd"), 1)
      machine.isReadable = true
      yield* pass(2000)
      assert.deepStrictEqual(signals(machine), ["SIGTERM 1"])
    })
  })

  /** KILL is waited for as long as that can take. */
  const isSureToEnd = (one: Pick<Hog, "endsBy" | "afterMs"> | undefined) =>
    one !== undefined && one.endsBy !== "nothing" && one.afterMs < 5000

  it.effect(
    "whatever the hogs do: one at a time, in order, SIGTERM before SIGKILL, each once, and only while it is low",
    () =>
      Effect.promise(() =>
        FastCheck.assert(
          FastCheck.asyncProperty(
            FastCheck.array(
              FastCheck.record({
                bytes: FastCheck.integer({ min: 0, max: GiB }),
                endsBy: FastCheck.constantFrom<Hog["endsBy"]>("SIGTERM", "SIGTERM", "SIGKILL", "nothing"),
                afterMs: FastCheck.integer({ min: 0, max: 8000 })
              }),
              { maxLength: 6 }
            ),
            FastCheck.integer({ min: 0, max: 3 * GiB }),
            async (hogs, freeBytes) => {
              const machine = makeMachine(
                freeBytes,
                hogs.map((one, index) => hog(index + 1, one.bytes, one))
              )
              await Effect.runPromise(
                onMachine(machine, {}, function* (pass) {
                  yield* pass(90_000)
                })
              )
              const living = new Set<number>()
              let last = 0
              for (const { availableBytes, pid, what } of machine.deeds) {
                if (what === "ended") {
                  living.delete(pid)
                  continue
                }
                assert.isBelow(availableBytes, 2 * GiB, "a signal although memory is plentiful")
                assert.isAtLeast(pid, last, "out of order")
                if (what === "SIGTERM") {
                  const others = [...living].filter((other) => isSureToEnd(hogs[other - 1]))
                  assert.deepStrictEqual(others, [], "another one while the last may still end")
                  living.add(pid)
                }
                last = pid
              }
              const sent = signals(machine)
              assert.deepStrictEqual([...new Set(sent)], sent, "the same signal twice")
              for (const signal of sent.filter((one) => one.startsWith("SIGKILL"))) {
                assert.include(sent.slice(0, sent.indexOf(signal)), signal.replace("SIGKILL", "SIGTERM"))
              }
              // It goes on until there is enough, or nobody is left whom it has not tried.
              if (machine.availableBytes() < 2 * GiB) {
                for (const { pid } of machine.hogs.values()) assert.include(sent, `SIGKILL ${pid}`)
              }
            }
          ),
          { numRuns: 25 }
        )
      )
  )
})

describe("when memory is critical", () => {
  it.effect("hogs come first, and no worker is restarted when that is enough", () => {
    const machine = makeMachine(0.5 * GiB, [hog(1, 2 * GiB)])
    machine.workers.set(shop, 8 * GiB)
    return onMachine(machine, {}, function* (pass) {
      yield* pass(3000)
      assert.deepStrictEqual(signals(machine), ["SIGTERM 1"])
      assert.strictEqual(yield* phase(), "Running")
    })
  })

  it.effect("no worker is restarted for a sample from before the exit of a hog", () => {
    const machine = makeMachine(4 * GiB, [hog(1, 2 * GiB, { afterMs: 400 })])
    machine.workers.set(shop, 8 * GiB)
    return onMachine(machine, {}, function* (pass) {
      machine.freeBytes = 0.5 * GiB
      yield* pass(3000)
      assert.deepStrictEqual(signals(machine), ["SIGTERM 1"])
      assert.strictEqual(yield* phase(), "Running")
    })
  })

  it.effect("the worker that holds most is restarted, and no other one for the same shortage", () => {
    const machine = makeMachine(4 * GiB)
    machine.workers.set(shop, 3 * GiB).set(blog, 2 * GiB)
    return onMachine(machine, { projects: [shop, blog] }, function* (pass) {
      const { started } = yield* FakeRuns
      machine.freeBytes = 0.5 * GiB
      yield* pass(60_000)
      assert.deepStrictEqual([yield* phase(shop), yield* phase(blog)], ["Waiting", "Running"])
      assert.include((yield* status()).state.phase, {
        because:
          "memory was critical (512 MiB of 16 GiB available, the worker held 3 GiB); it starts again when 2 GiB are available"
      })
      assert.lengthOf(reported(machine, "RestartedForMemory"), 1)
      machine.freeBytes = 3 * GiB
      yield* pass(2000)
      assert.strictEqual(yield* phase(shop), "Running")
      assert.lengthOf(started, 3)
      assert.strictEqual((yield* status()).state.failures, 0)
    })
  })

  it.effect("a stopping worker keeps its grace period, but not when memory is nearly out", () => {
    const machine = makeMachine(4 * GiB)
    machine.workers.set(shop, 3 * GiB)
    return onMachine(machine, {}, function* (pass) {
      const lives = yield* FakeRuns
      lives.endsAfter(60_000)
      machine.freeBytes = 0.9 * GiB
      yield* pass(10_000)
      assert.strictEqual(yield* phase(), "Stopping")
      machine.freeBytes = 0.4 * GiB
      yield* pass(1000)
      assert.strictEqual(yield* phase(), "Waiting")
      assert.lengthOf(reported(machine, "HastenedForMemory"), 1)
      lives.endsAfter(0)
    })
  })

  it.effect("other programs that hold the memory for hours cause one restart, and no loop", () => {
    const machine = makeMachine(4 * GiB)
    machine.workers.set(shop, GiB / 4)
    return onMachine(machine, {}, function* (pass) {
      const { started } = yield* FakeRuns
      machine.freeBytes = 0.5 * GiB
      yield* pass(60_000)
      machine.workers.clear()
      yield* pass(20 * 60_000)
      assert.lengthOf(started, 1)
      assert.strictEqual(yield* phase(), "Waiting")
      // After a quarter of an hour above critical is enough.
      machine.freeBytes = 1.5 * GiB
      yield* pass(2000)
      assert.lengthOf(started, 2)
      machine.workers.set(shop, GiB / 4)
      machine.freeBytes = 0.9 * GiB
      yield* pass(10_000)
      assert.strictEqual(yield* phase(), "Running", "restarted again although it is not the cause")
    })
  })

  it.effect("a worker that runs again in the same shortage is restarted only as its cause", () => {
    const machine = makeMachine(0.5 * GiB)
    machine.workers.set(shop, GiB / 4)
    return onMachine(machine, {}, function* (pass) {
      const { started } = yield* FakeRuns
      // A first start is never held, and memory was critical before it.
      yield* pass(5000)
      assert.strictEqual(yield* phase(), "Running")
      assert.lengthOf(reported(machine, "StartedShort"), 1)
      machine.workers.set(shop, 4 * GiB)
      yield* pass(3000)
      assert.strictEqual(yield* phase(), "Waiting")
      assert.lengthOf(started, 1)
    })
  })

  it.effect("a user who starts a held worker gets it at once, with a warning", () => {
    const machine = makeMachine(4 * GiB)
    machine.workers.set(shop, GiB / 4)
    return onMachine(machine, {}, function* (pass) {
      machine.freeBytes = 0.5 * GiB
      yield* pass(3000)
      assert.strictEqual(yield* phase(), "Waiting")
      const actor = yield* Effect.flatMap(Supervisor, (supervisor) => supervisor.project(shop))
      assert.isTrue((yield* actor.command("start")).success)
      yield* pass(10_000)
      assert.strictEqual(yield* phase(), "Running")
      assert.lengthOf(reported(machine, "StartedShort"), 1)
    })
  })

  it.effect("a worker that is critical soon after each start waits longer and longer (D24)", () => {
    const machine = makeMachine(4 * GiB)
    machine.workers.set(shop, 4 * GiB)
    return onMachine(machine, {}, function* (pass) {
      const { started } = yield* FakeRuns
      const waits: Array<number> = []
      for (let round = 0; round < 6; round++) {
        machine.freeBytes = 0.5 * GiB
        yield* pass(2000)
        machine.freeBytes = 4 * GiB
        let waited = 0
        while (started.length === round + 1) {
          yield* pass(1000)
          waited++
          assert.isBelow(waited, 400)
        }
        waits.push(waited)
      }
      // As long as after failures: 1 2 4 8 16 32 seconds, but for when it is looked.
      assert.deepStrictEqual(
        waits,
        waits.toSorted((one, other) => one - other)
      )
      assert.isAtLeast(waits.at(-1) ?? 0, 30)
      assert.strictEqual((yield* status()).state.failures, 0)
    })
  })

  it.effect("with critical_restart = if-cause only a worker that holds what is missing is restarted", () => {
    const machine = makeMachine(4 * GiB)
    machine.workers.set(shop, GiB)
    return onMachine(machine, { memory: { critical_restart: "if-cause" } }, function* (pass) {
      machine.freeBytes = 0.5 * GiB
      yield* pass(3000)
      assert.strictEqual(yield* phase(), "Running")
      machine.workers.set(shop, 2 * GiB)
      yield* pass(3000)
      assert.strictEqual(yield* phase(), "Waiting")
    })
  })
})
