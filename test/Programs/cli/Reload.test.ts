import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { dialogues } from "../../../src/Domain/cli/Dialogues.ts"
import { runDialogue } from "../../../src/Programs/cli/DialogueRun.ts"
import { daemonThat, heard, invocationOf, messageOf } from "../../fixtures/CommandUser.ts"

const reloaded = {
  success: true,
  message: "Settings reloaded",
  data: {
    changes: [{ key: "restart.jitter", from: "0", to: "0.25", applies: "on-reload" }],
    projects_added: ["shop"],
    projects_removed: [],
    changes_command: [],
    restarted: [],
    awaiting_restart: []
  }
}

const refused = {
  success: false,
  code: "settings_invalid",
  message: "The settings were refused",
  data: {
    problems: [
      { line: 3, column: 1, key: "restart.jiter", reason: "is not a setting", nearest: "restart.jitter" },
      { key: "AUTOPILOT_MODEL", reason: "is empty" }
    ]
  }
}

const file = {
  success: true,
  message: "Settings",
  data: { path: "/srv/d.toml", found: true, text: "", sha256: "" }
}

const reloading = (answer: object, ...words: ReadonlyArray<string>) => {
  const daemon = daemonThat(({ type }) => (type === "GetConfig" ? file : answer))
  return Effect.map(
    heard(Effect.provide(runDialogue(dialogues.reload, invocationOf("reload", ...words)), daemon.layer)),
    (result) => ({ ...result, asked: daemon.asked })
  )
}

describe("autopilotd reload", () => {
  it.effect("prints the changes", () =>
    Effect.gen(function* () {
      const { asked, out, result } = yield* reloading(reloaded)
      assert.isTrue(Either.isRight(result))
      assert.strictEqual(out, "In force now:\n  restart.jitter: 0 -> 0.25\nProjects added: shop\n")
      assert.deepStrictEqual(asked, [{ type: "ReloadConfig" }])
    })
  )

  it.effect("requests the restart of all workers that need it, or of one", () =>
    Effect.gen(function* () {
      const all = yield* reloading(reloaded, "--restart")
      assert.deepStrictEqual(all.asked, [{ type: "ReloadConfig", restart: true }])
      const one = yield* reloading(reloaded, "--restart", "--project", "shop")
      assert.deepStrictEqual<ReadonlyArray<object>>(one.asked, [
        { type: "ReloadConfig", restart: true, project: "shop" }
      ])
    })
  )

  it.effect("shows every problem of refused settings with its place", () =>
    Effect.gen(function* () {
      const { out, result } = yield* reloading(refused)
      assert.strictEqual(
        messageOf(result),
        [
          "/srv/d.toml:3:1: restart.jiter is not a setting. Did you mean restart.jitter?",
          "AUTOPILOT_MODEL is empty.",
          "Nothing was changed: the previous settings stay in force."
        ].join("\n")
      )
      assert.strictEqual(out, "")
    })
  )

  it.effect("prints the daemon's answer with --json, also a refusal", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(JSON.parse((yield* reloading(reloaded, "--json")).out), reloaded)
      const { out, result } = yield* reloading(refused, "--json")
      assert.deepStrictEqual(JSON.parse(out), refused)
      assert.isTrue(Either.isLeft(result) && "isTold" in result.left && result.left.isTold)
    })
  )

  it.effect("prints the answer of a daemon that does not know the request", () =>
    Effect.gen(function* () {
      const { result } = yield* reloading({ success: false, message: "Unknown request" })
      assert.strictEqual(messageOf(result), "Unknown request")
    })
  )
})
