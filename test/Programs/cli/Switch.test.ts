import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { dialogues } from "../../../src/Domain/cli/Dialogues.ts"
import type { ControlRequest } from "../../../src/Domain/control/ControlProtocol.ts"
import { runDialogue } from "../../../src/Programs/cli/DialogueRun.ts"
import { daemonThat, heardInTime, invocationOf, messageOf } from "../../fixtures/CommandUser.ts"
import { stoppedRow } from "../../fixtures/ProjectRows.ts"

interface Worker {
  readonly worker_status: string
  readonly worker_pid?: number
  readonly reason?: string
}

/** What a look finds: the worker of `default`, which is selected at first, and that of `shop`. */
type Moment = readonly [before: Worker, target: Worker]

const running: Worker = { worker_status: "running", worker_pid: 5 }
const stopped: Worker = { worker_status: "stopped", reason: "another project was selected" }
const stopping: Worker = { worker_status: "stopping" }
const waiting: Worker = { worker_status: "waiting", reason: "it starts once default is down" }

const facts = (worker: Worker) => ({
  worker_pid: null,
  ...worker,
  uptime_seconds: 0,
  total_restarts: 0,
  consecutive_failures: 0
})

const rowOf = (name: string, worker: Worker) => ({
  ...stoppedRow,
  ...facts(worker),
  name,
  selected: false
})

/** A daemon in which time goes on by one moment with each question for the status. The last one lasts. */
const daemonWith = (moments: readonly [Moment, ...ReadonlyArray<Moment>], selected = "default") => {
  let looks = -1
  const now = () => moments[Math.min(Math.max(0, looks), moments.length - 1)] ?? moments[0]
  return daemonThat((request: ControlRequest) => {
    switch (request.type) {
      case "Projects": {
        const [before, target] = now()
        const projects = [rowOf("default", before), rowOf("shop", target)]
        return { success: true, message: "Projects", data: { selected, projects } }
      }
      case "SelectProject":
        return { success: true, message: "Project shop is selected" }
      case "Status":
        looks++
        return {
          success: true,
          message: "Status",
          data: { ...facts(now()[1]), memory_available_bytes: 1, memory_total_bytes: 2 }
        }
      default:
        return { success: false, message: "unexpected" }
    }
  })
}

const switching = (daemon: ReturnType<typeof daemonThat>, ...words: ReadonlyArray<string>) =>
  heardInTime(
    Effect.provide(runDialogue(dialogues.switch, invocationOf("switch", "shop", ...words)), daemon.layer)
  )

describe("autopilotd switch", () => {
  it.effect("follows until the one worker is down and the other runs, and tells both", () =>
    Effect.gen(function* () {
      const daemon = daemonWith([
        [stopping, waiting],
        [stopped, waiting],
        [stopped, { worker_status: "starting" }],
        [stopped, running]
      ])
      const { out, result } = yield* switching(daemon)
      assert.isTrue(Either.isRight(result), messageOf(result))
      assert.strictEqual(out, "Switched to shop: worker is running, pid 5; default is stopped\n")
      assert.deepStrictEqual(
        daemon.asked.filter(({ type }) => type === "SelectProject"),
        // The name was checked by the parser.
        [{ type: "SelectProject", project: invocationOf("switch", "shop").args.target ?? assert.fail() }]
      )
    })
  )

  it.effect("with --keep lets the other one go on and says so", () =>
    Effect.gen(function* () {
      const daemon = daemonWith([
        [running, { worker_status: "starting" }],
        [running, { ...running, worker_pid: 6 }]
      ])
      const { out } = yield* switching(daemon, "--keep")
      assert.strictEqual(out, "Switched to shop: worker is running, pid 6; default is running, pid 5\n")
      assert.isTrue(daemon.asked.some((request) => request.type === "SelectProject" && request.keep))
    })
  )

  it.effect("says only what becomes of the project that was selected already", () =>
    Effect.gen(function* () {
      const { out } = yield* switching(daemonWith([[stopped, running]], "shop"))
      assert.strictEqual(out, "Switched to shop: worker is running, pid 5\n")
    })
  )

  it.effect("does not wait for what cannot be ended", () =>
    Effect.gen(function* () {
      const hangs = { worker_status: "waiting", reason: "the last worker's pid 7 cannot be ended" }
      const { out, result } = yield* switching(
        daemonWith([
          [stopping, waiting],
          [hangs, waiting]
        ])
      )
      assert.strictEqual(
        messageOf(result),
        "shop is selected, but does not run: worker is waiting: it starts once default is down; default is waiting: the last worker's pid 7 cannot be ended"
      )
      assert.strictEqual(out, "")
    })
  )

  it.effect("says why the worker does not run", () =>
    Effect.gen(function* () {
      const failed = { worker_status: "failed", reason: "claude was not found" }
      const { result } = yield* switching(
        daemonWith([
          [stopping, waiting],
          [stopped, failed]
        ])
      )
      assert.strictEqual(
        messageOf(result),
        "shop is selected, but does not run: worker is failed: claude was not found; default is stopped"
      )
    })
  )

  it.effect("with --no-wait returns with the daemon's answer", () =>
    Effect.gen(function* () {
      const daemon = daemonWith([[running, stopped]])
      const { out } = yield* switching(daemon, "--no-wait")
      assert.strictEqual(out, "Project shop is selected\n")
      assert.isFalse(daemon.asked.some(({ type }) => type === "Status"))
    })
  )

  it.effect("answers a program with the status of the project, also where its worker does not run", () =>
    Effect.gen(function* () {
      const good = JSON.parse((yield* switching(daemonWith([[stopped, running]]), "--json")).out)
      assert.isTrue(good.success)
      assert.strictEqual(good.data.worker_status, "running")
      const { out, result } = yield* switching(daemonWith([[stopped, stopped]]), "--json")
      const bad = JSON.parse(out)
      assert.isFalse(bad.success)
      assert.strictEqual(bad.message, messageOf(result))
    })
  )

  it.effect("says what the daemon refuses", () =>
    Effect.gen(function* () {
      const refusal = { success: false, message: 'There is no project "shop"', code: "unknown_project" }
      const daemon = daemonThat(({ type }) =>
        type === "Projects"
          ? { success: true, message: "Projects", data: { selected: "default", projects: [] } }
          : refusal
      )
      const { out, result } = yield* switching(daemon, "--json")
      assert.deepStrictEqual(JSON.parse(out), refusal)
      assert.strictEqual(messageOf(result), refusal.message)
    })
  )
})
