import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { MemoryGuard } from "../../../src/Layers/guard/MemoryGuard.ts"
import * as Concerns from "../../../src/Layers/history/Concerns.ts"
import { DaemonEvents } from "../../../src/Layers/history/DaemonEvents.ts"
import * as ServiceWatchdog from "../../../src/Layers/service/ServiceWatchdog.ts"
import { Supervisor } from "../../../src/Layers/worker/Supervisor.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"
import { unheardEvents } from "../../fixtures/UnheardEvents.ts"
import { blog, GiB, guarded, hog, makeMachine, shop } from "../guard/GuardWorld.ts"
import { fakeService } from "../systemd/FakeService.ts"
import { FakeRuns } from "../worker/FakeRuns.ts"
import { crash, layerOf, makeSurroundings, plan } from "../worker/SupervisorWorld.ts"
import { makeVirtualClock, type VirtualClock } from "../worker/VirtualClock.ts"

const watchdogMs = 60_000
const minute = Duration.toMillis("1 minute")

const unused = Effect.dieMessage("nobody asks for it here")

/** Two who take a turn at once, unless the test holds them up. */
const pretended = () => {
  const events: Array<DaemonEvent> = []
  const takes = { supervisor: 0, guard: 0 }
  let hung: ReadonlyArray<string> = []
  let goOn = Effect.runSync(Effect.makeLatch(false))
  const turn = (who: keyof typeof takes) =>
    Effect.suspend(() => {
      takes[who]++
      return hung.includes(who) ? goOn.await : Effect.void
    })
  const world = Layer.mergeAll(
    Layer.provideMerge(Concerns.layer, recordedEvents(events)),
    Layer.succeed(MemoryGuard, { turn: turn("guard") }),
    Layer.succeed(Supervisor, {
      project: () => assert.fail(),
      begin: unused,
      snapshots: unused,
      look: () => assert.fail(),
      selected: () => assert.fail(),
      select: () => unused,
      apply: () => unused,
      drain: unused,
      probe: turn("supervisor")
    })
  )
  return {
    world,
    events,
    takes,
    hang: (...who: ReadonlyArray<keyof typeof takes>) => {
      hung = who
      goOn = Effect.runSync(Effect.makeLatch(false))
    },
    heal: Effect.suspend(() => {
      hung = []
      return goOn.open
    })
  }
}

const signsOf = ({ messages }: ReturnType<typeof fakeService>) =>
  messages.filter(({ _tag }) => _tag === "Alive").length

const watched = <A, E, R>(
  world: Layer.Layer<R | Supervisor | MemoryGuard | DaemonEvents | Concerns.Concerns>,
  test: (
    pass: VirtualClock["pass"],
    signs: () => number
  ) => Effect.Effect<A, E, R | Supervisor | MemoryGuard | DaemonEvents | Concerns.Concerns>,
  service = fakeService(watchdogMs)
) => {
  const { clock, pass } = makeVirtualClock()
  return test(pass, () => signsOf(service)).pipe(
    Effect.provide(ServiceWatchdog.layer.pipe(Layer.provide(service.layer), Layer.provideMerge(world))),
    Effect.withClock(clock)
  )
}

describe("the watchdog of systemd", () => {
  it.effect("is reset three times per interval", () => {
    const { events, takes, world } = pretended()
    return watched(world, (pass, signs) =>
      Effect.gen(function* () {
        yield* pass(0)
        assert.strictEqual(signs(), 1)
        yield* pass(10 * minute)
        assert.strictEqual(signs(), 31)
        assert.deepStrictEqual([takes, events], [{ supervisor: 31, guard: 31 }, []])
      })
    )
  })

  for (const who of ["supervisor", "guard"] as const) {
    it.effect(`is not reset while the ${who} hangs, and an event reports that before it fires`, () => {
      const { events, hang, heal, world } = pretended()
      const name = { supervisor: "the supervisor", guard: "the memory guard" }[who]
      return watched(world, (pass, signs) =>
        Effect.gen(function* () {
          yield* pass(0)
          hang(who)
          yield* pass(watchdogMs / 2 - 1)
          assert.deepStrictEqual([signs(), events], [1, []])
          yield* pass(1)
          const missing = {
            _tag: "TurnMissing",
            who: [name],
            forMs: watchdogMs / 2,
            limitMs: watchdogMs
          } as const
          assert.deepStrictEqual(events, [missing])
          yield* pass(10 * minute)
          assert.deepStrictEqual([signs(), events], [1, [missing]])
          yield* heal
          yield* pass(0)
          assert.strictEqual(signs(), 2)
          assert.deepStrictEqual(events.slice(1), [
            { _tag: "TurnTaken", who: [name], afterMs: 10.5 * minute }
          ])
        })
      )
    })
  }

  it.effect("has both in its event when both hang", () => {
    const { events, hang, world } = pretended()
    return watched(world, (pass) =>
      Effect.gen(function* () {
        yield* pass(0)
        hang("guard", "supervisor")
        yield* pass(minute)
        assert.deepInclude(events[0], { _tag: "TurnMissing", who: ["the supervisor", "the memory guard"] })
      })
    )
  })

  it.effect("does nothing without an interval", () => {
    const { takes, world } = pretended()
    return watched(
      world,
      (pass, signs) =>
        Effect.gen(function* () {
          yield* pass(10 * minute)
          assert.deepStrictEqual([signs(), takes], [0, { supervisor: 0, guard: 0 }])
        }),
      fakeService()
    )
  })
})

describe("the liveness of the supervisor", () => {
  const plans = [
    { ...plan, project: shop },
    { ...plan, project: blog }
  ] as const
  const turn = Effect.flatMap(Supervisor, (supervisor) => supervisor.probe)

  it.effect("is given before the first start", () =>
    turn.pipe(Effect.provide(layerOf(makeSurroundings(), { projects: plans })))
  )

  it.effect("is given while workers run, stop and wait, and changes nothing", () => {
    const { clock, pass } = makeVirtualClock()
    const around = makeSurroundings()
    return Effect.gen(function* () {
      const supervisor = yield* Supervisor
      const lives = yield* FakeRuns
      yield* supervisor.begin
      yield* pass(0)
      const before = yield* supervisor.snapshots
      const told = around.events.length
      yield* turn
      assert.deepStrictEqual(yield* supervisor.snapshots, before)
      assert.lengthOf(around.events, told)
      yield* lives.started[0]?.exit(crash) ?? unused
      yield* pass(0)
      yield* turn
      lives.endsAfter(minute)
      yield* supervisor.apply([plans[0]])
      yield* pass(0)
      yield* turn
      yield* pass(minute)
      yield* turn
      const draining = yield* Effect.fork(supervisor.drain)
      yield* pass(0)
      yield* turn
      yield* pass(minute)
      yield* draining
    }).pipe(Effect.provide(layerOf(around, { projects: plans })), Effect.withClock(clock))
  })

  it.effect("is missing when one project's actor hangs", () => {
    const { clock, pass } = makeVirtualClock()
    const around = makeSurroundings()
    const Events = Layer.succeed(
      DaemonEvents,
      unheardEvents((event) =>
        event._tag === "CommandTaken" && event.project === blog ? Effect.never : Effect.void
      )
    )
    return Effect.gen(function* () {
      const supervisor = yield* Supervisor
      yield* supervisor.begin
      yield* pass(0)
      yield* Effect.flatMap(supervisor.project(blog), (actor) => Effect.fork(actor.command("stop")))
      yield* pass(0)
      const waiting = yield* Effect.fork(turn)
      yield* pass(minute)
      assert.isNull(waiting.unsafePoll())
    }).pipe(Effect.provide(layerOf(around, { projects: plans }, Events)), Effect.withClock(clock))
  })
})

describe("the liveness of the memory guard", () => {
  const turn = Effect.flatMap(MemoryGuard, (guard) => guard.turn)

  it.effect("is given while it sleeps, without a scan of the processes", () => {
    const machine = makeMachine(8 * GiB)
    const { clock, pass } = makeVirtualClock()
    return Effect.gen(function* () {
      yield* pass(0)
      yield* turn
      yield* turn
      assert.strictEqual(machine.searches, 0)
    }).pipe(Effect.provide(guarded(machine)), Effect.withClock(clock))
  })

  it.effect("is given while it kills hogs for a whole evening", () => {
    // Each takes seconds to go, and there are always more.
    const hogs = Array.from({ length: 100 }, (_, at) => hog(at + 1, 1024, { afterMs: 4900 }))
    const machine = makeMachine(GiB, hogs)
    return watched(guarded(machine), (pass, signs) =>
      Effect.gen(function* () {
        yield* (yield* Supervisor).begin
        yield* pass(5 * minute)
        assert.isAbove(machine.deeds.length, 50)
        assert.isAtLeast(signs(), (5 * minute) / (watchdogMs / 2))
        assert.notInclude(
          machine.events.map(({ _tag }) => _tag),
          "TurnMissing"
        )
      })
    )
  })

  it.effect("is missing when the guard hangs at work", () => {
    const machine = makeMachine(GiB, [hog(1, GiB)])
    machine.isHung = true
    return watched(guarded(machine), (pass, signs) =>
      Effect.gen(function* () {
        yield* (yield* Supervisor).begin
        yield* pass(5 * minute)
        assert.isAtMost(signs(), 1)
        assert.deepInclude(
          machine.events.find(({ _tag }) => _tag === "TurnMissing"),
          { who: ["the memory guard"] }
        )
      })
    )
  })
})
