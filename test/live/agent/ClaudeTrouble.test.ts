import * as fs from "node:fs"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually } from "../TestDaemon.ts"
import { bash, describeNight, type NightProject, says } from "./ClaudeNight.ts"

const stallMs = 30_000

/** The projects of one daemon, one for each situation. */
const wanted = {
  hangs: { lines: [`restart = { stall_timeout_ms = ${stallMs}, tool_timeout_ms = ${stallMs} }`] },
  grows: { lines: ["memory = { worker_limit_bytes = 700_000_000 }"] },
  interrupted: {},
  limited: { hasLogin: true },
  refused: {},
  overloaded: {}
}

/** Answers with a command that hangs; returns the pid of the agent once the command runs. */
const hang = Effect.fnUntraced(function* (agent: NightProject) {
  yield* agent.answers(bash("touch hangs; sleep 1000"))
  yield* eventually(`${agent.name}: the command runs`, () => fs.existsSync(join(agent.folder, "hangs")))
  return (yield* agent.inState("running")).worker_pid ?? 0
})

/** The agent of the same session finishes; returns what `why` and the history say then. */
const finish = Effect.fnUntraced(function* (agent: NightProject, session: string) {
  yield* agent.until(agent.inState("stopped"), (ask) => {
    // An agent that was told to end may have asked once more, about the command that was ended with it.
    if (ask.prompts.length === 1) return Effect.void
    assert.include(ask.prompts[0], "do the whole work")
    assert.include(ask.prompts.at(-1), "Your process was interrupted", agent.name)
    return ask.answer(says())
  })
  const why = yield* agent.read("why")
  assert.include(why, "is finished: exit code 0 after")
  assert.include(why, `in session ${session}.`)
  const history = yield* agent.read("history")
  assert.include(history, `Continuing session ${session}`, history)
  assert.deepStrictEqual(agent.processes(), [])
  return { why, history }
})

const sessionOf = Effect.fnUntraced(function* (agent: NightProject) {
  const { session } = yield* eventually(
    `${agent.name}: its session is saved`,
    Effect.map(agent.work, (work) => (work.session === undefined ? undefined : { session: work.session }))
  )
  return session
})

describeNight("trouble of Claude Code", wanted, (situation) => {
  situation(
    "hangs",
    "hangs in a tool: it is restarted once its time is over, and goes on in the same session",
    (agent) =>
      Effect.gen(function* () {
        yield* hang(agent)
        const session = yield* sessionOf(agent)
        yield* agent.row("was restarted", ({ total_restarts: n }) => n === 1)
        const exit = yield* agent.read("status")
        const [, seconds] = /; stalled: inactive for ([\d.]+) seconds while Bash ran/.exec(exit) ?? []
        assert.isAtLeast(Number(seconds) * 1000, stallMs, exit)
        assert.isBelow(Number(seconds) * 1000, 1.5 * stallMs, exit)
        const { why } = yield* finish(agent, session)
        assert.include(why, "It has restarted once today: stalled.")
      })
  )

  situation(
    "grows",
    "has a tool that grows: it is restarted at its limit, and goes on in the same session",
    (agent) =>
      Effect.gen(function* () {
        const grow = "const b = []; setInterval(() => b.length < 14 && b.push(Buffer.alloc(50e6, 1)), 20)"
        yield* agent.answers(bash(`exec node -e '${grow}'`))
        yield* agent.row("was restarted", ({ total_restarts: restarts }) => restarts === 1)
        const session = yield* sessionOf(agent)
        const { history, why } = yield* finish(agent, session)
        assert.match(history, /restart asked +worker-limit: its \d+ processes hold/)
        assert.match(
          history,
          /exited .* held [\d.]+ MiB, more than memory\.worker_limit_bytes \(667\.6 MiB\)/
        )
        assert.include(why, "It has restarted once today: its own memory limit.")
      })
  )

  situation(
    "interrupted",
    "gets SIGINT from somebody: it is not finished, and goes on in the same session",
    (agent) =>
      Effect.gen(function* () {
        const pid = yield* hang(agent)
        const session = yield* sessionOf(agent)
        process.kill(pid, "SIGINT")
        const { history, why } = yield* finish(agent, session)
        assert.include(history, "another process sent SIGINT")
        assert.include(why, "It has restarted once today: another process sent SIGINT.")
      })
  )

  situation(
    "limited",
    "reaches its usage limit: it waits until the reset, and goes on in the same session",
    (agent) =>
      Effect.gen(function* () {
        yield* agent.answers(bash("echo one"))
        const resetSeconds = Math.floor(Date.now() / 1000) + 3 * 3600
        yield* agent.until(agent.inState("waiting"), (ask) => ask.limit(resetSeconds * 1000))
        const session = yield* sessionOf(agent)
        const row = yield* agent.inState("waiting")
        assert.strictEqual(row.next_start_at_ms, resetSeconds * 1000 + 60_000)
        assert.strictEqual(row.consecutive_failures, 0)
        assert.match(
          yield* agent.read("status"),
          /Why: reached its usage limit: .* Next start: in 3 h 00 min/
        )
        const waits = yield* agent.read("why")
        assert.match(
          waits,
          /waits until (?:tomorrow )?\d\d:\d\d \(3 h 00 min from now\): reached its usage limit/
        )
        assert.include(waits, "run: autopilotd start-worker --project limited")
        yield* agent.read("start-worker")
        const { why } = yield* finish(agent, session)
        assert.include(why, "It has restarted once today: usage limit.")
      })
  )

  situation(
    "refused",
    "has an invalid API key: it stays down until the key is valid, and goes on then",
    (agent) =>
      Effect.gen(function* () {
        yield* agent.until(agent.inState("failed"), (ask) => ask.refuse(401, "API key is invalid."))
        assert.match(
          yield* agent.read("status"),
          /Why: not logged in: .*401 API key is invalid\. Log in as the user of the daemon, or put a valid key into the env file, then run: autopilotd start-worker --project refused/
        )
        const why = yield* agent.read("why")
        assert.include(why, "It is blocked on a person: it needs a login")
        assert.include(why, "or a valid API key")
        assert.include(why, "It has not restarted in the last seven days")
        yield* agent.read("start-worker")
        yield* agent.until(agent.inState("stopped"), (ask) => ask.answer(says()))
        assert.include(yield* agent.read("why"), "finished its work after 1 turn")
      })
  )

  situation(
    "overloaded",
    "meets an overloaded API, then a cut connection: it waits, and this is no failure",
    (agent) =>
      Effect.gen(function* () {
        yield* agent.until(agent.inState("waiting"), (ask) => ask.refuse(529, "Overloaded"))
        assert.match(
          yield* agent.read("status"),
          /Failures: 0 .* Why: the API is unavailable \(HTTP status 529\): API Error: .*[^.]; the daemon tries again after 1 minute/
        )
        const session = yield* sessionOf(agent)
        yield* agent.read("start-worker")
        yield* agent.until(agent.inState("waiting"), (ask) => ask.cut)
        const why = yield* agent.read("why")
        assert.match(
          why,
          /waits until .*: the API is unavailable: API Error: .*[^.]; the daemon tries again after/
        )
        assert.notMatch(why.split("Events:")[0] ?? "", /\.\.|\.;/)
        yield* agent.read("start-worker")
        yield* agent.until(agent.inState("stopped"), (ask) => ask.answer(says()))
        assert.include(
          yield* agent.read("why"),
          `in session ${session}. It has restarted 2 times today: overloaded.`
        )
      })
  )
})
