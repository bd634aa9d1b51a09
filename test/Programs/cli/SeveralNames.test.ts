import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { type dialogues as Dialogues, dialogues } from "../../../src/Domain/cli/Dialogues.ts"
import { exitCodeOf } from "../../../src/Domain/cli/ExitCodes.ts"
import type { ControlRequest } from "../../../src/Domain/control/ControlProtocol.ts"
import { runDialogue } from "../../../src/Programs/cli/DialogueRun.ts"
import { Refused } from "../../../src/Programs/Refused.ts"
import { daemonThat, heardInTime, invocationOf, messageOf } from "../../fixtures/CommandUser.ts"
import { runningRow } from "../../fixtures/ProjectRows.ts"
import { statusFields } from "../../fixtures/StatusFields.ts"

const names = ["default", "shop", "blog"]

const row = (name: string) => ({ ...runningRow, name, selected: name === "default" })

/** A daemon of three projects. Each worker passes through the states, one at each status. */
const daemonWith = (states: Readonly<Record<string, ReadonlyArray<string>>>) => {
  const looks = new Map<string, number>()
  const state = (name: string): string => {
    const [all, at] = [states[name] ?? ["running"], looks.get(name) ?? 0]
    looks.set(name, at + 1)
    return all[Math.min(at, all.length - 1)] ?? "running"
  }
  return daemonThat((request: ControlRequest) => {
    if (request.type === "Projects")
      return {
        success: true,
        message: "3 projects",
        data: { selected: "default", projects: names.map(row) }
      }
    const project = "project" in request ? (request.project ?? "default") : "default"
    const worker_status = request.type === "Status" ? state(project) : "starting"
    return {
      success: true,
      message: request.type === "Status" ? `Worker is ${worker_status}` : "Worker started",
      data: { ...statusFields, worker_status, worker_pid: null, project, projects: { running: 3 } }
    }
  })
}

const run = (
  daemon: ReturnType<typeof daemonThat>,
  verb: keyof typeof Dialogues,
  ...words: ReadonlyArray<string>
) =>
  heardInTime(
    Effect.provide(runDialogue(dialogues[verb], invocationOf(...verb.split(" "), ...words)), daemon.layer)
  )

const asked = (daemon: ReturnType<typeof daemonThat>) =>
  daemon.asked.map((request) => `${request.type} ${"project" in request ? request.project : ""}`.trim())

describe("a command with the names of several projects", () => {
  it.effect("acts on all of them at the same time, and names each in its answer", () =>
    Effect.gen(function* () {
      const daemon = daemonWith({ shop: ["stopping", "stopped"], blog: ["stopping", "stopping", "stopped"] })
      const { out, result } = yield* run(daemon, "stop-worker", "shop", "blog")
      assert.strictEqual(messageOf(result), "no failure")
      assert.strictEqual(out, "Worker of shop is stopped\nWorker of blog is stopped\n")
      assert.deepStrictEqual(asked(daemon).slice(0, 5), [
        "Projects",
        "StopWorker shop",
        "Status shop",
        "StopWorker blog",
        "Status blog"
      ])
    })
  )

  it.effect("does nothing at all where one of them is unknown, and says which there are", () =>
    Effect.gen(function* () {
      const daemon = daemonWith({})
      const { out, result } = yield* run(daemon, "stop-worker", "shop", "blgo")
      assert.strictEqual(
        messageOf(result),
        'There is no project "blgo" here. The projects are: default, shop, blog.'
      )
      assert.strictEqual(out, "")
      assert.deepStrictEqual(asked(daemon), ["Projects"])
    })
  )

  it.effect("fails where one of them has failed, and still tells of the others", () =>
    Effect.gen(function* () {
      const states = { shop: ["running"], blog: ["failed"] }
      const { out, result } = yield* run(daemonWith(states), "start-worker", "shop", "blog")
      assert.strictEqual(out, "Worker of shop is running\n")
      assert.strictEqual(messageOf(result), "Worker of blog is failed")
      const json = yield* run(daemonWith(states), "start-worker", "shop", "blog", "--json")
      const { data, message, success } = JSON.parse(json.out)
      assert.deepStrictEqual([success, message], [false, "blog: Worker of blog is failed"])
      assert.deepStrictEqual(
        data.answers.map((answer: Record<string, unknown>) => [answer["project"], answer["success"]]),
        [
          ["shop", true],
          ["blog", false]
        ]
      )
    })
  )

  it.effect("shows the status of each, and has the code of a failed worker", () =>
    Effect.gen(function* () {
      const { out, result } = yield* run(daemonWith({ blog: ["failed"] }), "status", "shop", "blog")
      assert.match(out, /^Project: {8}shop$[^]*\n\nAutopilot Daemon Status\n[^]*^Project: {8}blog$/m)
      assert(result._tag === "Left" && result.left instanceof Refused)
      assert.deepStrictEqual([exitCodeOf(result.left.code), result.left.isTold], [4, true])
    })
  )

  it.effect("lists only those of projects, in the order of the settings", () =>
    Effect.gen(function* () {
      const { out } = yield* run(daemonWith({}), "projects", "blog", "default", "--json")
      assert.deepStrictEqual(
        JSON.parse(out).data.projects.map(({ name }: { readonly name: string }) => name),
        ["default", "blog"]
      )
    })
  )
})

describe("a command about one of several projects", () => {
  it.effect("names the project in its answer, also where nobody named one", () =>
    Effect.gen(function* () {
      const started = yield* run(daemonWith({}), "start-worker")
      assert.strictEqual(started.out, "Worker of default is running\n")
      const quick = yield* run(daemonWith({}), "restart-worker", "shop", "--no-wait")
      assert.strictEqual(quick.out, "shop: Worker started\n")
      const json = yield* run(daemonWith({}), "restart-worker", "shop", "--no-wait", "--json")
      assert.strictEqual(JSON.parse(json.out).message, "Worker started")
      const reset = yield* run(daemonWith({}), "budget reset", "blog")
      assert.strictEqual(reset.out, "blog: Worker started\n")
    })
  )
})
