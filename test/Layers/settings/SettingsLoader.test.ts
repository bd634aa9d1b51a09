import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { user } from "../../fixtures/SettingsUser.ts"

const example = `
[worker_command]
type = "Cargo"
# type = "Binary"
# path = "/usr/local/bin/autopilot"

working_dir = "/home/user/code/openagents"
project = "openagents"
model = "sonnet"
max_budget = 300.0
max_turns = 99999

[memory]
min_available_bytes = 2147483648      # 2 GB
critical_threshold_bytes = 1073741824 # 1 GB
poll_interval_ms = 5000               # 5 seconds
node_kill_threshold_bytes = 524288000 # 500 MB

[restart]
initial_backoff_ms = 1000
max_backoff_ms = 300000               # 5 minutes
backoff_multiplier = 2.0
success_threshold_ms = 60000          # 1 minute
max_consecutive_restarts = 10
`

describe("loadSettings", () => {
  it.scoped("the documented daemon.toml is accepted as it stands, and every key of it counts (D17)", () =>
    Effect.gen(function* () {
      const { load, write } = yield* user
      yield* write(".autopilot/daemon.toml", example)
      const { provenance, settings, worker } = yield* load()
      const { maxBudget, maxTurns, model, project, workingDir } = settings
      assert.deepStrictEqual(
        { maxBudget, maxTurns, model, project: String(project), workingDir },
        {
          maxBudget: 300,
          maxTurns: 99_999,
          model: "sonnet",
          project: "openagents",
          workingDir: "/home/user/code/openagents"
        }
      )
      assert.strictEqual(settings.memory.minAvailableBytes, 2_147_483_648)
      assert.strictEqual(settings.memory.criticalThresholdBytes, 1_073_741_824)
      assert.strictEqual(settings.restart.maxConsecutiveRestarts, 10)
      for (const key of ["working_dir", "max_turns", "worker_command", "memory.poll_interval_ms"]) {
        assert.strictEqual(provenance.get(key), "file", key)
      }
      assert.strictEqual(
        Either.getOrThrow(worker).argv.join(" "),
        "cargo run -p autopilot --bin autopilot -- run --full-auto --model sonnet --max-budget 300 --max-turns 99999 --project openagents"
      )
    })
  )

  it.scoped("an empty file, a file with one key and no file at all are accepted (D17)", () =>
    Effect.gen(function* () {
      const { load, root, write } = yield* user
      const without = yield* load()
      assert.isFalse(without.settingsFile.found)
      assert.strictEqual(without.settings.workingDir, root)
      yield* write(".autopilot/daemon.toml", "")
      assert.deepStrictEqual((yield* load()).settings, without.settings)
      yield* write(".autopilot/daemon.toml", "\ufeff[restart]\r\nstop_grace_ms = 1\r\n")
      assert.strictEqual((yield* load()).settings.restart.stopGraceMs, 1)
    })
  )

  it.scoped("options beside a command are never ignored: they reach a known agent, or are refused", () =>
    Effect.gen(function* () {
      const { complaints, file, load, write } = yield* user
      const given = { model: "opus", max_budget: 5, max_turns: 3 }
      const command = (...argv: ReadonlyArray<string>) => ({ type: "Command", argv }) as const
      const known = yield* load({ commandLine: { ...given, worker_command: command("claude", "-p", "x") } })
      assert.strictEqual(
        Either.getOrThrow(known.worker).argv.join(" "),
        "claude --max-budget-usd 5 --max-turns 3 --model opus -p x"
      )
      const sleeps = { commandLine: { ...given, worker_command: command("sleep", "1") } }
      assert.deepStrictEqual(
        yield* complaints(sleeps),
        ["--model", "--max-budget", "--max-turns"].map(
          (name) =>
            `${name} cannot be passed to sleep, whose options autopilotd does not know. Leave it out, or write the program's own option into its command line, after --.`
        )
      )
      yield* write(
        ".autopilot/daemon.toml",
        'model = "haiku"\nworker_command = { type = "Command", argv = ["sleep", "1"] }'
      )
      // Settings of the file are defaults of all projects, whose workers may be of another kind.
      assert.deepStrictEqual(Either.getOrThrow((yield* load()).worker).argv, ["sleep", "1"])
      const [line] = yield* complaints({ commandLine: { model: "opus" } })
      assert.include(line, "in worker_command of the settings", file)
    })
  )

  it.scoped("~ in a path means the user's home (D19)", () =>
    Effect.gen(function* () {
      const { home, load, root, write } = yield* user
      yield* write(
        ".autopilot/daemon.toml",
        'working_dir = "~/code"\nenv_file = "secrets"\n[worker_command]\ntype = "Command"\nargv = ["~/bin/agent", "~/x"]\n'
      )
      const { envFile, settings, worker } = yield* load()
      assert.strictEqual(settings.workingDir, join(root, "code"))
      assert.deepStrictEqual(envFile, { path: join(home.root, "secrets"), mustExist: true })
      assert.deepStrictEqual(Either.getOrThrow(worker).argv, [join(root, "bin/agent"), "~/x"])
      yield* write(".autopilot/daemon.toml", 'working_dir = "code"\n')
      const relative = yield* load({ cwd: "/somewhere" })
      assert.strictEqual(relative.settings.workingDir, "/somewhere/code")
      assert.deepStrictEqual(relative.envFile, { path: home.envFile, mustExist: false })
    })
  )

  it.scoped(
    "model, budget and turns of the file hold unless the environment or the command line sets them (D18)",
    () =>
      Effect.gen(function* () {
        const { load, write } = yield* user
        yield* write(".autopilot/daemon.toml", 'model = "opus"\nmax_budget = 300\nmax_turns = 5\n')
        const { provenance, settings } = yield* load({
          environment: { AUTOPILOT_MAX_BUDGET: "12.5", AUTOPILOT_MAX_TURNS: "6" },
          commandLine: { max_turns: 7 }
        })
        const { maxBudget, maxTurns, model } = settings
        assert.deepStrictEqual(
          { maxBudget, maxTurns, model },
          { maxBudget: 12.5, maxTurns: 7, model: "opus" }
        )
        assert.deepStrictEqual(
          [...provenance],
          [
            ["model", "file"],
            ["max_budget", "environment AUTOPILOT_MAX_BUDGET"],
            ["max_turns", "command line"]
          ]
        )
      })
  )

  it.scoped("each source is named when its value is wrong, also one that a stronger source hides", () =>
    Effect.gen(function* () {
      const { complaints, file, write } = yield* user
      yield* write(".autopilot/daemon.toml", "max_turns = 0\n")
      assert.deepStrictEqual(
        yield* complaints({
          environment: { AUTOPILOT_MAX_TURNS: "many", AUTOPILOT_STALL_TIMEOUT_MS: "-5" },
          commandLine: { max_turns: 1.5, worker_command: { type: "Command", argv: [""] } }
        }),
        [
          `${file}:1: max_turns must be a whole number, at least 1, not 0.`,
          'AUTOPILOT_MAX_TURNS must be a whole number, at least 1, not "many".',
          "AUTOPILOT_STALL_TIMEOUT_MS must be a whole number of milliseconds from 50 to 2147483647, or false, not -5.",
          "--max-turns must be a whole number, at least 1, not 1.5.",
          'the command after -- must be an array of texts that begins with the name of a program, but the one at position 1 is "".'
        ]
      )
    })
  )

  it.scoped("thresholds that the machine cannot have are refused at their line", () =>
    Effect.gen(function* () {
      const { complaints, file, load, write } = yield* user
      const gib = 2 ** 30
      yield* write(".autopilot/daemon.toml", `[memory]\nmin_available_bytes = ${8 * gib}\n`)
      assert.deepStrictEqual(yield* complaints({ effectiveTotalBytes: 8 * gib }), [
        `${file}:2: memory.min_available_bytes is 8 GiB of the 8 GiB that this machine or container has: it must be below 80 % of that, 6.4 GiB.`
      ])
      assert.strictEqual((yield* load()).thresholds, undefined)
      const { thresholds } = yield* load({ effectiveTotalBytes: 32 * gib })
      assert.deepStrictEqual(thresholds, { minAvailableBytes: 8 * gib, criticalBytes: gib })
    })
  )

  it.scoped(
    "without a worker command: the variable, then the home's binary, then cargo, then an error with the choices",
    () =>
      Effect.gen(function* () {
        const { home, load, root, write } = yield* user
        const nothing = yield* load()
        assert.include(Either.getOrThrow(Either.flip(nothing.worker)).message, "AUTOPILOT_WORKER_BINARY")
        assert.isUndefined(nothing.settings.workerCommand)
        const sourceNow = Effect.map(load(), ({ worker }) => Either.getOrThrow(worker))
        yield* write("Cargo.toml", "")
        assert.strictEqual((yield* sourceNow).source, `default: ${root} has a Cargo.toml`)
        yield* write(".autopilot/bin/autopilot", "")
        assert.strictEqual((yield* sourceNow).argv[0], join(home.binDir, "autopilot"))
        const named = yield* load({ environment: { AUTOPILOT_WORKER_BINARY: "~/agent" } })
        const { argv, source } = Either.getOrThrow(named.worker)
        assert.strictEqual(argv[0], join(root, "agent"))
        assert.strictEqual(source, "environment AUTOPILOT_WORKER_BINARY")
        const given = yield* load({
          commandLine: { worker_command: { type: "Command", argv: ["sleep", "1"] } }
        })
        assert.deepStrictEqual(Either.getOrThrow(given.worker).argv, ["sleep", "1"])
        assert.strictEqual(Either.getOrThrow(given.worker).source, "command line")
      })
  )
})
