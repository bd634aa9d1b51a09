import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { ProjectName } from "../../../src/Domain/Project.ts"
import type { EffectiveSettings } from "../../../src/Domain/settings/EffectiveSettings.ts"
import { SettingsError } from "../../../src/Domain/settings/SettingsProblem.ts"
import type { RawSettings } from "../../../src/Domain/toml/RawSettings.ts"
import { plansOf } from "../../../src/Domain/worker/ProjectPlan.ts"
import { statusWord } from "../../../src/Domain/worker/WorkerState.ts"
import * as SettingsReload from "../../../src/Layers/config/SettingsReload.ts"
import { SettingsInForce } from "../../../src/Layers/settings/SettingsInForce.ts"
import { Supervisor } from "../../../src/Layers/worker/Supervisor.ts"
import { inForce, settingsOf } from "../../fixtures/SettingsInForce.ts"
import { fakeService } from "../systemd/FakeService.ts"
import * as FakeRuns from "../worker/FakeRuns.ts"
import { layerOf, makeSurroundings, type Surroundings, settle } from "../worker/SupervisorWorld.ts"

const command = (...argv: ReadonlyArray<string>) => ({ type: "Command", argv })
const shop = ProjectName.make("shop")
const blog = ProjectName.make("blog")

const first: RawSettings = {
  worker_command: command("agent"),
  projects: { shop: { working_dir: "/shop" }, blog: {} }
}

/** The present file: a test writes it, a reload reads it. */
interface World extends Surroundings {
  file: EffectiveSettings | SettingsError
  readonly service: ReturnType<typeof fakeService>
}

const makeWorld = (): World => ({ ...makeSurroundings(), file: inForce(first), service: fakeService() })

const around = (world: World) => {
  const before = inForce(first)
  const Settings = Layer.effect(
    SettingsInForce,
    Effect.map(SubscriptionRef.make(before), (current) =>
      settingsOf(current, () =>
        Effect.suspend(() =>
          world.file instanceof SettingsError ? Effect.fail(world.file) : Effect.succeed(world.file)
        )
      )
    )
  )
  return Effect.provide(
    SettingsReload.layer.pipe(
      Layer.provide(world.service.layer),
      Layer.provideMerge(
        Layer.merge(Settings, layerOf(world, { projects: Either.getOrThrow(plansOf(before)) }))
      )
    )
  )
}

const begin = Effect.flatMap(Supervisor, (supervisor) => supervisor.begin).pipe(Effect.zipRight(settle))

const reload = (options: { readonly restart?: boolean; readonly project?: ProjectName } = {}) =>
  Effect.gen(function* () {
    const settings = yield* SettingsReload.SettingsReload
    return yield* settings.reload({ by: "the test", restart: false, ...options })
  }).pipe(Effect.tap(() => settle))

/** Every project with its state and the pid of its worker: whoever was not touched has the same. */
const workers = Effect.gen(function* () {
  yield* settle
  const { snapshots } = yield* Supervisor
  return (yield* snapshots).map(({ plan, state }) => {
    const pid = state.phase._tag === "Running" ? ` ${state.phase.pid}` : ""
    return `${plan.project} ${statusWord(state)}${pid}`
  })
})

describe("a reload", () => {
  it.effect("of the same file changes nothing and says so", () => {
    const world = makeWorld()
    return Effect.gen(function* () {
      yield* begin
      const before = yield* workers
      const data = yield* reload({ restart: true })
      assert.deepStrictEqual(data, {
        changes: [],
        projects_added: [],
        projects_removed: [],
        changes_command: [],
        restarted: [],
        awaiting_restart: []
      })
      assert.deepStrictEqual(yield* workers, before)
    }).pipe(around(world))
  })

  it.effect(
    "of a change and of its reversal leaves every worker running, except those of removed projects",
    () => {
      const world = makeWorld()
      return Effect.gen(function* () {
        yield* begin
        const before = yield* workers
        world.file = inForce({
          ...first,
          restart: { max_backoff_ms: 5000 },
          projects: { shop: { working_dir: "/elsewhere" }, blog: {} }
        })
        const there = yield* reload()
        assert.deepStrictEqual(there.awaiting_restart, ["shop"])
        world.file = inForce(first)
        const back = yield* reload()
        assert.deepStrictEqual(back.awaiting_restart, [])
        assert.deepStrictEqual(
          back.changes.map(({ from, key, to }) => [key, to, from]),
          there.changes.map(({ from, key, to }) => [key, from, to])
        )
        assert.deepStrictEqual(yield* workers, before)
      }).pipe(around(world))
    }
  )

  it.effect("of a file with a mistake changes nothing and reports the mistake", () => {
    const world = makeWorld()
    return Effect.gen(function* () {
      yield* begin
      const before = yield* workers
      world.file = new SettingsError({
        problems: [{ file: "/f", line: 3, key: "model", reason: "is wrong" }]
      })
      const error = yield* Effect.flip(reload({ restart: true }))
      assert.strictEqual(error.message, "/f:3: model is wrong.")
      assert.deepInclude(world.events, {
        _tag: "SettingsRefused",
        by: "the test",
        reason: "/f:3: model is wrong."
      })
      assert.deepStrictEqual(yield* workers, before)
    }).pipe(around(world))
  })

  it.effect("of a file that was moved away stops no worker", () => {
    const world = makeWorld()
    return Effect.gen(function* () {
      yield* begin
      const before = yield* workers
      const empty = inForce({ worker_command: command("agent") })
      world.file = { ...empty, settingsFile: { ...empty.settingsFile, found: false } }
      const error = yield* Effect.flip(reload())
      assert.include(error.message, "the file is gone. Put it back")
      assert.deepStrictEqual(yield* workers, before)
    }).pipe(around(world))
  })

  it.effect("in which a project has no worker changes nothing", () => {
    const world = makeWorld()
    return Effect.gen(function* () {
      yield* begin
      const before = yield* workers
      world.file = inForce({ projects: { shop: { worker_command: command("agent") }, mail: {} } })
      const error = yield* Effect.flip(reload())
      assert.match(error.message, /^There is no worker to start for the project mail/)
      assert.deepStrictEqual(yield* workers, before)
    }).pipe(around(world))
  })

  it.effect(
    "restarts only workers that need it, only with --restart, and only that of a named project",
    () => {
      const world = makeWorld()
      return Effect.gen(function* () {
        yield* begin
        world.file = inForce({
          ...first,
          projects: {
            shop: { working_dir: "/shop", model: "opus", env: { A: "1" } },
            blog: { env: { B: "2" } }
          }
        })
        assert.deepStrictEqual((yield* reload()).awaiting_restart, ["shop", "blog"])
        assert.deepStrictEqual(yield* workers, [
          "default running 1000",
          "shop running 1001",
          "blog running 1002"
        ])
        const one = yield* reload({ restart: true, project: blog })
        assert.deepStrictEqual([one.restarted, one.awaiting_restart], [["blog"], ["shop"]])
        assert.deepStrictEqual(yield* workers, [
          "default running 1000",
          "shop running 1001",
          "blog running 1003"
        ])
        assert.deepStrictEqual((yield* reload({ restart: true })).restarted, ["shop"])
        assert.deepStrictEqual(yield* workers, [
          "default running 1000",
          "shop running 1004",
          "blog running 1003"
        ])
        const runs = yield* FakeRuns.FakeRuns
        assert.strictEqual(runs.mostAlive(), 3)
      }).pipe(around(world))
    }
  )

  it.effect("is announced to systemd at its beginning and end, also when it is refused", () => {
    const world = makeWorld()
    const told = () => world.service.messages.map(({ _tag }) => _tag).join()
    return Effect.gen(function* () {
      yield* begin
      yield* reload()
      assert.strictEqual(told(), "Reloading,Ready")
      world.file = new SettingsError({ problems: [{ file: "/f", reason: "is wrong" }] })
      yield* Effect.flip(reload())
      assert.strictEqual(told(), "Reloading,Ready,Reloading,Ready")
    }).pipe(around(world))
  })

  it.effect("during another reload is announced after the end of that one", () => {
    const world = makeWorld()
    return Effect.gen(function* () {
      yield* begin
      yield* Effect.all([reload(), reload(), reload()], { concurrency: "unbounded" })
      assert.strictEqual(
        world.service.messages.map(({ _tag }) => _tag).join(),
        "Reloading,Ready,Reloading,Ready,Reloading,Ready"
      )
    }).pipe(around(world))
  })

  it.effect("for an unknown project changes nothing", () => {
    const world = makeWorld()
    return Effect.gen(function* () {
      yield* begin
      world.file = inForce({ ...first, projects: { blog: {} } })
      const error = yield* Effect.flip(reload({ restart: true, project: shop }))
      assert.strictEqual(error.message, 'There is no project "shop" here. The projects are: default, blog.')
      assert.deepStrictEqual(yield* workers, [
        "default running 1000",
        "shop running 1001",
        "blog running 1002"
      ])
    }).pipe(around(world))
  })
})
