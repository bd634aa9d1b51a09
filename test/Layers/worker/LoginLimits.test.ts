import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { type AgentSeen, noAgent } from "../../../src/Domain/agent/AgentSeen.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import type { ProjectPlan } from "../../../src/Domain/worker/ProjectPlan.ts"
import { reason, statusWord } from "../../../src/Domain/worker/WorkerState.ts"
import { DaemonEvents } from "../../../src/Layers/history/DaemonEvents.ts"
import * as Supervisor from "../../../src/Layers/worker/Supervisor.ts"
import { claudePlan, resultAt } from "../../fixtures/AgentPlans.ts"
import { defaultPolicy } from "../../fixtures/policies.ts"
import { unheardEvents } from "../../fixtures/UnheardEvents.ts"
import * as FakeRuns from "./FakeRuns.ts"
import { crash, layerOf, makeSurroundings, plan, type Surroundings, settle } from "./SupervisorWorld.ts"

const [shop, blog, api] = [ProjectName.make("shop"), ProjectName.make("blog"), ProjectName.make("api")]

const named = (project: ProjectName, changed: Partial<ProjectPlan> = {}): ProjectPlan => ({
  ...plan,
  project,
  argv: ["claude"],
  agent: claudePlan,
  ...changed
})

const sameLogin = (): Surroundings => ({ ...makeSurroundings(), login: () => "one" })

const around =
  (world: Surroundings, options: Partial<Supervisor.SupervisorOptions> = {}) =>
  <A, E, R>(test: Effect.Effect<A, E, R>) =>
    Effect.provide(test, layerOf(world, { projects: [named(shop), named(blog)], ...options }))

const begin = Effect.flatMap(Supervisor.Supervisor, (supervisor) => supervisor.begin).pipe(
  Effect.zipRight(settle)
)

const look = Effect.fnUntraced(function* (name: ProjectName) {
  yield* settle
  const { project } = yield* Supervisor.Supervisor
  const { state } = yield* (yield* project(name)).snapshot
  return { word: statusWord(state), why: reason(state) ?? "", verdict: state.lastEnd?.verdict }
})

const agent: AgentSeen = { ...noAgent, agent: "claude", sessionId: "s" }
const answered: AgentSeen = { ...agent, turns: 1 }

/** The newest run of a project. */
const runOf = Effect.fnUntraced(function* (project: ProjectName) {
  const { started } = yield* FakeRuns.FakeRuns
  const run = started.findLast(({ id }) => id.includes(`:${project}:`))
  return run ?? (yield* Effect.dieMessage(`no run of ${project}`))
})

/** The newest run of the project ends at the usage limit, whose end nobody tells: five minutes are waited. */
const meetLimit = Effect.fnUntraced(function* (project: ProjectName, text = "You've hit your limit") {
  const { tells } = yield* FakeRuns.FakeRuns
  tells({
    ...agent,
    result: resultAt(0, { isError: true, text, apiErrorStatus: 429 })
  })
  yield* (yield* runOf(project)).exit(crash)
  yield* settle
  tells(agent)
})

/** The newest run of the project crashes, and its backoff is over. */
const fail = Effect.fnUntraced(function* (project: ProjectName) {
  yield* (yield* runOf(project)).exit(crash)
  yield* settle
  yield* TestClock.adjust("1 seconds")
})

describe("two projects of one login", () => {
  it.effect("wait together; one tries first, and the other follows on its first answer", () => {
    const world = sameLogin()
    return Effect.gen(function* () {
      const runs = yield* FakeRuns.FakeRuns
      yield* begin
      yield* meetLimit(shop)
      assert.deepInclude(yield* look(shop), { word: "waiting" })
      assert.strictEqual((yield* look(blog)).word, "running", "a worker that runs is left alone")
      yield* fail(blog)
      const held = yield* look(blog)
      assert.strictEqual(held.word, "waiting")
      assert.match(
        held.why,
        /^waits with project shop for the usage limit of the same login until \d\d:\d\d$/
      )
      assert.deepInclude(world.limits[0], { project: shop, untilMs: 300_000 })
      assert.deepInclude(world.saved.get(blog)?.wait, { kind: "hold", awaits: "login" })

      yield* TestClock.adjust("5 minutes")
      yield* settle
      assert.strictEqual(runs.alive(), 1)
      const states = [yield* look(shop), yield* look(blog)]
      const waiting = states.find(({ word }) => word === "waiting")
      assert.match(waiting?.why ?? "", /^waits for project (shop|blog), which tries first/)
      const first = states[0] === waiting ? blog : shop
      yield* (yield* runOf(first)).reports(answered)
      yield* settle
      assert.strictEqual(runs.alive(), 2)
      assert.includeDeepMembers(world.events, [{ _tag: "LimitOver", project: first }])
      assert.deepStrictEqual(world.limits, [])
    }).pipe(around(world))
  })

  it.effect("wait together before one shows its limit, however slow its event is told", () => {
    const world = sameLogin()
    const slow = Layer.succeed(
      DaemonEvents,
      unheardEvents((event) =>
        Effect.delay(Effect.void, event._tag === "WorkerEnded" && event.project === shop ? "1 minute" : 0)
      )
    )
    return Effect.gen(function* () {
      yield* begin
      yield* meetLimit(shop)
      yield* fail(blog)
      assert.notStrictEqual((yield* look(shop)).word, "waiting")
      assert.strictEqual((yield* look(blog)).word, "waiting")
      yield* TestClock.adjust("1 minute")
      yield* settle
      assert.strictEqual((yield* look(shop)).word, "waiting")
    }).pipe(Effect.provide(layerOf(world, { projects: [named(shop), named(blog)] }, slow)))
  })

  it.effect("wait again together when the one that tries first meets the limit again", () => {
    const world = sameLogin()
    return Effect.gen(function* () {
      const runs = yield* FakeRuns.FakeRuns
      yield* begin
      yield* meetLimit(shop)
      yield* fail(blog)
      yield* TestClock.adjust("5 minutes")
      yield* settle
      const first = (yield* look(shop)).word === "running" ? shop : blog
      yield* meetLimit(first)
      assert.strictEqual(runs.alive(), 0)
      const other = first === shop ? blog : shop
      assert.include((yield* look(other)).why, `waits with project ${first}`)
      yield* TestClock.adjust("5 minutes")
      assert.strictEqual(runs.alive(), 0, "the second wait is longer")
    }).pipe(around(world))
  })

  it.effect("do not wait for a limit of one model: the other one may use another", () =>
    Effect.gen(function* () {
      yield* begin
      yield* meetLimit(shop, "You've hit your Opus limit")
      assert.strictEqual((yield* look(shop)).word, "waiting")
      yield* fail(blog)
      assert.strictEqual((yield* look(blog)).word, "running")
    }).pipe(around(sameLogin()))
  )

  it.effect("are two if their logins differ: one does not wait for the limit of the other", () => {
    const world = { ...sameLogin(), login: (project: ProjectName) => project }
    return Effect.gen(function* () {
      yield* begin
      yield* meetLimit(shop)
      yield* fail(blog)
      assert.strictEqual((yield* look(blog)).word, "running")
    }).pipe(around(world))
  })

  it.effect("obey a user: a start is never held, and frees the other one when it has an answer", () => {
    const world = sameLogin()
    return Effect.gen(function* () {
      const { project } = yield* Supervisor.Supervisor
      yield* begin
      yield* meetLimit(shop)
      yield* fail(blog)
      yield* (yield* project(blog)).command("start")
      assert.strictEqual((yield* look(blog)).word, "running")
      assert.strictEqual((yield* look(shop)).word, "waiting")
      yield* (yield* runOf(blog)).reports(answered)
      assert.strictEqual((yield* look(shop)).word, "running", "also the one that has met it")
    }).pipe(around(world))
  })

  it.effect("stop without a run where a usage limit stops the project", () => {
    const world = sameLogin()
    const stops = { ...defaultPolicy, on: { ...defaultPolicy.on, usageLimit: "stop" as const } }
    return Effect.gen(function* () {
      const runs = yield* FakeRuns.FakeRuns
      yield* begin
      yield* meetLimit(shop)
      yield* fail(blog)
      const { verdict, why, word } = yield* look(blog)
      assert.strictEqual(word, "failed")
      assert.strictEqual(verdict, "usage-limit")
      assert.match(why, /^waits with project shop .* \(restart\.on\.usage_limit is "stop"\)$/)
      assert.strictEqual(runs.alive(), 0)
    }).pipe(around(world, { projects: [named(shop), named(blog, { restart: stops })] }))
  })

  it.effect("hold when a window of the plan has reached the share of the settings", () => {
    const world = sameLogin()
    const holds = { agent: { ...claudePlan, holdAt: 0.9 } }
    const seen: AgentSeen = {
      ...answered,
      rateLimit: {
        atMs: 0,
        status: "allowed_warning",
        isUsingOverage: false,
        windows: [{ name: "five_hour", used: 0.92, resetsAtMs: 3_600_000, atMs: 0 }]
      }
    }
    const tool = { id: "t", name: "Bash", sinceMs: 0 }
    return Effect.gen(function* () {
      yield* begin
      const run = yield* runOf(shop)
      yield* run.reports({ ...seen, tools: [tool] })
      assert.strictEqual((yield* look(shop)).word, "running", "a tool is not cut")
      yield* run.reports(seen)
      const { why, word } = yield* look(shop)
      assert.strictEqual(word, "waiting")
      assert.match(
        why,
        /^92 % of the five-hour window of its login is used \(agent\.hold_at is 90 %\): it goes on at \d\d:\d\d$/
      )
      assert.include(
        world.events.map(({ _tag }) => _tag),
        "AgentStopped"
      )
      assert.strictEqual((yield* look(blog)).word, "running", "without the setting")
      yield* TestClock.adjust("61 minutes")
      assert.strictEqual((yield* look(shop)).word, "running")
    }).pipe(around(world, { projects: [named(shop, holds), named(blog)] }))
  })
})

describe("a usage limit that an earlier daemon has met", () => {
  const kept = (): Surroundings => ({
    ...sameLogin(),
    limits: [{ project: shop, untilMs: 3_600_000, inARow: 1 }]
  })
  const three = [named(shop), named(blog), named(api)] as const

  it.effect("holds all starts of a daemon that resumes the saved state", () => {
    const world = kept()
    world.saved.set("shop", {
      version: 1,
      wanted: "up",
      failures: 0,
      failed: null,
      wait: null,
      workerId: null
    })
    return Effect.gen(function* () {
      const runs = yield* FakeRuns.FakeRuns
      yield* begin
      assert.strictEqual(runs.alive(), 0)
      assert.strictEqual(runs.sweeps(), 3, "what an earlier daemon has left is killed all the same")
      assert.match((yield* look(shop)).why, /^waits for the usage limit of its login until/)
      assert.match((yield* look(api)).why, /^waits with project shop/)
      yield* TestClock.adjust("60 minutes")
      yield* settle
      assert.strictEqual(runs.alive(), 1)
    }).pipe(around(world, { projects: three, keepState: true }))
  })

  it.effect("is tried once, by the first, when a user starts the daemon", () => {
    const world = kept()
    return Effect.gen(function* () {
      const runs = yield* FakeRuns.FakeRuns
      yield* begin
      assert.strictEqual(runs.alive(), 1)
      for (const run of runs.started) yield* run.reports(answered)
      yield* settle
      assert.strictEqual(runs.alive(), 3)
    }).pipe(around(world, { projects: three }))
  })
})
