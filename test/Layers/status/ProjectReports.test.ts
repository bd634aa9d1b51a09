import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { Concerns } from "../../../src/Layers/history/Concerns.ts"
import * as ProjectReports from "../../../src/Layers/status/ProjectReports.ts"
import { Supervisor } from "../../../src/Layers/worker/Supervisor.ts"
import { countedFibers } from "../../fixtures/CountedFibers.ts"
import type { TestBody } from "../../fixtures/TestBody.ts"
import { settle } from "../worker/SupervisorWorld.ts"
import { begin, workerWorld, worldLayer } from "../worker/WorkerWorld.ts"

/** A worker that runs, and its reports. */
const inWorld = (
  body: TestBody<
    [reports: ProjectReports.ProjectReports["Type"], started: () => number],
    Concerns | Supervisor
  >
) =>
  countedFibers((counts) =>
    Effect.flatMap(workerWorld, (world) =>
      Effect.zipRight(
        begin,
        Effect.flatMap(ProjectReports.ProjectReports, (reports) =>
          Effect.gen(() => body(reports, () => counts().fibers))
        )
      ).pipe(
        Effect.provide(
          Layer.provideMerge(ProjectReports.layer({ pid: 50, version: "test" }), worldLayer(world))
        )
      )
    )
  )

const of = (reports: ProjectReports.ProjectReports["Type"]) => Either.getOrThrow(reports.status(undefined))

const pass = (duration: `${number} millis` | `${number} seconds`) =>
  Effect.zipRight(TestClock.adjust(duration), settle)

describe("the report of a project", () => {
  it.scoped("is the same object until something has changed, and starts no fiber", () =>
    inWorld(function* (reports, started) {
      yield* pass("3 seconds")
      const before = started()
      const status = of(reports)
      const projects = reports.projects()
      assert.deepInclude(status, { worker_status: "running", worker_pid: 1000, uptime_seconds: 3 })
      assert.strictEqual(of(reports), status)
      assert.strictEqual(reports.projects(), projects)
      assert.strictEqual(started(), before)
      yield* pass("500 millis")
      assert.strictEqual(of(reports), status)
      yield* pass("500 millis")
      assert.deepStrictEqual(of(reports), { ...status, uptime_seconds: 4, daemon_uptime_seconds: 4 })
      assert.notStrictEqual(reports.projects(), projects)
    })
  )

  it.scoped("shows each change at once", () =>
    inWorld(function* (reports) {
      const concerns = yield* Concerns
      const supervisor = yield* Supervisor
      assert.deepStrictEqual(of(reports).degraded, [])
      yield* concerns.show("relay", true)
      assert.deepStrictEqual(of(reports).degraded, ["relay"])
      yield* concerns.show("relay", false)
      assert.deepStrictEqual(of(reports).degraded, [])
      yield* Either.getOrThrow(supervisor.project(undefined)).command("stop")
      const { containment, worker_pid, worker_status } = of(reports)
      assert.deepStrictEqual(
        { containment, worker_pid, worker_status },
        { containment: undefined, worker_pid: null, worker_status: "stopping" }
      )
      assert.strictEqual(reports.projects().projects[0]?.worker_status, "stopping")
    })
  )

  it.scoped("names the projects there are where there is none of this name", () =>
    inWorld(function* (reports) {
      const found = reports.status(ProjectName.make("shop"))
      assert.strictEqual(
        Either.isLeft(found) && found.left.message,
        'There is no project "shop" here. The projects are: default.'
      )
    })
  )
})
