import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type { ControlRequest } from "../../../src/Domain/control/ControlProtocol.ts"
import { answerOf } from "../../../src/Programs/cli/ExitCode.ts"
import { configSet, configUnset } from "../../../src/Programs/config/ConfigChange.ts"
import { daemonThat, heardInTime, invocationOf, messageOf, noDaemon } from "../../fixtures/CommandUser.ts"
import { settingsInMemory, settingsPath } from "../../fixtures/SettingsInMemory.ts"

type Memory = ReturnType<typeof settingsInMemory>

const command = (...words: ReadonlyArray<string>) =>
  words[1] === "unset" ? configUnset(invocationOf(...words)) : configSet(invocationOf(...words))

const without = (memory: Memory, ...words: ReadonlyArray<string>) =>
  heardInTime(Effect.provide(command(...words), Layer.merge(noDaemon, memory.layer)))

/** A daemon that keeps its settings in memory; the file of the command itself is another one. */
const daemonWith = (memory: Memory) => {
  const answers = (request: ControlRequest) => {
    if (request.type === "GetConfig") {
      return { success: true, message: "Settings", data: Effect.runSync(memory.get) }
    }
    if (request.type !== "SetConfig") return { success: false, message: "unexpected" }
    const { dry_run: dryRun = false, sha256, text } = request
    return Either.match(Effect.runSync(Effect.either(memory.set({ text, sha256, dryRun }))), {
      onLeft: (error) => ({
        success: false,
        message: error.message,
        data:
          error._tag === "StaleSettings"
            ? { problems: [], stale_sha256: error.sha256 }
            : { problems: error.problems.map(({ file: _file, ...problem }) => problem) }
      }),
      onRight: (data) => ({ success: true, message: "Settings written", data })
    })
  }
  return { answers, ...daemonThat(answers) }
}

const through = (memory: Memory, ...words: ReadonlyArray<string>) => {
  const own = settingsInMemory("model = 'of the command itself'\n")
  return Effect.tap(
    heardInTime(Effect.provide(command(...words), Layer.merge(daemonWith(memory).layer, own.layer))),
    () => assert.strictEqual(own.file.writes, 0)
  )
}

describe("autopilotd config set", () => {
  it.effect("changes one setting, leaves the rest of the file alone, and says how to apply it", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory("# mine\n[restart]\njitter = 0 # calm\n")
      const { err, out, result } = yield* through(memory, "config", "set", "restart.jitter", "0.25")
      assert.isTrue(Either.isRight(result), messageOf(result))
      assert.strictEqual(memory.file.text, "# mine\n[restart]\njitter = 0.25 # calm\n")
      assert.strictEqual(out, "restart.jitter: 0 -> 0.25\nApply it: autopilotd reload\n")
      assert.strictEqual(err, "")
    })
  )

  it.effect("takes durations and sizes with units, and tells the number that it writes", () =>
    Effect.gen(function* () {
      for (const [key, value, written] of [
        ["restart.initial_backoff_ms", "20s", 20_000],
        ["restart.max_backoff_ms", "1h30m", 5_400_000],
        ["restart.max_backoff_ms", "15 min", 900_000],
        ["memory.min_available_bytes", "4GiB", 4 * 2 ** 30],
        ["memory.min_available_bytes", "1.5G", 1.5 * 2 ** 30],
        ["memory.min_available_bytes", "2GB", 2_000_000_000]
      ] as const) {
        const memory = settingsInMemory("")
        const { out, result } = yield* through(memory, "config", "set", key, value)
        assert.isTrue(Either.isRight(result), messageOf(result))
        assert.include(memory.file.text, ` = ${written}\n`)
        assert.include(out, `${value} is written as ${written}.\n`)
      }
      const memory = settingsInMemory("")
      yield* through(memory, "config", "set", "model", "4GiB")
      assert.strictEqual(memory.file.text, 'model = "4GiB"\n')
    })
  )

  const readings: ReadonlyArray<readonly [key: string, value: string, text: string]> = [
    ["model", "opus", 'model = "opus"\n'],
    ["model", '"opus"', 'model = "opus"\n'],
    ["model", "true", 'model = "true"\n'],
    ["model", "5", 'model = "5"\n'],
    ["model", 'it\'s "new"', 'model = "it\'s \\"new\\""\n'],
    ["model", "1\nrestart = 2", 'model = "1\\nrestart = 2"\n'],
    ["model", "", 'model = ""\n'],
    ["model", "a # b", 'model = "a # b"\n'],
    ["restart.stall_timeout_ms", "false", "[restart]\nstall_timeout_ms = false\n"],
    ["restart.jitter", " 0.25 ", "[restart]\njitter = 0.25\n"],
    ["worker_command.argv", '["claude","-p","x"]', '[worker_command]\nargv = ["claude","-p","x"]\n']
  ]
  for (const [key, value, text] of readings) {
    it.effect(`takes ${JSON.stringify(value)} for ${key} as TOML or as a string`, () =>
      Effect.gen(function* () {
        const memory = settingsInMemory("")
        const { result } = yield* without(memory, "config", "set", key, value)
        assert.isTrue(Either.isRight(result), messageOf(result))
        assert.strictEqual(memory.file.text, text)
      })
    )
  }

  it.effect(
    "refuses a value that the setting does not take in either reading, in the words for the first",
    () =>
      Effect.gen(function* () {
        const memory = settingsInMemory("[restart]\njitter = 0\n")
        for (const value of ["-1", "much"]) {
          const { out, result } = yield* through(memory, "config", "set", "restart.jitter", value)
          assert.strictEqual(
            messageOf(result),
            "restart.jitter expects a number from 0 to 1.\nNothing was changed."
          )
          assert.strictEqual(out, "")
        }
        assert.strictEqual(memory.file.writes, 0)
      })
  )

  it.effect("names the line of the present file where another setting is wrong", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory("a = 1\n[restart]\njitter = 0\n[zoo]\nunknown = 1\n")
      const { result } = yield* without(memory, "config", "set", "model", "opus")
      assert.strictEqual(
        messageOf(result),
        `${settingsPath}:5:1: zoo.unknown is not a setting.\nNothing was changed.`
      )
    })
  )

  it.effect("edits a setting of the top level at its place, also below [worker_command]", () =>
    Effect.gen(function* () {
      const below = settingsInMemory('[worker_command]\ntype = "Cargo"\nmodel = "sonnet"\n')
      yield* without(below, "config", "set", "model", "opus")
      assert.strictEqual(below.file.text, '[worker_command]\ntype = "Cargo"\nmodel = "opus"\n')

      const twice = settingsInMemory('model = "a"\n[worker_command]\nmodel = "a"\n')
      yield* without(twice, "config", "set", "model", "b")
      assert.strictEqual(twice.file.text, 'model = "b"\n[worker_command]\nmodel = "b"\n')

      const top = settingsInMemory('[worker_command]\ntype = "Cargo"\n')
      yield* without(top, "config", "set", "model", "opus")
      assert.match(top.file.text, /^model = "opus"\n/)
    })
  )

  it.effect("means the setting of a project with --project", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory('model = "a"\n[projects."my.shop"]\nmodel = "b"\n')
      yield* without(memory, "config", "set", "model", "c", "--project", "my.shop")
      assert.strictEqual(memory.file.text, 'model = "a"\n[projects."my.shop"]\nmodel = "c"\n')
    })
  )

  it.effect("with --dry-run writes nothing and says what would change", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory('model = "a"\n')
      const { out } = yield* through(memory, "config", "set", "model", "b", "--dry-run")
      assert.strictEqual(out, `model: "a" -> "b"\nThis is a dry run: ${settingsPath} was not written.\n`)
      assert.strictEqual(memory.file.writes, 0)
    })
  )

  it.effect("says so when there is nothing to change", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory('model = "a"\n')
      const { out } = yield* without(memory, "config", "set", "model", "a")
      assert.strictEqual(out, "model has this value already: nothing was changed.\n")
      assert.strictEqual(memory.file.writes, 0)
    })
  )

  const applying: ReadonlyArray<
    readonly [what: string, text: string, words: ReadonlyArray<string>, last: string]
  > = [
    ["a worker must restart for", "", ["model", "b"], "Apply it: autopilotd reload --restart"],
    [
      "the daemon does not watch for yet",
      "",
      ["watch_config", "true"],
      "Apply it: autopilotd reload --restart"
    ],
    [
      "the daemon takes over by itself",
      "watch_config = true\n",
      ["restart.jitter", "1"],
      "The daemon reloads the file by itself (watch_config)."
    ],
    [
      "the daemon takes over by itself, and a worker later",
      "watch_config = true\n",
      ["model", "b"],
      "The daemon reloads the file by itself (watch_config). A worker gets it at its next start: autopilotd reload --restart"
    ]
  ]
  for (const [what, text, words, last] of applying) {
    it.effect(`prints the command that applies what ${what}`, () =>
      Effect.gen(function* () {
        const { out } = yield* through(settingsInMemory(text), "config", "set", ...words)
        assert.strictEqual(out.trimEnd().split("\n").at(-1), last)
      })
    )
  }

  it.effect("says that no daemon runs, and that a daemon may use another file", () =>
    Effect.gen(function* () {
      const none = yield* without(settingsInMemory(""), "config", "set", "model", "b")
      assert.strictEqual(none.out, 'model: not set -> "b"\nNo daemon is running: the next start reads it.\n')
      const own = settingsInMemory("")
      const daemon = daemonWith(settingsInMemory(""))
      const other = yield* heardInTime(
        Effect.provide(
          command("config", "set", "model", "b", "--config", "x.toml"),
          Layer.merge(daemon.layer, own.layer)
        )
      )
      assert.strictEqual(
        other.out,
        'model: not set -> "b"\nTo apply it in a daemon that uses this file, run: autopilotd reload\n'
      )
      assert.deepStrictEqual(daemon.asked, [])
      assert.strictEqual(own.file.writes, 1)
    })
  )

  it.effect("names the projects for which other code will be executed", () =>
    Effect.gen(function* () {
      const { out } = yield* through(settingsInMemory(""), "config", "set", "worker_command.argv", '["rm"]')
      assert.include(out, "\nAnother program or environment will run in: shop\n")
    })
  )

  for (const road of ["daemon", "file"] as const) {
    it.effect(`loses none of eight simultaneous changes through the ${road}`, () =>
      Effect.gen(function* () {
        const memory = settingsInMemory("")
        const all = yield* Effect.all(
          Array.from({ length: 8 }, (_, at) =>
            (road === "daemon" ? through : without)(memory, "config", "set", `env.V${at}`, String(at))
          ),
          { concurrency: "unbounded" }
        )
        for (const { result } of all) assert.isTrue(Either.isRight(result), messageOf(result))
        assert.strictEqual(memory.file.writes, 8)
        for (let at = 0; at < 8; at++) assert.include(memory.file.text, `V${at} = "${at}"\n`)
      })
    )
  }

  it.effect("gives up on a file that changes before every write", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory("")
      let reads = 0
      const restless = {
        ...memory,
        get: Effect.map(memory.get, (text) => ({ ...text, sha256: String(reads++) }))
      }
      const { result } = yield* through(restless, "config", "set", "model", "b")
      assert.include(messageOf(result), "has changed since it was read")
      assert.strictEqual(memory.file.writes, 0)
    })
  )

  it.effect("writes the file directly when the daemon exits in between", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory('model = "a"\n')
      const answers = daemonWith(memory).answers
      const daemon = daemonThat((request) =>
        request.type === "SetConfig" || isGone ? leave() : answers(request)
      )
      let isGone = false
      const leave = () => {
        isGone = true
        return undefined
      }
      const { out } = yield* heardInTime(
        Effect.provide(command("config", "set", "model", "b"), Layer.merge(daemon.layer, memory.layer))
      )
      assert.strictEqual(memory.file.text, 'model = "b"\n')
      assert.include(out, "No daemon is running")
      assert.deepStrictEqual(
        daemon.asked.map(({ type }) => type),
        ["GetConfig", "SetConfig", "GetConfig"]
      )
    })
  )

  it.effect("answers a program with --json, also when it refuses", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory("[restart]\njitter = 0\n")
      const good = yield* through(memory, "config", "set", "restart.jitter", "0.5", "--json")
      const { data, ...rest } = JSON.parse(good.out)
      assert.deepStrictEqual(rest, { success: true, message: "Settings written" })
      assert.deepStrictEqual(data.changes, [
        { key: "restart.jitter", from: "0", to: "0.5", applies: "on-reload" }
      ])
      const bad = yield* through(memory, "config", "set", "restart.jitter", "5", "--json")
      assert(Either.isLeft(bad.result))
      assert.deepStrictEqual(answerOf(Cause.fail(bad.result.left)), {
        success: false,
        message: "restart.jitter expects a number from 0 to 1.\nNothing was changed.",
        code: "settings_invalid",
        data: { problems: [{ key: "restart.jitter", reason: "expects a number from 0 to 1" }] }
      })
      const none = yield* through(memory, "config", "set", "restart.jitter", "0.5", "--json")
      assert.deepStrictEqual(JSON.parse(none.out), {
        success: true,
        message: "restart.jitter has this value already: nothing was changed"
      })
    })
  )

  it.effect("prints the answer of a daemon that does not know the request", () =>
    Effect.gen(function* () {
      const old = daemonThat(() => ({ success: false, message: "Unknown request" }))
      const { result } = yield* heardInTime(
        Effect.provide(
          command("config", "set", "model", "b"),
          Layer.merge(old.layer, settingsInMemory("").layer)
        )
      )
      assert.strictEqual(messageOf(result), "Unknown request")
    })
  )

  it.effect("leaves a file alone that is not TOML, and says where the mistake is", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory("a = \n")
      const { result } = yield* without(memory, "config", "set", "model", "b")
      assert.match(messageOf(result), /^model cannot be edited: .* not valid TOML \(line 1, column \d+\)/)
      assert.strictEqual(memory.file.writes, 0)
    })
  )
})

describe("autopilotd config unset", () => {
  it.effect("removes the setting from each of its places, and leaves the rest", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory(
        'model = "a" # mine\nx = 1\n[worker_command]\nmodel = "a"\ntype = "Cargo"\n'
      )
      const { out } = yield* through(memory, "config", "unset", "model")
      assert.strictEqual(memory.file.text, 'x = 1\n[worker_command]\ntype = "Cargo"\n')
      assert.include(out, 'model: "a" -> not set\n')
    })
  )

  it.effect("says so when the setting is not set", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory("x = 1\n")
      const { out } = yield* without(memory, "config", "unset", "model", "--project", "shop")
      assert.strictEqual(out, "projects.shop.model is not set: nothing was changed.\n")
      assert.strictEqual(memory.file.writes, 0)
    })
  )

  it.effect("removes a key that is not a setting", () =>
    Effect.gen(function* () {
      const memory = settingsInMemory("unknown = 1\nx = 1\n")
      yield* without(memory, "config", "unset", "unknown")
      assert.strictEqual(memory.file.text, "x = 1\n")
    })
  )
})
