import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import { ProjectName, unnamed } from "../../../src/Domain/Project.ts"
import type { ProjectPlan, ProjectPlans } from "../../../src/Domain/worker/ProjectPlan.ts"
import { emptyState } from "../../../src/Domain/worker/SavedState.ts"
import { reason, statusWord } from "../../../src/Domain/worker/WorkerState.ts"
import * as ProjectSwitch from "../../../src/Layers/worker/ProjectSwitch.ts"
import * as Supervisor from "../../../src/Layers/worker/Supervisor.ts"
import { defaultPolicy } from "../../fixtures/policies.ts"
import * as FakeRuns from "./FakeRuns.ts"
import { crash, layerOf, makeSurroundings, plan, type Surroundings, settle } from "./SupervisorWorld.ts"

const named = (name: string, changed: Partial<ProjectPlan> = {}): ProjectPlan => ({
  ...plan,
  project: ProjectName.make(name),
  ...changed
})

const shop = ProjectName.make("shop")
const blog = ProjectName.make("blog")

/** The test's clock stands still once the test is over: nothing may take time to end then. */
const endAtOnce = Effect.map(FakeRuns.FakeRuns, ({ endsAfter }) => endsAfter(0))

const around =
  (world: Surroundings, options: Partial<Supervisor.SupervisorOptions> = {}) =>
  <A, E, R>(test: Effect.Effect<A, E, R>) =>
    Effect.provide(
      Effect.ensuring(test, endAtOnce),
      ProjectSwitch.layer.pipe(
        Layer.provideMerge(layerOf(world, { projects: [plan, named("shop"), named("blog")], ...options }))
      )
    )

const begin = Effect.flatMap(Supervisor.Supervisor, (supervisor) => supervisor.begin).pipe(
  Effect.zipRight(settle)
)

const snapshotOf = (name: ProjectName | undefined) =>
  Effect.gen(function* () {
    yield* settle
    const { project } = yield* Supervisor.Supervisor
    return yield* (yield* project(name)).snapshot
  })

const wordOf = (name: ProjectName | undefined) =>
  Effect.map(snapshotOf(name), ({ state }) => statusWord(state))

/** The states of all projects, in the order in which they are shown. */
const words = Effect.gen(function* () {
  yield* settle
  const { snapshots } = yield* Supervisor.Supervisor
  return (yield* snapshots).map(({ plan, state }) => `${plan.project} ${statusWord(state)}`)
})

const commandTo = (name: ProjectName, command: "start" | "stop" | "restart") =>
  Effect.gen(function* () {
    const { project } = yield* Supervisor.Supervisor
    return yield* (yield* project(name)).command(command)
  })

const apply = (...plans: ProjectPlans) =>
  Effect.flatMap(Supervisor.Supervisor, (supervisor) => supervisor.apply(plans)).pipe(Effect.zipRight(settle))

const switchTo = (name: ProjectName, keep = false) =>
  Effect.flatMap(ProjectSwitch.ProjectSwitch, ({ to }) => to(name, { keep }))

const newestOf = (name: ProjectName) =>
  Effect.map(FakeRuns.FakeRuns, ({ started }) =>
    started.filter(({ id }) => id.startsWith(`home:${name}:`)).at(-1)
  )

describe("several projects", () => {
  it.effect("a project that crashes and backs off does not affect the others (D32)", () =>
    Effect.gen(function* () {
      yield* begin
      yield* (yield* newestOf(shop))?.exit(crash) ?? Effect.void
      assert.deepStrictEqual(yield* words, ["default running", "shop restarting", "blog running"])
      yield* TestClock.adjust("1 seconds")
      assert.strictEqual(yield* wordOf(shop), "running")
      const lives = yield* FakeRuns.FakeRuns
      assert.lengthOf(lives.started, 4)
    }).pipe(around(makeSurroundings()))
  )

  it.effect("a project with autostart = false waits for a user, and status says so", () =>
    Effect.gen(function* () {
      yield* begin
      assert.deepStrictEqual(yield* words, ["default running", "shop stopped"])
      assert.strictEqual(
        reason((yield* snapshotOf(shop)).state),
        "autostart is off, and no user has started it"
      )
      yield* commandTo(shop, "start")
      assert.strictEqual(yield* wordOf(shop), "running")
    }).pipe(around(makeSurroundings(), { projects: [plan, named("shop", { autostart: false })] }))
  )

  it.effect(
    "after a crash of the daemon, autostart decides only for projects that no user has started or stopped",
    () => {
      const projects: ProjectPlans = [
        plan,
        named("shop", { autostart: false }),
        named("blog", { autostart: false })
      ]
      return Effect.gen(function* () {
        yield* begin
        assert.deepStrictEqual(yield* words, ["default stopped", "shop running", "blog stopped"])
      }).pipe(
        around(
          makeSurroundings({
            default: { ...emptyState, wanted: "down" },
            shop: { ...emptyState, wanted: "up" },
            blog: emptyState
          }),
          { projects, keepState: true }
        )
      )
    }
  )

  it.effect("a start of the daemon by a user starts the selected project, also without autostart", () => {
    const world = makeSurroundings()
    world.selected = shop
    return Effect.gen(function* () {
      yield* begin
      assert.deepStrictEqual(yield* words, ["default running", "shop running"])
      assert.strictEqual((yield* snapshotOf(undefined)).plan.project, shop)
    }).pipe(around(world, { projects: [plan, named("shop", { autostart: false })] }))
  })

  it.effect("--keep-state starts neither the selected project nor the first one without autostart", () => {
    const world = makeSurroundings()
    const projects: ProjectPlans = [named("shop", { autostart: false }), named("blog", { autostart: false })]
    return Effect.gen(function* () {
      yield* Effect.zipRight(
        begin,
        Effect.map(words, (found) => assert.deepStrictEqual(found, ["shop stopped", "blog stopped"]))
      ).pipe(around(world, { projects }))
      world.selected = blog
      const kept = yield* Effect.zipRight(begin, words).pipe(around(world, { projects, keepState: true }))
      assert.deepStrictEqual(kept, ["shop stopped", "blog stopped"])
    })
  })

  it.effect(
    "a stopped worker is stopped since then, also for the next daemon; a start is a state of its own",
    () => {
      const world = makeSurroundings()
      const shopSince = Effect.map(snapshotOf(shop), ({ sinceMs }) => sinceMs)
      const options = { projects: [named("shop")] as const, keepState: true }
      return Effect.gen(function* () {
        yield* Effect.gen(function* () {
          yield* TestClock.adjust("1 minute")
          yield* begin
          yield* TestClock.adjust("1 minute")
          const { project } = yield* Supervisor.Supervisor
          yield* (yield* project(shop)).command("stop")
          yield* settle
          yield* TestClock.adjust("1 minute")
          assert.strictEqual(yield* shopSince, 120_000)
        }).pipe(around(world, options))
        yield* TestClock.adjust("10 minutes")
        yield* Effect.gen(function* () {
          yield* begin
          assert.deepStrictEqual(yield* words, ["shop stopped"])
          assert.strictEqual(yield* shopSince, 120_000)
          const { project } = yield* Supervisor.Supervisor
          yield* (yield* project(shop)).command("start")
          yield* settle
          assert.isAtLeast(yield* shopSince, 780_000)
        }).pipe(around(world, options))
      })
    }
  )

  it.effect("a selection without its project falls back to the first project", () => {
    const world = makeSurroundings()
    world.selected = ProjectName.make("gone")
    return Effect.gen(function* () {
      assert.strictEqual((yield* snapshotOf(undefined)).plan.project, unnamed)
    }).pipe(around(world))
  })

  it.effect("the shutdown of the daemon takes one grace period for all projects together", () =>
    Effect.gen(function* () {
      const lives = yield* FakeRuns.FakeRuns
      const { drain } = yield* Supervisor.Supervisor
      yield* begin
      assert.strictEqual(lives.alive(), 3)
      lives.endsAfter(10_000)
      const draining = yield* Effect.fork(drain)
      yield* settle
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(yield* Fiber.join(draining), [])
      assert.strictEqual(lives.alive(), 0)
    }).pipe(around(makeSurroundings()))
  )

  it.effect("closing the scope without a drain takes one grace period for all projects too", () =>
    Effect.gen(function* () {
      const closed = yield* Effect.gen(function* () {
        const lives = yield* FakeRuns.FakeRuns
        yield* begin
        lives.endsAfter(10_000)
        return lives
      }).pipe(
        Effect.provide(layerOf(makeSurroundings(), { projects: [plan, named("shop"), named("blog")] })),
        Effect.fork
      )
      yield* settle
      yield* TestClock.adjust("10 seconds")
      const lives = yield* Fiber.join(closed)
      assert.strictEqual(lives.mostAlive(), 3)
      assert.strictEqual(lives.alive(), 0)
    })
  )
})

describe("a switch", () => {
  it.effect("starts the other worker only when the last process of the previous one is gone", () =>
    Effect.gen(function* () {
      const lives = yield* FakeRuns.FakeRuns
      yield* begin
      assert.strictEqual(lives.alive(), 1)
      lives.endsAfter(5000)
      const { message } = yield* switchTo(shop)
      assert.strictEqual(
        message,
        "Switched from default to shop. Worker is waiting: the worker of default is being stopped first"
      )
      assert.deepStrictEqual(yield* words, ["default stopping", "shop waiting"])
      yield* TestClock.adjust("4999 millis")
      assert.deepStrictEqual(yield* words, ["default stopping", "shop waiting"])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* words, ["default stopped", "shop running"])
      assert.strictEqual(lives.mostAlive(), 1)
      assert.strictEqual((yield* snapshotOf(undefined)).plan.project, shop)
      assert.strictEqual((yield* snapshotOf(shop)).state.totalRestarts, 0)
    }).pipe(around(makeSurroundings(), { projects: [plan, named("shop", { autostart: false })] }))
  )

  it.effect("with keep leaves the previous worker running", () =>
    Effect.gen(function* () {
      yield* begin
      assert.strictEqual((yield* switchTo(shop, true)).message, "Selected shop. Worker is starting")
      assert.deepStrictEqual(yield* words, ["default running", "shop running"])
    }).pipe(around(makeSurroundings(), { projects: [plan, named("shop", { autostart: false })] }))
  )

  it.effect("to the selected project starts it, and stops nothing", () =>
    Effect.gen(function* () {
      yield* begin
      yield* commandTo(unnamed, "stop")
      assert.strictEqual((yield* switchTo(unnamed)).message, "Selected default. Worker is starting")
      assert.deepStrictEqual(yield* words, ["default running", "shop running", "blog running"])
    }).pipe(around(makeSurroundings()))
  )

  it.effect("from a project whose worker does not run starts the other at once", () =>
    Effect.gen(function* () {
      yield* begin
      yield* commandTo(unnamed, "stop")
      yield* settle
      assert.strictEqual(
        (yield* switchTo(blog)).message,
        "Switched from default to blog. Worker is already running"
      )
      yield* commandTo(blog, "stop")
      yield* settle
      assert.strictEqual(
        (yield* switchTo(unnamed)).message,
        "Switched from blog to default. Worker is starting"
      )
    }).pipe(around(makeSurroundings()))
  )

  it.effect("is cancelled by a stop, and completed at once by a start", () =>
    Effect.gen(function* () {
      const lives = yield* FakeRuns.FakeRuns
      yield* begin
      lives.endsAfter(5000)
      yield* switchTo(shop)
      yield* commandTo(shop, "stop")
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* words, ["default stopped", "shop stopped"])
      lives.endsAfter(0)
      yield* switchTo(unnamed)
      yield* settle
      lives.endsAfter(5000)
      yield* switchTo(shop)
      yield* commandTo(shop, "start")
      assert.deepStrictEqual(yield* words, ["default stopping", "shop running"])
      yield* TestClock.adjust("10 minutes")
      assert.deepStrictEqual(yield* words, ["default stopped", "shop running"])
    }).pipe(around(makeSurroundings(), { projects: [plan, named("shop", { autostart: false })] }))
  )

  it.effect("to a third project waits for all workers that are stopping, and so does a repeated switch", () =>
    Effect.gen(function* () {
      const lives = yield* FakeRuns.FakeRuns
      yield* begin
      lives.endsAfter(5000)
      yield* switchTo(shop)
      yield* switchTo(shop)
      assert.deepStrictEqual(yield* words, ["default stopping", "shop waiting", "blog stopped"])
      yield* switchTo(blog)
      assert.deepStrictEqual(yield* words, ["default stopping", "shop stopped", "blog waiting"])
      yield* switchTo(shop, true)
      assert.deepStrictEqual(yield* words, ["default stopping", "shop waiting", "blog waiting"])
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* words, ["default stopped", "shop running", "blog running"])
    }).pipe(
      around(makeSurroundings(), {
        projects: [plan, named("shop", { autostart: false }), named("blog", { autostart: false })]
      })
    )
  )

  it.effect("and back while the first worker is stopping restarts it when its last process is gone", () =>
    Effect.gen(function* () {
      const lives = yield* FakeRuns.FakeRuns
      yield* begin
      lives.endsAfter(5000)
      yield* switchTo(shop)
      yield* switchTo(unnamed)
      assert.deepStrictEqual(yield* words, ["default stopping", "shop stopped"])
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* words, ["default running", "shop stopped"])
      assert.strictEqual(lives.mostAlive(), 1)
    }).pipe(around(makeSurroundings(), { projects: [plan, named("shop", { autostart: false })] }))
  )

  it.effect("does not wait for ever for a worker that cannot be killed", () =>
    Effect.gen(function* () {
      const lives = yield* FakeRuns.FakeRuns
      yield* begin
      lives.endsAfter(3_600_000)
      yield* switchTo(shop)
      yield* settle
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(yield* words, ["default stopping", "shop running"])
      yield* TestClock.adjust("1 hours")
    }).pipe(around(makeSurroundings(), { projects: [plan, named("shop", { autostart: false })] }))
  )

  it.effect("survives the daemon, and an unknown project changes nothing", () => {
    const world = makeSurroundings()
    return Effect.gen(function* () {
      yield* Effect.zipRight(begin, switchTo(shop, true)).pipe(around(world))
      assert.strictEqual(world.selected, "shop")
      const error = yield* Effect.flip(switchTo(ProjectName.make("nope"))).pipe(around(world))
      assert.strictEqual(
        error.message,
        'There is no project "nope" here. The projects are: default, shop, blog.'
      )
      assert.strictEqual(world.selected, "shop")
      assert.strictEqual((yield* snapshotOf(undefined).pipe(around(world))).plan.project, "shop")
    })
  })
})

describe("added, changed and removed projects", () => {
  it.effect("a new project starts, a removed one stops, the others keep running", () => {
    const world = makeSurroundings()
    return Effect.gen(function* () {
      yield* begin
      const before = (yield* newestOf(unnamed))?.pid
      yield* apply(plan, named("blog"), named("mail"))
      assert.deepStrictEqual(yield* words, ["default running", "blog running", "mail running"])
      assert.strictEqual((yield* newestOf(unnamed))?.pid, before)
      const { project } = yield* Supervisor.Supervisor
      const error = yield* Effect.flip(project(shop))
      assert.include(error.message, "The projects are: default, blog, mail.")
      assert.deepInclude(world.events, { _tag: "ProjectRemoved", project: shop, leftBehind: [] })
    }).pipe(around(world))
  })

  it.effect("a project that is added again while it is stopping starts only when it is gone", () =>
    Effect.gen(function* () {
      const lives = yield* FakeRuns.FakeRuns
      yield* begin
      lives.endsAfter(5000)
      yield* apply(plan, named("blog"))
      assert.deepStrictEqual(yield* words, ["default running", "blog running", "shop stopping"])
      assert.strictEqual(reason((yield* snapshotOf(shop)).state), "the project was removed from the settings")
      assert.deepStrictEqual(yield* commandTo(shop, "start"), {
        success: false,
        message: "Cannot start the worker: the project was removed from the settings"
      })
      yield* apply(plan, named("shop"), named("blog"))
      assert.deepStrictEqual(yield* words, ["default running", "shop stopping", "blog running"])
      assert.strictEqual(lives.mostAlive(), 3)
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(yield* words, ["default running", "shop running", "blog running"])
      assert.strictEqual(lives.mostAlive(), 3)
    }).pipe(around(makeSurroundings()))
  )

  it.effect("a project that is added again has its saved state: stopped stays stopped", () =>
    Effect.gen(function* () {
      yield* begin
      yield* commandTo(shop, "stop")
      yield* settle
      yield* apply(plan)
      yield* apply(plan, named("shop"), named("blog"))
      assert.deepStrictEqual(yield* words, ["default running", "shop stopped", "blog running"])
    }).pipe(around(makeSurroundings()))
  )

  it.effect(
    "a new policy applies at once: a backoff is cut to the new maximum, a stop takes the new grace period",
    () =>
      Effect.gen(function* () {
        yield* begin
        for (const seconds of [1, 2, 4, 8, 16]) {
          yield* (yield* newestOf(shop))?.exit(crash) ?? Effect.void
          yield* settle
          yield* TestClock.adjust(seconds * 1000)
        }
        yield* (yield* newestOf(shop))?.exit(crash) ?? Effect.void
        assert.strictEqual(yield* wordOf(shop), "restarting")
        const restart = { ...defaultPolicy, maxBackoffMs: 3000 }
        yield* apply(plan, named("shop", { restart }), named("blog"))
        yield* TestClock.adjust("2999 millis")
        assert.strictEqual(yield* wordOf(shop), "restarting")
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(yield* wordOf(shop), "running")
      }).pipe(around(makeSurroundings()))
  )

  it.effect(
    "a project whose settings allow no start is failed until they are corrected, and saves nothing",
    () => {
      const world = makeSurroundings({ shop: { ...emptyState, wanted: "up" } })
      const refused = named("shop", { argv: [""], refusal: "its settings have a mistake" })
      return Effect.gen(function* () {
        yield* begin
        assert.deepStrictEqual(yield* words, ["default running", "shop failed", "blog running"])
        assert.strictEqual(reason((yield* snapshotOf(shop)).state), "its settings have a mistake")
        assert.isFalse((yield* commandTo(shop, "start")).message.includes("running"))
        yield* apply(plan, named("shop", { argv: [""], refusal: "another mistake" }), named("blog"))
        assert.strictEqual(reason((yield* snapshotOf(shop)).state), "another mistake")
        assert.deepStrictEqual(world.saved.get("shop"), { ...emptyState, wanted: "up" })
        yield* apply(plan, named("shop"), named("blog"))
        assert.deepStrictEqual(yield* words, ["default running", "shop running", "blog running"])
      }).pipe(around(world, { projects: [plan, refused, named("blog")], keepState: true }))
    }
  )

  it.effect("a lower success threshold resets the failures as soon as the worker has run that long", () =>
    Effect.gen(function* () {
      yield* begin
      yield* (yield* newestOf(shop))?.exit(crash) ?? Effect.void
      yield* settle
      yield* TestClock.adjust("1 seconds")
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* snapshotOf(shop)).state.failures, 1)
      const restart = { ...defaultPolicy, successThresholdMs: 30_000 }
      yield* apply(plan, named("shop", { restart }), named("blog"))
      yield* TestClock.adjust("9999 millis")
      assert.strictEqual((yield* snapshotOf(shop)).state.failures, 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual((yield* snapshotOf(shop)).state.failures, 0)
    }).pipe(around(makeSurroundings()))
  )

  it.effect("a changed command is listed as awaiting a restart until the worker starts again", () =>
    Effect.gen(function* () {
      yield* begin
      yield* apply(plan, named("shop", { argv: ["other"], cwd: "/tmp", envTable: { A: "1" } }), named("blog"))
      const before = yield* snapshotOf(shop)
      assert.deepStrictEqual(before.awaited, ["worker_command", "working_dir", "env"])
      assert.deepStrictEqual(before.inForce.argv, ["worker"])
      yield* commandTo(shop, "restart")
      const after = yield* snapshotOf(shop)
      assert.deepStrictEqual(after.awaited, [])
      assert.deepStrictEqual(after.inForce.argv, ["other"])
    }).pipe(around(makeSurroundings()))
  )

  it.effect("no project is added while the daemon is stopping", () =>
    Effect.gen(function* () {
      const { drain } = yield* Supervisor.Supervisor
      const lives = yield* FakeRuns.FakeRuns
      yield* begin
      yield* drain
      yield* apply(plan, named("mail"))
      assert.deepStrictEqual(yield* words, ["default stopping", "shop stopping", "blog stopping"])
      assert.lengthOf(lives.started, 3)
    }).pipe(around(makeSurroundings()))
  )

  it.effect("after any sequence of additions and removals, each project of the settings runs once", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(
          FastCheck.array(
            FastCheck.record({
              there: FastCheck.subarray(["a", "b", "c", "d"]),
              endMs: FastCheck.constantFrom(0, 1000, 5000),
              passMs: FastCheck.constantFrom(0, 500, 3000)
            }),
            { minLength: 1, maxLength: 8 }
          ),
          (story) =>
            Effect.runPromise(
              Effect.gen(function* () {
                const lives = yield* FakeRuns.FakeRuns
                yield* begin
                for (const { endMs, passMs, there } of story) {
                  lives.endsAfter(endMs)
                  yield* apply(plan, ...there.map((name) => named(name)))
                  yield* TestClock.adjust(passMs)
                }
                for (let round = 0; round < 10; round++) yield* TestClock.adjust("5 seconds")
                const there = ["default", ...(story.at(-1)?.there ?? [])]
                assert.deepStrictEqual(
                  yield* words,
                  there.map((name) => `${name} running`)
                )
                assert.strictEqual(lives.alive(), there.length)
              }).pipe(around(makeSurroundings()), Effect.provide(TestContext.TestContext))
            )
        ),
        { numRuns: 15 }
      )
    )
  )
})
