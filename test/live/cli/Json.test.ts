import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { exitCodeOf } from "../../../src/Domain/cli/ExitCodes.ts"
import { errorCodes } from "../../../src/Domain/control/ErrorCode.ts"
import { answerSchemas } from "../../../src/Domain/json/AnswerSchemas.ts"
import { twinKeys } from "../../../src/Domain/json/TwinKeys.ts"
import { twinKeyOf } from "../../../src/Domain/json/Twins.ts"
import { command, eventually, ownProcess, startDaemon, temporaryHome } from "../TestDaemon.ts"

const shell = (script: string) => `worker_command = { type = "Command", argv = ["sh", "-c", "${script}"] }`

/** One worker fails, one goes on, one finishes. */
const settings = [
  `[projects.blog]\n${shell("echo boom >&2; exit 3")}`,
  "[projects.blog.restart]\nmax_consecutive_restarts = 2\ninitial_backoff_ms = 10",
  `[projects.wiki]\n${shell("echo tick; sleep 100000")}`,
  `[projects.shop]\n${shell("exit 0")}`
].join("\n")

const Answer = Schema.Struct({
  success: Schema.Boolean,
  message: Schema.String,
  code: Schema.optionalWith(Schema.Literal(...errorCodes), { exact: true }),
  data: Schema.optionalWith(Schema.Unknown, { exact: true })
})

const answerIn = (text: string) => {
  assert.match(text, /^\{[^\n]*\}\n$/)
  return Schema.decodeUnknownSync(Answer)(JSON.parse(text))
}

/** Each moment and each amount has its twin, which agrees with it. */
const checkTwins = (value: unknown): void => {
  if (Array.isArray(value)) return value.forEach(checkTwins)
  if (typeof value !== "object" || value === null) return
  const entries = new Map<string, unknown>(Object.entries(value))
  for (const [key, one] of entries) {
    checkTwins(one)
    if (typeof one !== "number") continue
    const twin = (unit: "moment" | "micro-dollar") => entries.get(twinKeyOf(key, unit)?.key ?? "")
    if (twinKeys.moments.includes(key)) assert.strictEqual(Date.parse(String(twin("moment"))), one, key)
    if (twinKeys.microDollars.includes(key)) assert.strictEqual(twin("micro-dollar"), one / 1e6, key)
  }
}

type Command = keyof typeof answerSchemas

const checkData = (name: Command, data: unknown) => {
  const schema: Schema.Schema.AnyNoContext = answerSchemas[name]
  const decoded = Schema.decodeUnknownEither(schema)(data)
  assert.isTrue(
    Either.isRight(decoded),
    `${name}: ${String(Either.getLeft(decoded))} ${JSON.stringify(data)}`
  )
  checkTwins(data)
}

/** The command, its words, and its error where it is no success. */
type Row = readonly [name: Command, words: string, code?: (typeof errorCodes)[number]]

const told = (home: string, [name, words, code]: Row, runs = command) =>
  Effect.map(runs({ home, args: [...words.split(" "), "--json"] }), ({ code: exit, stdout }) => {
    const answer = answerIn(stdout)
    assert.deepStrictEqual([answer.success, answer.code], [code === undefined, code], stdout)
    if (code !== undefined) assert.strictEqual(exit, exitCodeOf(code), words)
    if (answer.data !== undefined) checkData(name, answer.data)
    return answer
  })

describe("the answer to a program", () => {
  it.scopedLive(
    "has one shape for every command, whatever comes of it, and its data is what docs/json.md says",
    () =>
      Effect.gen(function* () {
        const { home } = yield* startDaemon({ settings })
        const blog = yield* eventually(
          "blog has failed",
          Effect.gen(function* () {
            const { data } = yield* told(home, ["projects", "projects blog"])
            const row = Schema.decodeUnknownSync(answerSchemas.projects)(data).projects[0]
            return row?.worker_status === "failed" ? row : undefined
          })
        )
        assert.deepInclude(blog, { last_verdict: "crash", last_exit_code: 3 })
        assert.notProperty(blog, "cost_micro_usd")
        const rows: ReadonlyArray<Row> = [
          ["status", "status wiki"],
          ["status", "status blog"],
          ["status", "status nope", "unknown_project"],
          ["projects", "projects nope", "unknown_project"],
          ["hogs", "hogs"],
          ["metrics", "metrics"],
          ["history", "history"],
          ["history", "history nope", "unknown_project"],
          ["wait", "wait shop"],
          ["wait", "wait blog", "worker_failed"],
          ["wait", "wait wiki --timeout 1s", "timeout"],
          ["why", "why blog"],
          ["why", "why --all"],
          ["use", "use wiki"],
          ["switch", "switch wiki --keep"],
          ["switch", "switch nope", "unknown_project"],
          ["start-worker", "start-worker wiki"],
          ["restart-worker", "restart-worker wiki --no-wait"],
          ["budget show", "budget show"],
          ["budget reset", "budget reset wiki"],
          ["reload", "reload"],
          ["config check", "config check"],
          ["config show", "config show"],
          ["config get", "config get restart.jitter"],
          ["config get", "config get restart"],
          ["config get", "config get nope", "unknown_setting"],
          ["config set", "config set restart.jitter 0.1 --dry-run"],
          ["config set", "config set restart.jitter 5", "settings_invalid"],
          ["config unset", "config unset restart.jitter"],
          ["config schema", "config schema"],
          ["install", "install --print"],
          ["run", "run --max-turns 5 -- sleep 100000", "refused"],
          ["doctor", "doctor --no-such-option", "usage"],
          ["stop-worker", "stop-worker wiki"],
          ["wait", "wait wiki", "worker_stopped"]
        ]
        for (const row of rows) {
          const [name, words, ...code] = row
          // Words after "--" belong to the worker.
          const [before = "", after] = words.split(" -- ")
          if (after === undefined) yield* told(home, row)
          else {
            const { stdout } = yield* command({
              home,
              args: [...before.split(" "), "--json", "--", ...after.split(" ")]
            })
            assert.strictEqual(answerIn(stdout).code, code[0], name)
          }
        }
        // The quick commands print without the schemas; the others have a process of their own.
        yield* told(home, ["status", "status wiki"], ownProcess)
        const version = yield* ownProcess({ home, args: ["version", "--json"] })
        checkData("version", answerIn(version.stdout).data)
        const { stdout: findings } = yield* ownProcess({ home, args: ["doctor", "--json"] })
        checkData("doctor", answerIn(findings).data)

        const several = yield* command({ home, args: ["status", "blog", "wiki", "--json"] })
        const { code, data: each } = answerIn(several.stdout)
        assert.deepStrictEqual([code, several.code], ["worker_failed", 4])
        const { answers } = Schema.decodeUnknownSync(Schema.Struct({ answers: Schema.Array(Answer) }))(each)
        for (const { data } of answers) checkData("status", data)
        for (const name of ["logs", "events"] as const) {
          const { stdout } = yield* command({ home, args: [name, "--json"] })
          const lines = stdout.trimEnd().split("\n")
          assert.isAbove(lines.length, 1)
          for (const line of lines) checkData(name, JSON.parse(line))
        }
        yield* told(home, ["status", "stop"])
        yield* told(home, ["status", "status", "no_daemon"])
      })
  )

  it.scopedLive("says what was set up, started and refused without a daemon", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const set = yield* told(home, ["init", `init --workdir ${home}`], ownProcess)
      assert.include(set.message, join(home, "daemon.toml"))
      yield* told(home, ["init", `init --workdir ${home}`, "project_exists"], ownProcess)
      yield* told(home, ["logs", "logs", "no_log"])
      yield* told(home, ["why", "why"])
      yield* told(home, ["status", "stop"])
    })
  )
})
