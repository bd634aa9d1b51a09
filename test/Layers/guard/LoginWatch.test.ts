import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { noAgent } from "../../../src/Domain/agent/AgentSeen.ts"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import * as LoginWatch from "../../../src/Layers/guard/LoginWatch.ts"
import { Supervisor } from "../../../src/Layers/worker/Supervisor.ts"
import { claudePlan, resultAt } from "../../fixtures/AgentPlans.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"
import * as FakeRuns from "../worker/FakeRuns.ts"
import { crash, layerOf, makeSurroundings, plan, settle } from "../worker/SupervisorWorld.ts"

const [shop, blog] = [ProjectName.make("shop"), ProjectName.make("blog")]
const named = (project: ProjectName) => ({ ...plan, project, argv: ["claude"] as const, agent: claudePlan })

/** The watch looks at real files, which takes real time. */
const looks = Effect.gen(function* () {
  yield* TestClock.adjust("10 seconds")
  yield* Effect.promise(() => new Promise((resume) => setTimeout(resume, 5)))
  yield* settle
}).pipe(Effect.repeatN(9))

describe("a worker that has stopped because it needs a login", () => {
  it.scoped("starts once when the file of its login changes, and not again when that does not help", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryHome, "login")
      const events: Array<DaemonEvent> = []
      let questions = 0
      const world = {
        ...makeSurroundings(),
        get loginFiles() {
          questions++
          return [file]
        }
      }
      const projects = [named(shop), named(blog)] as const
      const Watched = LoginWatch.layer.pipe(
        Layer.provideMerge(layerOf(world, { projects }, recordedEvents(events)))
      )
      yield* TestClock.setTime(Date.now())
      yield* Effect.gen(function* () {
        const { started, tells } = yield* FakeRuns.FakeRuns
        const { begin, snapshots } = yield* Supervisor
        const states = Effect.map(snapshots, (all) => all.map(({ state }) => state.phase._tag))
        const failAll = Effect.gen(function* () {
          for (const run of started) yield* run.exit(crash)
          yield* settle
          assert.deepStrictEqual(yield* states, ["Failed", "Failed"])
        })
        yield* settle
        yield* begin
        yield* settle
        const before = questions
        yield* looks
        assert.strictEqual(questions, before, "nobody looks while no worker needs a login")

        tells({
          ...noAgent,
          sessionId: "s",
          result: resultAt(0, { isError: true, text: "Invalid API key", apiErrorStatus: 401 })
        })
        yield* failAll
        yield* looks
        assert.deepStrictEqual(yield* states, ["Failed", "Failed"])

        /** The file changes now, by the clock of this test. */
        const change = Effect.map(Clock.currentTimeMillis, (nowMs) => {
          fs.writeFileSync(file, "a login")
          fs.utimesSync(file, nowMs / 1000 + 1, nowMs / 1000 + 1)
        })
        yield* change
        yield* looks
        assert.deepStrictEqual(yield* states, ["Running", "Running"])
        assert.sameDeepMembers(
          events.filter(({ _tag }) => _tag === "LoginChanged"),
          [shop, blog].map((project) => ({ _tag: "LoginChanged", project, path: file }) as const)
        )

        yield* failAll
        yield* looks
        assert.deepStrictEqual(yield* states, ["Failed", "Failed"], "that change has been tried")
        yield* change
        yield* looks
        assert.deepStrictEqual(yield* states, ["Running", "Running"], "another change is another try")
      }).pipe(Effect.provide(Watched))
    })
  )
})
