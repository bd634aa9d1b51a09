import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { dialogues } from "../../../src/Domain/cli/Dialogues.ts"
import { runDialogue } from "../../../src/Programs/cli/DialogueRun.ts"
import { daemonThat, heard, invocationOf, messageOf, noDaemon } from "../../fixtures/CommandUser.ts"
import { runningRow, stoppedRow } from "../../fixtures/ProjectRows.ts"

const row = { ...runningRow, name: "default" }
const shop = { ...stoppedRow, selected: false }
const reply = {
  success: true,
  message: "2 projects",
  data: { selected: "default", projects: [row, shop] }
}

const listing = (...words: ReadonlyArray<string>) =>
  heard(
    Effect.provide(
      runDialogue(dialogues.projects, invocationOf("projects", ...words)),
      daemonThat(() => reply).layer
    )
  )

describe("autopilotd projects", () => {
  it.effect("shows all of them, or the one that is named", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual((yield* listing()).out.split("\n"), [
        "  NAME     STATE     PID  UPTIME       MEMORY  PROCS  RESTARTS",
        "* default  running  4711  2 h 03 min  512 MiB      7        12",
        "  shop     stopped     -  -                 -      -         0",
        ""
      ])
      assert.deepStrictEqual((yield* listing("--project", "shop")).out.split("\n"), [
        "  NAME  STATE    PID  UPTIME  MEMORY  PROCS  RESTARTS",
        "  shop  stopped    -  -            -      -         0",
        ""
      ])
    })
  )

  it.effect("prints the daemon's answer under --json", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(JSON.parse((yield* listing("--json")).out), reply)
      assert.deepStrictEqual(JSON.parse((yield* listing("--json", "-p", "shop")).out).data.projects, [shop])
    })
  )

  it.effect("names the existing projects for an unknown name", () =>
    Effect.gen(function* () {
      const { out, result } = yield* listing("--project", "blog")
      assert.strictEqual(
        messageOf(result),
        'There is no project "blog" here. The projects are: default, shop.'
      )
      assert.strictEqual(out, "")
    })
  )

  it.effect("prints the refusal of an older daemon, and that none is running", () =>
    Effect.gen(function* () {
      const old = daemonThat(() => ({ success: false, message: "Unknown request" })).layer
      const { result } = yield* heard(
        Effect.provide(runDialogue(dialogues.projects, invocationOf("projects")), old)
      )
      assert.strictEqual(messageOf(result), "Unknown request")
      const none = yield* heard(
        Effect.provide(runDialogue(dialogues.projects, invocationOf("projects")), noDaemon)
      )
      assert(Either.isLeft(none.result))
      assert.strictEqual(none.result.left._tag, "NotRunning")
    })
  )
})
