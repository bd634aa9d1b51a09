import * as fs from "node:fs"
import { join, resolve } from "node:path"
import { assert, beforeAll, beforeEach, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import {
  command,
  eventually,
  isAlive,
  processesWith,
  startDaemon,
  temporaryHome,
  workersOf
} from "../TestDaemon.ts"
import { saidOf } from "../worker/SeveralProjects.ts"
import { type AgentMissing, claudeFolder, claudeVersions } from "./AgentInstall.ts"
import { claudeEnvironment } from "./ClaudeWorld.ts"
import { serveMessagesApi, type Turn } from "./MessagesApi.ts"
import { serveOtlp } from "./OtlpReceiver.ts"

const groupAndSession = (pid: number) => {
  // The name, in parentheses, may hold blanks; state, parent, group and session follow it.
  const fields = fs
    .readFileSync(`/proc/${pid}/stat`, "latin1")
    .replace(/^.*\) /s, "")
    .split(" ")
  return { group: Number(fields[2]), session: Number(fields[3]) }
}

const claudeCommand =
  "-p work --model sonnet --max-turns 20 --max-budget-usd 300 --output-format stream-json --verbose --dangerously-skip-permissions"

/** `autopilotd start -- claude -p ...` in a working folder of its own. */
const superviseClaude = Effect.fnUntraced(function* (
  programs: string,
  {
    env = {},
    settings = ""
  }: { readonly env?: Readonly<Record<string, string>>; readonly settings?: string } = {}
) {
  const api = yield* serveMessagesApi
  const home = yield* temporaryHome
  const agentHome = yield* temporaryHome
  const folder = yield* temporaryHome
  const daemon = yield* startDaemon({
    home,
    args: ["--workdir", folder, "--project", "night-shift"],
    worker: ["claude", ...claudeCommand.split(" ")],
    settings,
    env: { ...claudeEnvironment(api, programs, agentHome), ...env }
  })
  return { api, daemon, folder, home }
})
type Supervised = Effect.Effect.Success<ReturnType<typeof superviseClaude>>

/** A command that leaves a process in a session of its own behind and prints its pid. */
const leaveProcess: Turn = { _tag: "Bash", command: "setsid sleep 1000 >/dev/null 2>&1 & echo $!" }

/**
 * Brings an agent to where its first command has left a process behind and its second one hangs. `run` counts the runs
 * of the session: each begins with another prompt.
 */
const reachMidTurn = Effect.fnUntraced(function* ({ api, daemon, folder }: Supervised, run = 1) {
  // An agent that was told to end may have asked once more, about the command that was ended with it.
  const first = yield* Effect.repeat(api.nextAsk, { until: ({ prompts }) => prompts.length >= run })
  yield* first.answer(leaveProcess)
  const second = yield* api.nextAsk
  const pidFile = join(folder, "hangs.pid")
  yield* second.answer({ _tag: "Bash", command: `echo $$ >${pidFile}; sleep 1000`, timeoutMs: 600_000 })
  const hanging = yield* eventually(
    "the second command runs",
    () => fs.existsSync(pidFile) && (Number(fs.readFileSync(pidFile, "utf8")) || undefined)
  )
  fs.rmSync(pidFile)
  const { worker_id: id, worker_pid } = yield* daemon.status(
    "it runs",
    (data) => data.worker_id !== undefined
  )
  const leader = worker_pid ?? 0
  const left = Number(second.toolResults.at(-1))
  const mark = `AUTOPILOT_WORKER_ID=${id}`
  assert.includeMembers([...processesWith(mark)], [leader, left, hanging])
  // Signalling the leader's group, or its session, would not have been enough.
  assert.notStrictEqual(groupAndSession(hanging).group, groupAndSession(leader).group)
  assert.notStrictEqual(groupAndSession(left).session, groupAndSession(leader).session)
  return { leader, remaining: () => processesWith(mark) }
})

/** The results of the agent's runs in the project's log. The type of a line is not its first key in every version. */
const resultsIn = (home: string): ReadonlyArray<unknown> =>
  fs
    .readFileSync(join(home, "logs/night-shift/worker.log"), "utf8")
    .split("\n")
    .flatMap((line) => / out (\{.*\})$/.exec(line)?.[1] ?? [])
    .map((json) => JSON.parse(json))
    .filter(({ type }) => type === "result")

const recorded = resolve(import.meta.dirname, "../../fixtures/recorded")
describe.concurrent.each(claudeVersions)("Claude Code under supervision, %s,", (_, wanted) => {
  let claude: Either.Either<{ readonly version: string; readonly programs: string }, AgentMissing>
  const programs = () => Either.getOrThrow(claude).programs
  beforeAll(async () => {
    const installed = Effect.bindTo(wanted, "version").pipe(
      Effect.bind("programs", ({ version }) => claudeFolder(version))
    )
    claude = await Effect.runPromise(Effect.either(installed))
  })
  beforeEach(({ skip }) => {
    if (Either.isLeft(claude)) skip(claude.left.message)
  })

  it("is a version with recorded runs, or the report says that it is not", async ({ annotate }) => {
    const { version } = Either.getOrThrow(claude)
    const known = fs.readdirSync(recorded).filter((name) => name.startsWith("claude-"))
    assert.isNotEmpty(known)
    if (known.includes(`claude-${version}`)) return
    await annotate(
      `npm serves Claude Code ${version}, but test/fixtures/recorded has only ${known.join(" and ")}: record its runs`
    )
  })

  it.scopedLive(
    "is killed during a turn: it continues after the backoff, with nothing left of the first run, and finishes",
    () =>
      Effect.gen(function* () {
        const supervised = yield* superviseClaude(programs())
        const { api, daemon, home } = supervised
        const killed = yield* reachMidTurn(supervised)
        process.kill(killed.leader, "SIGKILL")
        const after = yield* daemon.status(
          "its end is dealt with",
          (data) => data.last_exit !== undefined && data.worker_status !== "stopping"
        )
        assert.deepStrictEqual(killed.remaining(), [])
        assert.match(after.last_exit ?? "", /^killed by SIGKILL after /)
        yield* daemon.logged(/Failure 1 in a row: the next start is in 1 s/)

        const first = yield* api.nextAsk
        assert.isNotEmpty(first.toolResults, "the same conversation")
        assert.include(first.prompts.at(-1), "Your process was interrupted")
        yield* first.answer(leaveProcess)
        const second = yield* api.nextAsk
        assert.isTrue(isAlive(Number(second.toolResults.at(-1))))
        yield* second.answer({ _tag: "Say", text: "All done." })
        const finished = yield* daemon.status("it has finished", (data) => data.worker_status === "stopped")
        assert.match(finished.reason ?? "", /^its work is finished \(exit code 0 after /)
        assert.strictEqual(finished.worker_pid, null)
        assert.strictEqual(finished.total_restarts, 1)
        assert.deepStrictEqual(workersOf(home), [])
        const results = resultsIn(home)
        assert.lengthOf(results, 1)
        assert.deepInclude(results[0], {
          subtype: "success",
          is_error: false,
          num_turns: 2,
          result: "All done."
        })

        const stop = yield* command({ home, args: ["stop"] })
        assert.deepInclude(stop, { code: 0, stdout: "Daemon stopped\n" })
        assert.deepStrictEqual(yield* daemon.ended, { code: 0, signal: null })
        assert.deepStrictEqual(api.strangers(), [])
      })
  )

  it.scopedLive("sends its own metrics under the name of the project, where the settings want that", () =>
    Effect.gen(function* () {
      const { received, url } = yield* serveOtlp
      const { api, daemon } = yield* superviseClaude(programs(), {
        settings: "[metrics]\nagent = true\n",
        env: { OTEL_EXPORTER_OTLP_ENDPOINT: url }
      })
      yield* (yield* api.nextAsk).answer({ _tag: "Say", text: "All done." })
      yield* daemon.status("it has finished", (data) => data.worker_status === "stopped")
      const text = JSON.stringify(received())
      assert.include(text, '"name":"claude_code.token.usage"')
      assert.include(text, '"key":"project","value":{"stringValue":"night-shift"}')
      assert.match(text, /"aggregationTemporality":2/)
      assert.notMatch(text, /"aggregationTemporality":1|"session\.id"/)
    })
  )

  it.scopedLive(
    "is restarted or stopped during a turn: it exits by itself and leaves no process behind",
    () =>
      Effect.gen(function* () {
        const supervised = yield* superviseClaude(programs())
        const { api, daemon, home } = supervised
        const before = yield* reachMidTurn(supervised)
        assert.isTrue((yield* daemon.ask({ type: "RestartWorker" })).success)
        yield* daemon.status(
          "the next one runs",
          ({ worker_pid: pid }) => pid !== null && pid !== before.leader
        )
        assert.deepStrictEqual(before.remaining(), [])
        const again = yield* reachMidTurn(supervised, 2)
        assert.notStrictEqual(again.leader, before.leader)
        assert.deepStrictEqual(before.remaining(), [])
        const status = yield* daemon.status("it runs", (data) => data.worker_pid === again.leader)
        assert.deepInclude(status, { total_restarts: 1, consecutive_failures: 0 })
        const stop = yield* saidOf(home, undefined, "stop-worker")
        assert.strictEqual(stop, "Worker is stopped: stopped by command")
        assert.deepStrictEqual(again.remaining(), [])
        const { last_exit } = yield* daemon.status(
          "it is stopped",
          (data) => data.worker_status === "stopped"
        )
        assert.match(last_exit ?? "", /^exit code 143 \(SIGTERM\) after /)
        assert.deepStrictEqual(api.strangers(), [])
      })
  )

  it.scopedLive(
    "`start -- claude -p ...` is Claude Code: session, turns and the budget of the work are known",
    () =>
      Effect.gen(function* () {
        const { api, daemon, home } = yield* superviseClaude(programs())
        const read = (...args: ReadonlyArray<string>) => saidOf(home, undefined, ...args)
        const first = yield* api.nextAsk
        assert.include(first.prompts[0], "work")
        yield* first.answer({ _tag: "Bash", command: "echo one" })
        const second = yield* api.nextAsk
        const status = yield* eventually(
          "the cost of the first answer is known",
          Effect.map(read("status"), (text) => (text.includes("Cost: $0.000") ? text : undefined))
        )
        const [, session = ""] =
          /Model: claude-sonnet-\S+ Session: ([0-9a-f-]{36}) \(while the worker is stopped: claude --resume \1\) Turns: 1 /.exec(
            status
          ) ?? []
        assert.notStrictEqual(session, "", status)
        assert.match(
          status,
          /Tool: Bash "echo one", done .* Command: claude --input-format stream-json -p --model sonnet/
        )
        yield* eventually(
          "budget show has the exact cost",
          Effect.map(
            read("budget", "show"),
            (text) => /night-shift \$0\.00\d+ of \$300\.00 1 of 20/.test(text) || undefined
          )
        )
        yield* second.answer({ _tag: "Say", text: "All done." })
        yield* daemon.status("it has finished", (data) => data.worker_status === "stopped")
        assert.match(
          yield* read("why"),
          new RegExp(
            `finished its work after 2 turns for \\$0\\.00\\d+\\. Its agent had 2 turns for .* in session ${session}\\.`
          )
        )
        assert.deepStrictEqual(api.strangers(), [])
      })
  )
})
