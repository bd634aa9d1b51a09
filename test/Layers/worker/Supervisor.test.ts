import { assert, describe, it } from "@effect/vitest"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { ProjectName, unnamed } from "../../../src/Domain/Project.ts"
import { noWork } from "../../../src/Domain/session/WorkRecord.ts"
import { emptyState, type SavedState } from "../../../src/Domain/worker/SavedState.ts"
import { nextStartMs, reason, statusWord } from "../../../src/Domain/worker/WorkerState.ts"
import * as Concerns from "../../../src/Layers/history/Concerns.ts"
import { DaemonEvents } from "../../../src/Layers/history/DaemonEvents.ts"
import { WorkerLog } from "../../../src/Layers/logs/WorkerLog.ts"
import { SelectedProject } from "../../../src/Layers/worker/SelectedProject.ts"
import { StateStore } from "../../../src/Layers/worker/StateStore.ts"
import * as Supervisor from "../../../src/Layers/worker/Supervisor.ts"
import { claudePlan } from "../../fixtures/AgentPlans.ts"
import { unheardEvents } from "../../fixtures/UnheardEvents.ts"
import * as FakeRuns from "./FakeRuns.ts"
import { crash, layerOf, loginsOf, makeSurroundings, plan, settle } from "./SupervisorWorld.ts"

const look = Effect.gen(function* () {
  yield* settle
  const { project } = yield* Supervisor.Supervisor
  const { state } = yield* (yield* project(undefined)).snapshot
  return { state, word: statusWord(state) }
})

const command = (name: "start" | "stop" | "restart") =>
  Effect.gen(function* () {
    const { project } = yield* Supervisor.Supervisor
    return yield* (yield* project(undefined)).command(name)
  })

const begin = Effect.flatMap(Supervisor.Supervisor, (supervisor) => supervisor.begin)

const newest = Effect.gen(function* () {
  const lives = yield* FakeRuns.FakeRuns
  const life = lives.started.at(-1)
  return life ?? (yield* Effect.dieMessage("nothing was started"))
})

const crashNewest = Effect.flatMap(newest, (life) => life.exit(crash)).pipe(Effect.zipRight(settle))

describe("backoff, on the test's clock", () => {
  it.effect("waits 1 2 4 ... 256 seconds to the millisecond, then gives up at the 10th failure", () =>
    Effect.gen(function* () {
      const lives = yield* FakeRuns.FakeRuns
      yield* begin
      yield* settle
      for (const seconds of [1, 2, 4, 8, 16, 32, 64, 128, 256]) {
        const before = lives.started.length
        yield* crashNewest
        assert.strictEqual((yield* look).word, "restarting")
        yield* TestClock.adjust(Duration.millis(seconds * 1000 - 1))
        assert.lengthOf(lives.started, before, `started before ${seconds} s were over`)
        yield* TestClock.adjust("1 millis")
        yield* settle
        assert.lengthOf(lives.started, before + 1, `not started after ${seconds} s`)
      }
      yield* crashNewest
      yield* TestClock.adjust("10 days")
      const { state, word } = yield* look
      assert.strictEqual(word, "failed")
      assert.strictEqual(state.totalRestarts, 9)
      assert.lengthOf(lives.started, 10)
      assert.strictEqual(lives.mostAlive(), 1)
    }).pipe(Effect.provide(layerOf(makeSurroundings())))
  )

  it.effect("with a larger maximum stays at 300 seconds", () =>
    Effect.gen(function* () {
      const lives = yield* FakeRuns.FakeRuns
      yield* begin
      yield* settle
      for (let failure = 1; failure <= 12; failure++) {
        yield* crashNewest
        const { state } = yield* look
        const due = nextStartMs(state) ?? 0
        const delayMs = due - (yield* TestClock.currentTimeMillis)
        assert.strictEqual(delayMs, Math.min(2 ** (failure - 1), 300) * 1000)
        yield* TestClock.adjust(Duration.millis(delayMs))
        yield* settle
        assert.lengthOf(lives.started, failure + 1)
      }
    }).pipe(
      Effect.provide(
        layerOf(makeSurroundings(), {
          projects: [{ ...plan, restart: { ...plan.restart, maxConsecutiveRestarts: 50 } }]
        })
      )
    )
  )

  it.effect("setting the clock by an hour changes neither its length nor the reported time left", () =>
    Effect.gen(function* () {
      const clock = yield* Effect.clock
      for (const jumpMs of [3_600_000, -3_600_000]) {
        let offsetMs = 10 * 3_600_000
        const wall = (): number => clock.unsafeCurrentTimeMillis() + offsetMs
        const settable: Clock.Clock = Object.assign(Object.create(clock), {
          unsafeCurrentTimeMillis: wall,
          unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos(),
          currentTimeMillis: Effect.sync(wall)
        })
        yield* Effect.gen(function* () {
          const { project } = yield* Supervisor.Supervisor
          yield* begin
          yield* settle
          yield* crashNewest
          offsetMs += jumpMs
          const { nextStartMs: dueMs } = yield* (yield* project(undefined)).snapshot
          assert.strictEqual((dueMs ?? 0) - wall(), 1000)
          yield* TestClock.adjust("999 millis")
          assert.strictEqual((yield* look).word, "restarting")
          yield* TestClock.adjust("1 millis")
          assert.strictEqual((yield* look).word, "running")
        }).pipe(Effect.provide(layerOf(makeSurroundings())), Effect.withClock(settable))
      }
    })
  )

  it.effect("the failures are reset after 60 seconds of running, while the worker runs (D29)", () =>
    Effect.gen(function* () {
      yield* begin
      yield* settle
      yield* crashNewest
      yield* TestClock.adjust("1 seconds")
      yield* settle
      yield* TestClock.adjust("59999 millis")
      assert.strictEqual((yield* look).state.failures, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* look).state.failures, 0)
      yield* crashNewest
      const { state } = yield* look
      assert.strictEqual((nextStartMs(state) ?? 0) - (yield* TestClock.currentTimeMillis), 1000)
    }).pipe(Effect.provide(layerOf(makeSurroundings())))
  )

  it.effect("the time of the start after recovery_cooldown_ms is known; without it there is none", () =>
    Effect.gen(function* () {
      const { project } = yield* Supervisor.Supervisor
      const dueInMs = Effect.gen(function* () {
        const { nextStartMs: dueMs, state } = yield* (yield* project(undefined)).snapshot
        assert.strictEqual(state.phase._tag, "Failed")
        return dueMs === undefined ? undefined : dueMs - (yield* TestClock.currentTimeMillis)
      })
      const change = (recoveryCooldownMs: number | false) =>
        Effect.flatMap(project(undefined), (actor) =>
          actor.replan({
            ...plan,
            restart: { ...plan.restart, maxConsecutiveRestarts: 1, recoveryCooldownMs }
          })
        ).pipe(Effect.zipRight(settle))
      yield* begin
      yield* settle
      yield* crashNewest
      assert.strictEqual(yield* dueInMs, 600_000)
      yield* TestClock.adjust("1 minutes")
      assert.strictEqual(yield* dueInMs, 540_000)
      yield* change(false)
      assert.isUndefined(yield* dueInMs)
      yield* change(1000)
      assert.strictEqual(yield* dueInMs, 1000)
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual((yield* look).word, "running")
    }).pipe(
      Effect.provide(
        layerOf(makeSurroundings(), {
          projects: [
            {
              ...plan,
              restart: { ...plan.restart, maxConsecutiveRestarts: 1, recoveryCooldownMs: 600_000 }
            }
          ]
        })
      )
    )
  )

  it.effect("a start that fails is retried with the same backoff (D6)", () =>
    Effect.gen(function* () {
      const lives = yield* FakeRuns.FakeRuns
      lives.refuse("no such program")
      yield* begin
      assert.strictEqual((yield* look).word, "restarting")
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual((yield* look).state.failures, 2)
      lives.refuse(undefined)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* look).word, "running")
    }).pipe(Effect.provide(layerOf(makeSurroundings())))
  )
})

describe("commands are served before any timer fires", () => {
  it.effect("start during a backoff starts at once and resets the delays", () =>
    Effect.gen(function* () {
      const lives = yield* FakeRuns.FakeRuns
      yield* begin
      yield* settle
      for (const seconds of [1, 2, 4]) {
        yield* crashNewest
        yield* TestClock.adjust(Duration.seconds(seconds))
        yield* settle
      }
      yield* crashNewest
      assert.deepStrictEqual(yield* command("start"), { success: true, message: "Worker is starting" })
      const { state, word } = yield* look
      assert.strictEqual(word, "running")
      assert.strictEqual(state.failures, 0)
      yield* crashNewest
      assert.strictEqual((nextStartMs((yield* look).state) ?? 0) - (yield* TestClock.currentTimeMillis), 1000)
      assert.strictEqual(lives.mostAlive(), 1)
    }).pipe(Effect.provide(layerOf(makeSurroundings())))
  )

  it.effect("stop during a backoff stops for good (D3)", () =>
    Effect.gen(function* () {
      const lives = yield* FakeRuns.FakeRuns
      yield* begin
      yield* settle
      yield* crashNewest
      assert.deepStrictEqual(yield* command("stop"), { success: true, message: "Worker stopped" })
      yield* TestClock.adjust("1 days")
      assert.strictEqual((yield* look).word, "stopped")
      assert.lengthOf(lives.started, 1)
    }).pipe(Effect.provide(layerOf(makeSurroundings())))
  )

  it.effect("stop, start and restart are answered while a worker takes 20 seconds to exit (D1)", () =>
    Effect.gen(function* () {
      const lives = yield* FakeRuns.FakeRuns
      yield* begin
      yield* settle
      lives.endsAfter(20_000)
      assert.strictEqual((yield* command("stop")).message, "Worker is stopping")
      assert.strictEqual((yield* look).word, "stopping")
      assert.strictEqual(
        (yield* command("start")).message,
        "Worker is stopping and will be started once its last process is gone"
      )
      assert.strictEqual((yield* command("restart")).message, "Worker restart initiated")
      yield* TestClock.adjust("19999 millis")
      assert.lengthOf(lives.started, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* look).word, "running")
      assert.lengthOf(lives.started, 2)
      assert.strictEqual(lives.mostAlive(), 1)
      lives.endsAfter(0)
    }).pipe(Effect.provide(layerOf(makeSurroundings())))
  )

  it.effect("200 commands at once never make two workers, and the last one decides", () =>
    Effect.gen(function* () {
      const lives = yield* FakeRuns.FakeRuns
      yield* begin
      for (let round = 0; round < 200; round++) {
        yield* command((["start", "stop", "restart"] as const)[round % 3] ?? "stop")
        if (round % 7 === 0) yield* settle
      }
      yield* command("stop")
      yield* settle
      assert.strictEqual((yield* look).word, "stopped")
      assert.strictEqual(lives.alive(), 0)
      assert.isAtMost(lives.mostAlive(), 1)
    }).pipe(Effect.provide(layerOf(makeSurroundings())))
  )

  it.effect("an unknown project is an error that names the known ones", () =>
    Effect.gen(function* () {
      const { project } = yield* Supervisor.Supervisor
      const error = yield* Effect.flip(project(ProjectName.make("shop")))
      assert.strictEqual(error.message, 'There is no project "shop" here. The projects are: default.')
    }).pipe(Effect.provide(layerOf(makeSurroundings())))
  )
})

describe("what survives the daemon", () => {
  const failed: SavedState = {
    ...emptyState,
    failures: 10,
    failed: "10 failures in a row, the last: exit code 1"
  }

  it.effect("is saved before it takes effect", () => {
    const around = makeSurroundings()
    return Effect.gen(function* () {
      yield* begin
      yield* settle
      yield* crashNewest
      const saved = around.saved.get("default")
      assert.strictEqual(saved?.failures, 1)
      assert.strictEqual(saved?.wait?.kind, "backoff")
      yield* command("stop")
      assert.strictEqual(around.saved.get("default")?.wanted, "down")
    }).pipe(Effect.provide(layerOf(around)))
  })

  it.effect(
    "in a crash loop without backoff, the id of each run before it starts, and all of it once a second",
    () => {
      const around = makeSurroundings()
      const restart = { ...plan.restart, initialBackoffMs: 0, maxConsecutiveRestarts: 1000 }
      return Effect.gen(function* () {
        const lives = yield* FakeRuns.FakeRuns
        yield* begin
        yield* settle
        yield* TestClock.adjust("2 seconds")
        const unsaved: Array<string> = []
        lives.onStart(() => {
          const id = `home:default:${lives.started.length + 1}`
          if (around.saved.get("default")?.workerId !== id) unsaved.push(id)
        })
        around.saves.length = 0
        for (let crashes = 0; crashes < 50; crashes++) yield* crashNewest
        assert.lengthOf(lives.started, 51)
        assert.deepStrictEqual(unsaved, [])
        assert.deepStrictEqual(
          around.saves,
          Array.from({ length: 50 }, () => "quick")
        )
        yield* TestClock.adjust("5 seconds")
        assert.deepStrictEqual(around.saves.slice(50), ["durable"])
        assert.strictEqual(around.saved.get("default")?.failures, 50)
      }).pipe(Effect.provide(layerOf(around, { projects: [{ ...plan, restart }] })))
    }
  )

  it.effect("the daemon's exit changes only the recorded processes, which are gone", () => {
    const around = makeSurroundings()
    return Effect.gen(function* () {
      const { drain } = yield* Supervisor.Supervisor
      yield* begin
      yield* settle
      // The leader has written its own file before; its state follows within a second.
      yield* TestClock.adjust("1 second")
      const before = around.saved.get("default")
      assert(before !== undefined)
      assert.deepStrictEqual(before.tree, {
        bootId: "boot",
        homeId: "home",
        processes: [{ pid: 1000, startTicks: 1 }]
      })
      assert.deepStrictEqual(yield* drain, [])
      const { tree: _, ...wish } = before
      assert.deepStrictEqual<unknown>(around.saved.get("default"), wish)
      assert.strictEqual(before.wanted, "up")
    }).pipe(Effect.provide(layerOf(around)))
  })

  it.effect("with --keep-state, failed stays failed", () => {
    const around = makeSurroundings({ default: failed })
    return Effect.gen(function* () {
      const lives = yield* FakeRuns.FakeRuns
      yield* begin
      yield* TestClock.adjust("1 days")
      assert.strictEqual((yield* look).word, "failed")
      assert.lengthOf(lives.started, 0)
      // A daemon that was killed may have left a worker all the same.
      assert.strictEqual(lives.sweeps(), 1)
    }).pipe(Effect.provide(layerOf(around, { keepState: true })))
  })

  it.effect("with --keep-state, stopped stays stopped and a wait is waited out", () =>
    Effect.gen(function* () {
      const stopped = makeSurroundings({ default: { ...emptyState, wanted: "down" } })
      yield* Effect.gen(function* () {
        yield* begin
        assert.strictEqual((yield* look).word, "stopped")
      }).pipe(Effect.provide(layerOf(stopped, { keepState: true })))

      const wait = { kind: "backoff", untilMs: 90_000, because: "exit code 1" } as const
      const waiting = makeSurroundings({ default: { ...emptyState, failures: 7, wait } })
      yield* Effect.gen(function* () {
        const lives = yield* FakeRuns.FakeRuns
        yield* begin
        assert.strictEqual((yield* look).word, "restarting")
        yield* TestClock.adjust("89999 millis")
        assert.lengthOf(lives.started, 0)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual((yield* look).word, "running")
        yield* crashNewest
        const due = nextStartMs((yield* look).state) ?? 0
        assert.strictEqual(due - (yield* TestClock.currentTimeMillis), 128_000)
      }).pipe(Effect.provide(layerOf(waiting, { keepState: true })))
    })
  )

  it.effect("a clock set back by a year makes no backoff longer than its maximum", () => {
    const wait = { kind: "backoff", untilMs: 365 * 86_400_000, because: "exit code 1" } as const
    return Effect.gen(function* () {
      yield* begin
      yield* settle
      yield* TestClock.adjust("300 seconds")
      assert.strictEqual((yield* look).word, "running")
    }).pipe(
      Effect.provide(
        layerOf(makeSurroundings({ default: { ...emptyState, failures: 1, wait } }), { keepState: true })
      )
    )
  })

  it.effect("a plain start clears the saved state and reports what it cleared", () => {
    const around = makeSurroundings({ default: failed })
    return Effect.gen(function* () {
      yield* begin
      assert.strictEqual((yield* look).word, "running")
      assert.deepStrictEqual(
        around.events.filter((event) => event._tag === "StateCleared"),
        [
          {
            _tag: "StateCleared",
            project: unnamed,
            what: "the failed state (10 failures in a row, the last: exit code 1)"
          }
        ]
      )
    }).pipe(Effect.provide(layerOf(around)))
  })

  it.effect("a disk that fails or hangs is reported and stops no worker", () =>
    Effect.gen(function* () {
      for (const disk of ["fails", "hangs"] as const) {
        const around = makeSurroundings()
        around.disk = disk
        yield* Effect.gen(function* () {
          const beginning = yield* Effect.fork(begin)
          yield* TestClock.adjust("3 seconds")
          yield* Fiber.join(beginning)
          assert.strictEqual((yield* look).word, "running")
          // A disk that hangs is waited for once, not at every change.
          assert.strictEqual((yield* command("stop")).message, "Worker is stopping")
          assert.strictEqual((yield* look).word, "stopped")
          assert.include(
            around.events.map((event) => event._tag),
            "StateNotSaved"
          )
        }).pipe(Effect.provide(layerOf(around)))
      }
    })
  )
})

describe("defects", () => {
  it.effect("a defect while a worker runs counts as a failure, and the daemon restarts the worker", () =>
    Effect.gen(function* () {
      const lives = yield* FakeRuns.FakeRuns
      lives.breakNext()
      yield* begin
      const { state, word } = yield* look
      assert.strictEqual(word, "restarting")
      assert.strictEqual(state.failures, 1)
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual((yield* look).word, "running")
    }).pipe(Effect.provide(layerOf(makeSurroundings())))
  )

  it.effect("a defect in the supervisor itself stops the daemon: no command and no drain hangs", () => {
    const around = makeSurroundings()
    const Broken = Layer.succeed(
      DaemonEvents,
      unheardEvents((event) =>
        event._tag === "CommandTaken"
          ? Effect.dieMessage("a bug in publishing")
          : Effect.sync(() => void around.events.push(event))
      )
    )
    return Effect.gen(function* () {
      const { beyondHelp } = yield* Concerns.Concerns
      const { drain } = yield* Supervisor.Supervisor
      yield* begin
      yield* settle
      const answer = yield* command("restart")
      assert.deepStrictEqual(answer, {
        success: false,
        message: "Cannot restart the worker: its supervisor has failed and the daemon is stopping"
      })
      assert.strictEqual(yield* beyondHelp, "supervisor")
      assert.deepStrictEqual(yield* drain, [])
      assert.include(
        around.events.map((event) => event._tag),
        "ConcernBeyondHelp"
      )
    }).pipe(
      Effect.provide(
        Supervisor.layer({ projects: [plan], keepState: false }).pipe(
          Layer.provideMerge(
            Layer.mergeAll(
              Concerns.layer.pipe(Layer.provideMerge(Broken)),
              Layer.succeed(StateStore, {
                load: () => Effect.succeed(undefined),
                save: () => Effect.void,
                saveNow: () => false
              }),
              Layer.succeed(SelectedProject, { load: Effect.succeed(undefined), save: () => Effect.void }),
              loginsOf(around),
              Layer.succeed(WorkerLog, {
                open: () => Effect.succeed({ capture: () => Effect.never, note: () => Effect.void })
              }),
              FakeRuns.layer
            )
          )
        )
      )
    )
  })

  it.effect("the worker is killed also without a drain: closing the scope is enough", () =>
    Effect.gen(function* () {
      const alive = yield* Effect.gen(function* () {
        const lives = yield* FakeRuns.FakeRuns
        yield* begin
        yield* settle
        assert.strictEqual(lives.alive(), 1)
        return lives.alive
      }).pipe(Effect.provide(layerOf(makeSurroundings())))
      assert.strictEqual(alive(), 0)
    })
  )

  it.effect("a second stop request ends the grace period", () =>
    Effect.gen(function* () {
      const lives = yield* FakeRuns.FakeRuns
      const { drain } = yield* Supervisor.Supervisor
      yield* begin
      yield* settle
      lives.endsAfter(60_000)
      const first = yield* Effect.fork(drain)
      yield* settle
      assert.strictEqual((yield* look).word, "stopping")
      assert.strictEqual(lives.alive(), 1)
      assert.deepStrictEqual(yield* drain, [])
      assert.deepStrictEqual(yield* Fiber.join(first), [])
      assert.strictEqual(lives.alive(), 0)
    }).pipe(Effect.provide(layerOf(makeSurroundings())))
  )
})

describe("the session of an agent", () => {
  const print = ["-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"]
  const withAgent = { ...plan, argv: ["claude", ...print] as const, agent: claudePlan }

  it.effect("is on the disk before the run begins, and a run that cannot start begins none", () => {
    const around = makeSurroundings()
    return Effect.gen(function* () {
      const lives = yield* FakeRuns.FakeRuns
      lives.refuse("no such program")
      yield* begin
      assert.strictEqual((yield* look).word, "restarting")
      assert.isUndefined(around.saved.get("default")?.work?.session)
      lives.refuse(undefined)
      let atStart: SavedState | undefined
      lives.onStart(() => (atStart = around.saved.get("default")))
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual((yield* look).word, "running")
      assert.strictEqual((yield* newest).id, "home:default:2")
      assert.deepInclude(atStart?.work, { session: "2", task: claudePlan.task, resumes: 0 })

      yield* crashNewest
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* look).word, "running")
      assert.deepInclude(atStart?.work, { session: "2", resumes: 1, fruitless: 2 })
      assert.deepInclude(
        around.events.filter(({ _tag }) => _tag === "SessionContinued"),
        { _tag: "SessionContinued", project: unnamed, sessionId: "2", inARow: 1 }
      )
    }).pipe(Effect.provide(layerOf(around, { projects: [withAgent] })))
  })

  it.effect(
    "of a killed daemon is continued by the next one, and a budget that is used up starts nothing",
    () => {
      const work = { ...noWork, session: "s1", task: claudePlan.task, usd: 4, turns: 2, fruitless: 4 }
      const around = makeSurroundings({ default: { ...emptyState, work } })
      const budget = { ...claudePlan.budget, workUsd: 5 }
      return Effect.gen(function* () {
        const lives = yield* FakeRuns.FakeRuns
        yield* begin
        const { state, word } = yield* look
        assert.strictEqual(word, "failed")
        assert.include(reason(state), "the work has spent $4.00 of max_budget ($5.00)")
        assert.lengthOf(lives.started, 0)
        const { project } = yield* Supervisor.Supervisor
        yield* (yield* project(undefined)).forget
        yield* command("start")
        assert.strictEqual((yield* look).word, "running")
      }).pipe(
        Effect.provide(layerOf(around, { projects: [{ ...withAgent, agent: { ...claudePlan, budget } }] }))
      )
    }
  )
})
