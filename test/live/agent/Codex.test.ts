import * as fs from "node:fs"
import { join } from "node:path"
import { assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { eventually, isAlive, startDaemon, temporaryHome } from "../TestDaemon.ts"
import { inState, processesOf, rowOf, saidOf } from "../worker/SeveralProjects.ts"
import { type AgentMissing, codexFolder } from "./AgentInstall.ts"
import { type CodexAsk, serveResponsesApi } from "./ResponsesApi.ts"

const argv =
  "codex exec --json --skip-git-repo-check --dangerously-bypass-approvals-and-sandbox --strict-config".split(
    " "
  )

/** How Codex finds the stand-in of its API. */
const codexSettings = (url: string): string =>
  [
    'model = "gpt-5"',
    'model_provider = "local"',
    "[model_providers.local]",
    'name = "local"',
    `base_url = "${url}/v1"`,
    'wire_api = "responses"',
    'env_key = "LOCAL_KEY"',
    "request_max_retries = 1",
    "stream_max_retries = 1",
    ""
  ].join("\n")

const hours = 3600

/** A project with a stand-in of the API and a home of its own. */
const projectOf = Effect.fnUntraced(function* (home: string, name: string) {
  const api = yield* serveResponsesApi
  const codexHome = yield* temporaryHome
  const folder = yield* temporaryHome
  fs.writeFileSync(join(codexHome, "config.toml"), codexSettings(api.url))
  const env = { HOME: codexHome, CODEX_HOME: codexHome, LOCAL_KEY: "sk-test" }
  const pairs = Object.entries({ ...env, HTTP_PROXY: api.url, HTTPS_PROXY: api.url, NO_PROXY: "127.0.0.1" })
  const settings = [
    `[projects.${name}]`,
    `working_dir = "${folder}"`,
    `worker_command = { type = "Command", argv = ${JSON.stringify([...argv, "do the whole work"])} }`,
    `env = { ${pairs.map(([key, value]) => `${key} = "${value}"`).join(", ")} }`,
    ""
  ].join("\n")
  const read = (...args: ReadonlyArray<string>) => saidOf(home, name, ...args)
  return {
    api,
    folder,
    settings,
    read,
    state: (state: Parameters<typeof inState>[2]) => inState(home, name, state),
    processes: () => processesOf(home, name),
    until: <A>(reached: Effect.Effect<A>, answer: (ask: CodexAsk) => Effect.Effect<void>) =>
      Effect.raceFirst(reached, Effect.forever(Effect.flatMap(api.nextAsk, answer)))
  }
})

describe("Codex under supervision", () => {
  let programs: Either.Either<string, AgentMissing>
  beforeAll(async () => {
    programs = await Effect.runPromise(Effect.either(codexFolder))
  })
  beforeEach(({ skip }) => {
    if (Either.isLeft(programs)) skip(programs.left.message)
  })

  it.scopedLive(
    "goes on in its session after kill -9 and finishes, waits for its usage limit, and stops at a rejected key",
    () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const killed = yield* projectOf(home, "killed")
        const limited = yield* projectOf(home, "limited")
        const refused = yield* projectOf(home, "refused")
        const path = `${Either.getOrThrow(programs)}:${process.env["PATH"]}`
        const settings = [
          "restart = { initial_backoff_ms = 10 }\n",
          ...[killed, limited, refused].map((one) => one.settings)
        ].join("")
        yield* startDaemon({ home, settings, env: { PATH: path } })

        const dies = Effect.gen(function* () {
          const first = yield* killed.api.nextAsk
          yield* first.answer({ _tag: "Shell", command: "echo $$ >hangs; sleep 1000" })
          const hangs = join(killed.folder, "hangs")
          yield* eventually(
            "the command runs",
            () => fs.existsSync(hangs) && fs.readFileSync(hangs, "utf8") !== ""
          )
          // What npm installs starts the native program, so that the agent outlives its leader.
          const before = killed.processes()
          assert.include(before, Number(fs.readFileSync(hangs, "utf8")))
          const [, session = ""] =
            /Session: ([0-9a-f-]{36}) \(while the worker is stopped: codex resume \1\)/.exec(
              yield* killed.read("status")
            ) ?? []
          assert.notStrictEqual(session, "")
          process.kill((yield* killed.state("running")).worker_pid ?? 0, "SIGKILL")
          // The first agent may ask once more before the daemon has found it.
          const again = yield* Effect.repeat(killed.api.nextAsk, {
            until: ({ prompts }) => prompts.length > 1
          })
          assert.include(again.prompts[0], "do the whole work")
          assert.include(again.prompts.at(-1), "Your process was interrupted")
          assert.deepStrictEqual(before.filter(isAlive), [])
          yield* again.answer({ _tag: "Shell", command: "echo two" })
          const last = yield* killed.api.nextAsk
          assert.match(last.outputs.at(-1) ?? "", /two/)
          yield* last.answer({ _tag: "Say", text: "All done." })
          yield* killed.state("stopped")
          const why = yield* killed.read("why")
          assert.include(why, "is finished: exit code 0 after")
          assert.include(why, `Its agent had 2 turns in session ${session}.`)
          assert.include(why, "It has restarted once today: another process sent SIGKILL.")
          assert.include(yield* killed.read("history"), `Continuing session ${session}`)
          assert.include(yield* killed.read("logs"), "All done.")
        })

        const waits = Effect.gen(function* () {
          const resetsAt = Math.floor(Date.now() / 1000) + 2 * hours
          const error = {
            type: "usage_limit_reached",
            message: "The usage limit has been reached",
            plan_type: "plus",
            resets_at: resetsAt
          }
          const row = yield* limited.until(limited.state("waiting"), (ask) => ask.refuse(429, { error }))
          // It names the time to the minute, and the daemon waits a minute more.
          const afterResetMs = (row.next_start_at_ms ?? 0) - resetsAt * 1000
          assert.isAtLeast(afterResetMs, 0)
          assert.isAtMost(afterResetMs, 60_000)
          const status = yield* limited.read("status")
          assert.match(
            status,
            /Failures: 0 .* Why: reached its usage limit: You’ve hit your usage limit\./,
            status
          )
          assert.match(
            yield* limited.read("why"),
            /waits until (?:tomorrow )?\d\d:\d\d \((2 h 00|1 h 59) min from now\)/
          )
          yield* limited.read("start-worker")
          yield* limited.until(limited.state("stopped"), (ask) => ask.answer({ _tag: "Say", text: "Done." }))
          assert.include(yield* limited.read("why"), "It has restarted once today: usage limit.")
        })

        const stops = Effect.gen(function* () {
          const error = { message: "Incorrect API key provided", type: "invalid_request_error" }
          yield* refused.until(refused.state("failed"), (ask) => ask.refuse(401, { error }))
          assert.match(
            yield* refused.read("status"),
            /Why: not logged in: unexpected status 401 Unauthorized: Incorrect API key provided.*then run: autopilotd start-worker --project refused/
          )
          yield* rowOf(home, "refused", "was not restarted", ({ total_restarts: n }) => n === 0)
        })
        yield* Effect.all([dies, waits, stops], { concurrency: "unbounded", discard: true })
        // It also looks for updates, which the stand-in refuses as a proxy.
        for (const { api } of [killed, limited, refused])
          assert.isEmpty(api.strangers().filter((what) => !what.startsWith("CONNECT ")))
      })
  )
})
