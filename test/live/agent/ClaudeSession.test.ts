import * as fs from "node:fs"
import { join } from "node:path"
import { assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { command, eventually, startDaemon, temporaryHome, workersOf } from "../TestDaemon.ts"
import { inState, pidOf, saidOf } from "../worker/SeveralProjects.ts"
import { type AgentMissing, claudeFolder, claudeVersions } from "./AgentInstall.ts"
import { claudeEnvironment } from "./ClaudeWorld.ts"
import { serveMessagesApi } from "./MessagesApi.ts"

/** What the stand-in's usage costs one answer with the model of these tests: a dollar amount is not asserted. */
const settings = (folder: string, more = "") => `
working_dir = "${folder}"
model = "sonnet"
max_turns = 40
${more}
[worker_command]
type = "Claude"
prompt = "do the whole work"
args = ["--dangerously-skip-permissions"]
[restart]
initial_backoff_ms = 10
max_backoff_ms = 10
`

const supervise = Effect.fnUntraced(function* (programs: string, more?: string) {
  const api = yield* serveMessagesApi
  const home = yield* temporaryHome
  const agentHome = yield* temporaryHome
  const folder = yield* temporaryHome
  const env = claudeEnvironment(api, programs, agentHome)
  const daemon = yield* startDaemon({ home, env, settings: settings(folder, more) })

  const work = Effect.sync(
    (): { usd: number; turns: number; session?: string } =>
      JSON.parse(fs.readFileSync(join(home, "state/default.json"), "utf8")).work
  )
  /** Answers with a command that hangs, once the daemon has heard of `turns` answers and their cost. */
  const hang = Effect.fnUntraced(function* (turns: number, usd = 0) {
    const ask = yield* api.nextAsk
    yield* ask.answer({ _tag: "Bash", command: "echo $$ >hangs; sleep 1000", timeoutMs: 600_000 })
    const told = yield* eventually(
      `the cost of ${turns} answers is saved`,
      Effect.map(work, (now) => (now.turns === turns && now.usd > usd ? now : undefined))
    )
    const { worker_pid } = yield* daemon.status("it runs", (data) => data.worker_pid !== null)
    return { ask, told, pid: worker_pid ?? 0 }
  })
  const transcripts = () =>
    fs
      .readdirSync(join(agentHome, ".claude/projects"), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".jsonl"))
      .map((name) => join(agentHome, ".claude/projects", name))
  return { api, daemon, home, hang, work, transcripts }
})

describe.concurrent.each(claudeVersions)("the session of Claude Code, %s,", (_, wanted) => {
  let programs: Either.Either<string, AgentMissing>
  beforeAll(async () => {
    programs = await Effect.runPromise(Effect.either(Effect.flatMap(wanted, claudeFolder)))
  })
  beforeEach(({ skip }) => {
    if (Either.isLeft(programs)) skip(programs.left.message)
  })

  it.scopedLive(
    "outlives kill -9, a lost transcript and a poisoned one; its cost is counted once; it finishes",
    () =>
      Effect.gen(function* () {
        const { api, daemon, hang, transcripts, work } = yield* supervise(Either.getOrThrow(programs))
        const first = yield* hang(1)
        const session = first.told.session ?? ""
        assert.match(session, /^[0-9a-f-]{36}$/)
        process.kill(first.pid, "SIGKILL")

        const second = yield* hang(2, first.told.usd)
        assert.include(second.ask.prompts.at(-1), "Your process was interrupted")
        assert.include(second.ask.prompts[0], "do the whole work")
        assert.strictEqual(second.told.session, session)
        assert.approximately(second.told.usd, 2 * first.told.usd, first.told.usd / 100)
        yield* daemon.logged(new RegExp(`Continuing session ${session}`))

        for (const file of transcripts()) fs.rmSync(file)
        process.kill(second.pid, "SIGKILL")
        const third = yield* hang(3, second.told.usd)
        assert.lengthOf(third.ask.prompts, 1)
        assert.include(third.ask.prompts[0], "do the whole work")
        assert.notStrictEqual(third.told.session, session)
        yield* daemon.logged(/The next run begins a new session: the agent does not know it any more/)
        const status = yield* daemon.status("it runs", (data) => data.worker_pid === third.pid)
        assert.strictEqual(status.consecutive_failures, 2, "the refusal is no failure")

        process.kill(third.pid, "SIGKILL")
        yield* Effect.repeat(
          Effect.flatMap(api.nextAsk, (ask) =>
            ask.prompts.length > 1
              ? Effect.as(ask.refuse(400, "messages.3: tool_use ids without tool_result"), true)
              : Effect.as(ask.answer({ _tag: "Say", text: "All done." }), false)
          ),
          { while: (isPoisoned) => isPoisoned }
        )
        const finished = yield* daemon.status("it has finished", (data) => data.worker_status === "stopped")
        assert.match(finished.reason ?? "", /^its work is finished/)
        yield* daemon.logged(/The next run begins a new session: the API rejects it/)
        const total = yield* eventually(
          "the whole work is saved",
          Effect.map(work, (now) => (now.turns === 4 ? now : undefined))
        )
        assert.approximately(total.usd, 4 * first.told.usd, first.told.usd / 25)
      })
  )

  it.scopedLive(
    "finishes and waits for a background task: it is shown with the task and until when, then ended, and done",
    () =>
      Effect.gen(function* () {
        const lingerMs = 8000
        const { api, daemon, home } = yield* supervise(
          Either.getOrThrow(programs),
          `[agent]\nlinger_ms = ${lingerMs}`
        )
        const first = yield* api.nextAsk
        yield* first.answer({ _tag: "Bash", command: "tail -f /dev/null", isInBackground: true })
        const second = yield* api.nextAsk
        yield* second.answer({ _tag: "Say", text: "All done." })
        const waits = yield* daemon.status("it waits", (data) => data.agent?.finished_at_ms !== undefined)
        assert.strictEqual(waits.reason, 'the agent has finished, and waits for "What the test wants"')
        assert.strictEqual((waits.agent?.until_ms ?? 0) - (waits.agent?.finished_at_ms ?? 0), lingerMs)
        const { stdout } = yield* command({ home, args: ["projects"] })
        assert.match(
          stdout,
          /has finished, and waits for "What the test wants", until (?:tomorrow |[-\d]{10} )?\d\d:\d\d \(in \d+ seconds\)/
        )
        const done = yield* daemon.status("it is done", (data) => data.worker_status === "stopped")
        assert.match(done.reason ?? "", /^its work is finished/)
        assert.deepStrictEqual(workersOf(home), [])
        assert.deepInclude(done.last_agent, { session_id: waits.agent?.session_id ?? "", turns: 2 })
        assert.deepStrictEqual(api.strangers(), [])
      })
  )

  it.scopedLive("stops at a budget that it reaches across restarts, with the two ways out", () =>
    Effect.gen(function* () {
      const { api, daemon, hang, home, work } = yield* supervise(
        Either.getOrThrow(programs),
        "max_budget = 0.002"
      )
      let usd = 0
      for (const turns of [1, 2, 3, 4, 5, 6]) {
        const run = yield* Effect.raceFirst(
          hang(turns, usd),
          Effect.as(
            daemon.status("it has failed", (data) => data.worker_status === "failed"),
            undefined
          )
        )
        if (run === undefined) break
        usd = run.told.usd
        process.kill(run.pid, "SIGKILL")
      }
      const failed = yield* daemon.status("it has failed", (data) => data.worker_status === "failed")
      assert.match(
        failed.reason ?? "",
        /^used up its budget: the work has spent \$[\d.]+ of max_budget \(\$0\.0020\)/
      )
      const shown = (yield* command({ home, args: ["status"] })).stdout.replace(/\s+/g, " ")
      assert.include(shown, "Raise max_budget (autopilotd config set max_budget")
      assert.include(shown, "autopilotd budget reset")
      yield* daemon.logged(/80 % of a budget is spent/)
      assert.isAbove((yield* work).turns, 1)
      assert.deepStrictEqual(api.strangers(), [])
    })
  )

  it.scopedLive(
    "waits with another project for the limit of their login, follows it, and holds before the next",
    () =>
      Effect.gen(function* () {
        const api = yield* serveMessagesApi
        const [home, agentHome, folder] = yield* Effect.all([temporaryHome, temporaryHome, temporaryHome])
        const env = {
          ...claudeEnvironment(api, Either.getOrThrow(programs), agentHome),
          ANTHROPIC_API_KEY: undefined,
          CLAUDE_CODE_OAUTH_TOKEN: "test"
        }
        const worker = (prompt: string) =>
          `worker_command = { type = "Claude", prompt = "${prompt}", args = ["--dangerously-skip-permissions"] }`
        yield* startDaemon({
          home,
          env,
          settings: `
project = "shop"
working_dir = "${folder}"
model = "sonnet"
${worker("build the shop")}
[agent]
hold_at = 0.9
[restart]
initial_backoff_ms = 10
[projects.blog]
${worker("write the blog")}
agent = { hold_at = false }
`
        })
        const asked = yield* Effect.all([api.nextAsk, api.nextAsk])
        const ofShop = asked.find(({ prompts }) => prompts.includes("build the shop"))
        const resetsAtMs = Date.now() + 3 * 3_600_000
        yield* ofShop?.limit(resetsAtMs) ?? Effect.dieMessage("the shop has not asked")
        yield* inState(home, "shop", "waiting")
        assert.strictEqual(
          (yield* inState(home, "blog", "running")).worker_status,
          "running",
          "it is left alone"
        )
        process.kill(yield* pidOf(home, "blog"), "SIGKILL")

        const held = yield* inState(home, "blog", "waiting")
        const words =
          /waits with project shop for the usage limit of the same login until (?:tomorrow |[-\d]{10} )?\d\d:\d\d/
        assert.match(held.reason ?? "", words)
        for (const args of [["why"], ["history"], ["status"]]) {
          assert.match(yield* saidOf(home, "blog", ...args), words, args.join(" "))
        }
        assert.include(fs.readFileSync(join(home, "logins.json"), "utf8"), '"project":"shop"')

        yield* command({ home, args: ["start-worker", "--project", "shop"] })
        const probe = yield* api.nextAsk
        assert.include(probe.prompts[0], "build the shop")
        yield* probe.answer({ _tag: "Bash", command: "touch done" }, { used: 0.95, resetsAtMs })
        // The next request of the shop comes before the daemon has read that its window is nearly used.
        assert.include((yield* api.nextAsk).prompts[0], "build the shop")
        const follower = yield* api.nextAsk
        assert.include(follower.prompts[0], "write the blog")
        yield* follower.answer({ _tag: "Say", text: "All done." })
        yield* inState(home, "blog", "stopped")
        const spared = yield* inState(home, "shop", "waiting")
        assert.match(spared.reason ?? "", /^95 % of the five-hour window of its login is used/)
        assert.notInclude(fs.readFileSync(join(home, "logins.json"), "utf8"), "shop")
      })
  )
})
