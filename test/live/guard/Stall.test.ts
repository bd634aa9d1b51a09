import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually, startDaemon, temporaryHome } from "../TestDaemon.ts"

const settings = (stallTimeoutMs: number, more: ReadonlyArray<string> = []) =>
  ["[restart]", `stall_timeout_ms = ${stallTimeoutMs}`, "initial_backoff_ms = 60000", ...more, ""].join("\n")

const shell = (script: string): ReadonlyArray<string> => ["sh", "-c", script]

/** A line of an agent's stream. */
const agentLine = (line: object): string => `echo '${JSON.stringify({ session_id: "s", ...line })}'`

const toolUse = agentLine({
  type: "assistant",
  message: { id: "m", role: "assistant", content: [{ type: "tool_use", id: "t1", name: "Bash", input: {} }] }
})

const init = agentLine({ type: "system", subtype: "init", model: "sonnet", cwd: "/", tools: [] })

const task = agentLine({ type: "system", subtype: "task_started", task_id: "1", description: "server" })

const success = agentLine({
  type: "result",
  subtype: "success",
  is_error: false,
  num_turns: 1,
  result: "Done."
})

/** Claude Code prints this for a tool that hangs as for one that works. */
const heartbeat = JSON.stringify({
  type: "tool_progress",
  tool_use_id: "t1",
  heartbeat: true,
  session_id: "s"
})

/** Without a further process, which would be a sign of life. */
const heartbeats = `exec node -e 'setInterval(() => console.log(process.argv[1]), 400)' '${heartbeat}'`

describe("a worker that does nothing", () => {
  it.scopedLive("is stopped after a warning, and restarted as after a failure", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const daemon = yield* startDaemon({
        home,
        settings: settings(500),
        worker: shell("echo hello; sleep 1000")
      })
      yield* daemon.logged(
        /The worker may have stalled: no output, no CPU time .* The daemon restarts it after/
      )
      yield* daemon.logged(/Restarting the worker: stalled: no output, no CPU time/)
      const data = yield* daemon.status("it waits", ({ worker_status }) => worker_status === "restarting")
      assert.match(data.last_exit ?? "", /stalled: inactive for/)
      assert.strictEqual(data.consecutive_failures, 1)
    })
  )

  const alive: Readonly<Record<string, (home: string) => string>> = {
    "says something now and then": () => "while :; do echo working; sleep 0.1; done",
    "has finished and waits for a task in the background": () => `${init}; ${task}; ${success}; sleep 1000`,
    "only computes": () => "while :; do :; done",
    "only writes to a file that is watched": (home) =>
      `while :; do date +%N >'${home}/session'; sleep 0.1; done >/dev/null`
  }
  for (const [what, script] of Object.entries(alive)) {
    it.scopedLive(`has not stalled while it ${what}`, () =>
      Effect.gen(function* () {
        const home = yield* temporaryHome
        const files = `stall_files = ["${home}/session"]`
        const daemon = yield* startDaemon({
          home,
          settings: settings(2000, [files]),
          worker: shell(script(home))
        })
        yield* daemon.status("it has run for long", ({ uptime_seconds }) => uptime_seconds >= 6)
        const log = fs.readFileSync(join(home, "logs/autopilotd.log"), "utf8")
        assert.notMatch(log, /Restarting the worker: stalled/)
        const { data } = yield* daemon.ask({ type: "Status" })
        assert.deepStrictEqual([data?.worker_status, data?.total_restarts], ["running", 0])
      })
    )
  }

  it.scopedLive("has a longer limit while a tool runs that the agent has called", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const daemon = yield* startDaemon({
        home,
        settings: settings(500, ["tool_timeout_ms = 2500"]),
        worker: shell(`${init}; ${toolUse}; ${heartbeats}`)
      })
      yield* daemon.logged(/Restarting the worker: stalled: .* while Bash runs/)
      const [line] = yield* eventually("the stall is told with how long it was", () => {
        const log = fs.readFileSync(join(home, "logs/autopilotd.log"), "utf8")
        return (
          log.match(/Restarting the worker: stalled: .* for ([0-9.]+) seconds? while Bash runs/) ?? undefined
        )
      })
      assert.isAtLeast(Number(/for ([0-9.]+) second/.exec(line ?? "")?.at(1)), 2.5)
    })
  )
})
