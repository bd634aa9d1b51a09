import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { settingKeys } from "../../../src/Domain/config/SettingReference.ts"
import { decodeRaw } from "../../../src/Domain/settings/SettingsDecode.ts"
import { renderProblem } from "../../../src/Domain/settings/SettingsProblem.ts"
import { keyPathText } from "../../../src/Domain/toml/KeyPath.ts"
import type { RawSettings } from "../../../src/Domain/toml/RawSettings.ts"

/** The problems of some settings, each as the line a person would read. */
const complaints = (raw: RawSettings): ReadonlyArray<string> =>
  Either.match(decodeRaw(raw), {
    onLeft: (problems) =>
      problems.map(({ path, ...problem }) =>
        renderProblem({ key: keyPathText(path.map(String)), ...problem })
      ),
    onRight: () => []
  })

const restart = (values: RawSettings) => complaints({ restart: values })
const memory = (values: RawSettings) => complaints({ memory: values })

describe("Settings", () => {
  it("have the documented defaults when nothing is set", () => {
    const defaults = Either.getOrThrow(decodeRaw({}))
    const { env, maxBudget, maxTurns, memory, model, project, restart, workerCommand, workingDir } = defaults
    assert.deepStrictEqual(
      { env, maxBudget, maxTurns, model, project, workingDir },
      { env: {}, maxBudget: 300, maxTurns: 99_999, model: "sonnet", project: undefined, workingDir: "." }
    )
    assert.deepStrictEqual([defaults.autostart, defaults.watchConfig], [true, false])
    assert.isUndefined(workerCommand)
    assert.deepStrictEqual(restart, {
      initialBackoffMs: 1000,
      maxBackoffMs: 300_000,
      backoffMultiplier: 2,
      successThresholdMs: 60_000,
      maxConsecutiveRestarts: 10,
      maxRestartsWithoutAnswer: 5,
      onNoProgress: "tell",
      policy: "on-failure",
      jitter: 0,
      stopGraceMs: 10_000,
      toolTimeoutMs: 3_600_000,
      stallFiles: [],
      recoveryCooldownMs: false,
      on: {
        crash: "restart",
        nativeCrash: "restart",
        outOfMemory: "restart",
        usageLimit: "wait",
        overloaded: "wait",
        auth: "stop",
        badArguments: "stop",
        contextFull: "stop",
        maxTurns: "stop",
        budget: "stop",
        stalled: "restart",
        killedByOther: "restart",
        notStarted: "restart"
      }
    })
    assert.strictEqual(memory.minAvailableBytes, undefined)
    assert.strictEqual(memory.nodeKillThresholdBytes, 524_288_000)
    assert.strictEqual(memory.pollIntervalMs, 5000)
    assert.deepStrictEqual(memory.hogNames, ["node"])
  })

  it.each<[string, RawSettings]>([
    ["restart.initial_backoff_ms", { initial_backoff_ms: 0 }],
    ["restart.max_backoff_ms", { max_backoff_ms: 2 ** 31 - 1 }],
    ["restart.backoff_multiplier", { backoff_multiplier: 1 }],
    ["restart.jitter", { jitter: 1 }],
    ["restart.stall_timeout_ms", { stall_timeout_ms: false }],
    ["restart.recovery_cooldown_ms", { recovery_cooldown_ms: 60_000 }],
    ["restart.policy", { policy: "always" }]
  ])("%s takes its bounds", (_, values) => assert.deepStrictEqual(restart(values), []))

  const ms = "must be a whole number of milliseconds from 0 to 2147483647"
  it.each<[RawSettings, string]>([
    [{ initial_backoff_ms: -1 }, `restart.initial_backoff_ms ${ms}, not -1.`],
    [{ success_threshold_ms: 2 ** 31 }, `restart.success_threshold_ms ${ms}, not 2147483648.`],
    [{ stop_grace_ms: 1.5 }, `restart.stop_grace_ms ${ms}, not 1.5.`],
    [{ max_backoff_ms: "5 minutes" }, `restart.max_backoff_ms ${ms}, not "5 minutes".`],
    [
      { stall_timeout_ms: true },
      `restart.stall_timeout_ms ${ms.replace("from 0 to", "from 50 to")}, or false, not true.`
    ],
    [{ initial_backoff_ms: false }, `restart.initial_backoff_ms ${ms}, not false.`],
    [{ backoff_multiplier: 0.5 }, "restart.backoff_multiplier must be a number, at least 1, not 0.5."],
    [
      { backoff_multiplier: Infinity },
      "restart.backoff_multiplier must be a number, at least 1, not Infinity."
    ],
    [
      { max_consecutive_restarts: 0 },
      "restart.max_consecutive_restarts must be a whole number, at least 1, not 0."
    ],
    [{ jitter: 1.1 }, "restart.jitter must be a number from 0 to 1, not 1.1."],
    [{ jitter: Number.NaN }, "restart.jitter must be a number from 0 to 1, not NaN."],
    [{ policy: "never" }, 'restart.policy must be "on-failure" or "always", not "never".']
  ])("restart %j is refused", (values, line) => assert.deepStrictEqual(restart(values), [line]))

  const bytes = "must be a whole number of bytes, at least 0"
  it.each<[RawSettings, string]>([
    [{ min_available_bytes: -1 }, `memory.min_available_bytes ${bytes}, not -1.`],
    [{ node_kill_threshold_bytes: 0.5 }, `memory.node_kill_threshold_bytes ${bytes}, not 0.5.`],
    [
      { worker_limit_bytes: 0 },
      "memory.worker_limit_bytes must be a whole number of bytes above 0, or false, not 0."
    ],
    [
      { hog_names: ["node", 3] },
      "memory.hog_names must be an array of texts, but the one at position 2 is 3."
    ],
    [{ hog_names: "node" }, 'memory.hog_names must be an array of texts, not "node".'],
    [{ hog_policy: "all" }, 'memory.hog_policy must be "cause", "any" or "own", not "all".'],
    [{ dry_run: "yes" }, 'memory.dry_run must be true or false, not "yes".']
  ])("memory %j is refused", (values, line) => assert.deepStrictEqual(memory(values), [line]))

  it("refuses a poll interval of 0, which would spin (D19)", () => {
    assert.deepStrictEqual(memory({ poll_interval_ms: 0 }), [
      "memory.poll_interval_ms must be a whole number of milliseconds from 50 to 2147483647, not 0."
    ])
  })

  it.each<[RawSettings, string]>([
    [{ model: 3 }, "model must be a text that is not empty, not 3."],
    [{ model: "" }, 'model must be a text that is not empty, not "".'],
    [{ max_budget: -0.01 }, "max_budget must be a number, at least 0, not -0.01."],
    [{ max_turns: 0 }, "max_turns must be a whole number, at least 1, not 0."],
    [{ working_dir: "a\u0000b" }, 'working_dir must be a path, not "a\\u0000b".'],
    [{ memory: 3 }, "memory must be a table, not 3."],
    [{ restart: [{}] }, "restart must be a table, not an array."],
    [{ autostart: "no" }, 'autostart must be true or false, not "no".'],
    [{ watch_config: 1 }, "watch_config must be true or false, not 1."],
    [
      { project: { shop: {} } },
      "project must be 1 to 64 letters, digits, '.', '_' or '-' that begin with a letter or a digit (autopilotd.log is taken), not a table. Did you mean projects?"
    ],
    [
      { project: "../up" },
      "project must be 1 to 64 letters, digits, '.', '_' or '-' that begin with a letter or a digit (autopilotd.log is taken), not \"../up\"."
    ],
    [
      { max_turns: 2n ** 63n },
      "max_turns must be a whole number, at least 1, not 9223372036854775808, which is beyond 2^53 - 1."
    ]
  ])("%s", (values, line) => assert.deepStrictEqual(complaints(values), [line]))

  it.each<[RawSettings, string]>([
    [
      { restart: { max_backof_ms: 1 } },
      "restart.max_backof_ms is not a setting. Did you mean restart.max_backoff_ms?"
    ],
    [{ max_backoff_ms: 1 }, "max_backoff_ms is not a setting. Did you mean restart.max_backoff_ms?"],
    [{ restart: { modle: "x" } }, "restart.modle is not a setting. Did you mean model?"],
    [{ memry: { dry_run: true } }, "memry is not a setting. Did you mean memory?"],
    [{ workdir: "." }, "workdir is not a setting. Did you mean working_dir?"],
    // Where the example of the original has max_turns.
    [
      { worker_command: { type: "Cargo", max_turnz: 5 } },
      "worker_command.max_turnz is not a setting. Did you mean worker_command.max_turns?"
    ],
    [
      { worker_command: { type: "Claude", prompt: "x", promt_file: "y" } },
      "worker_command.promt_file is not a setting. Did you mean worker_command.prompt_file?"
    ],
    [
      { worker_command: { type: "Command", argv: ["x"], arg: [] } },
      "worker_command.arg is not a setting. Did you mean worker_command.argv?"
    ],
    [{ projets: { a: {} } }, "projets is not a setting. Did you mean projects?"],
    [{ autostrat: true }, "autostrat is not a setting. Did you mean autostart?"],
    [{ qqqqqqqq: 1 }, "qqqqqqqq is not a setting."],
    [{ ["__proto__"]: 1 }, "__proto__ is not a setting."],
    [{ "\u001b[31m": 1 }, '"\\u001b[31m" is not a setting.']
  ])("unknown %j is refused with the key that was meant", (raw, line) =>
    assert.deepStrictEqual(complaints(raw), [line])
  )

  it.each<[RawSettings, string]>([
    [{}, 'worker_command.type is missing: it must be "Claude", "Command", "Binary" or "Cargo".'],
    [
      { type: "Docker" },
      'worker_command.type must be "Claude", "Command", "Binary" or "Cargo", not "Docker".'
    ],
    [
      { type: "constructor", path: 1 },
      'worker_command.type must be "Claude", "Command", "Binary" or "Cargo", not "constructor".'
    ],
    [{ type: "Binary" }, "worker_command.path is missing: it must be a path."],
    [
      { type: "Cargo", path: "/x" },
      'worker_command.path does not go with type = "Cargo", which takes manifest_path and args.'
    ],
    [
      { type: "Command", argv: [] },
      "worker_command.argv must be an array of texts that begins with the name of a program, not an empty array."
    ],
    [
      { type: "Command", argv: [""] },
      'worker_command.argv must be an array of texts that begins with the name of a program, but the one at position 1 is "".'
    ],
    [
      { type: "Binary", path: "/x", argz: [] },
      "worker_command.argz is not a setting. Did you mean worker_command.args?"
    ]
  ])("worker_command %j is refused", (worker_command, line) =>
    assert.deepStrictEqual(complaints({ worker_command }), [line])
  )

  it("say how a worker command is written when it is given as text", () => {
    assert.deepStrictEqual(complaints({ worker_command: "claude" }), [
      'worker_command must be a table such as { type = "Command", argv = ["my-agent"] }, not "claude".'
    ])
  })

  it("refuse contradictions, also with a default", () => {
    assert.deepStrictEqual(restart({ initial_backoff_ms: 2000, max_backoff_ms: 1000 }), [
      "restart.initial_backoff_ms (2000) is above restart.max_backoff_ms (1000)."
    ])
    assert.deepStrictEqual(restart({ max_backoff_ms: 500 }), [
      "restart.max_backoff_ms (500) is below restart.initial_backoff_ms, which is 1000 by default."
    ])
    assert.deepStrictEqual(restart({ initial_backoff_ms: 300_001 }), [
      "restart.initial_backoff_ms (300001) is above restart.max_backoff_ms (300000 by default)."
    ])
    assert.deepStrictEqual(memory({ critical_threshold_bytes: 2 ** 30, min_available_bytes: 2 ** 30 }), [
      "memory.critical_threshold_bytes (1 GiB) must be below memory.min_available_bytes (1 GiB)."
    ])
  })

  it("compare no NaN with another setting: it is no number of milliseconds or bytes", () => {
    assert.deepStrictEqual(restart({ max_backoff_ms: Number.NaN }), [
      "restart.max_backoff_ms must be a whole number of milliseconds from 0 to 2147483647, not NaN."
    ])
    assert.match(
      memory({ critical_threshold_bytes: Number.NaN, min_available_bytes: 1 }).join(),
      /^memory\.critical_threshold_bytes must be /
    )
  })

  it("report every problem at once", () => {
    const lines = complaints({
      modl: "x",
      max_turns: 0,
      restart: { initial_backoff_ms: 9, max_backoff_ms: 8, polici: 1 }
    })
    assert.sameMembers(lines as Array<string>, [
      "modl is not a setting. Did you mean model?",
      "max_turns must be a whole number, at least 1, not 0.",
      "restart.polici is not a setting. Did you mean restart.policy?",
      "restart.initial_backoff_ms (9) is above restart.max_backoff_ms (8)."
    ])
  })

  it("never show a value of env, which may be a secret", () => {
    const secret = "s3cr3t-value"
    const lines = complaints({
      env: { "not a name": secret, NUL: `${secret}\u0000`, LIST: [secret], TABLE: { secret } }
    })
    assert.strictEqual(lines.length, 4)
    assert.notInclude(lines.join("\n"), "s3cr3t")
    assert.notInclude(complaints({ env: secret }).join("\n"), "s3cr3t")
    assert.notInclude(complaints({ env: { PIN: 987_654 } }).join("\n"), "987654")
  })

  it("decode or are refused with a reason, whatever the file contains", () => {
    const keys = FastCheck.constantFrom(...settingKeys().map(({ key }) => key), "env.A", "nonsense", "memory")
    const anyValue = FastCheck.oneof(
      FastCheck.jsonValue(),
      FastCheck.bigInt(),
      FastCheck.double(),
      FastCheck.integer({ min: 0, max: 100 }),
      FastCheck.string({ unit: "binary" })
    )
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.tuple(keys, anyValue), { maxLength: 6 }), (entries) => {
        let raw: RawSettings = {}
        for (const [key, value] of entries) {
          const [first = "", second] = key.split(".")
          const inside = raw[first]
          const table = typeof inside === "object" && inside !== null && !Array.isArray(inside) ? inside : {}
          raw = { ...raw, [first]: second === undefined ? value : { ...table, [second]: value } }
        }
        const decoded = decodeRaw(raw)
        if (Either.isRight(decoded)) return
        assert.isNotEmpty(decoded.left)
        for (const line of complaints(raw)) {
          assert.notMatch(line, /[\n\r]/)
          assert.match(line, /^\S.*[.?]$/)
        }
      })
    )
  })
})
