import * as fs from "node:fs"
import { join } from "node:path"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually } from "../TestDaemon.ts"
import { bash, describeNight, says } from "./ClaudeNight.ts"

const script =
  "claude -p 'do the whole work' --output-format stream-json --verbose --model sonnet --dangerously-skip-permissions"

/** The projects of one daemon, one for each situation. */
const wanted = {
  works: { lines: ["max_budget = 20"] },
  turns: { lines: ["max_turns = 2"] },
  background: {},
  delegates: {},
  sleeps: {},
  scripted: { argv: ["sh", "-c", script] },
  compacts: {}
}

describeNight("the work of Claude Code", wanted, (situation) => {
  situation(
    "works",
    "works with tools and finishes: why, history and budget name its turns and cost",
    (agent) =>
      Effect.gen(function* () {
        yield* agent.answers(bash("echo one"), bash("false"), says())
        yield* agent.inState("stopped")
        assert.match(
          yield* agent.read("why"),
          /finished its work after 3 turns for \$0\.00\d+\. Its agent had 3 turns for \$0\.00\d+ in session [0-9a-f-]{36}\. It has not restarted/
        )
        assert.match(yield* agent.read("history"), /exited .* finished its work after 3 turns for \$0\.00\d+/)
        assert.match(yield* agent.budget, /works +\$0\.00\d+ of \$20\.00 .*3/)
      })
  )

  situation(
    "turns",
    "has used up max_turns: it stays down with the two ways on, and each of them helps",
    (agent) =>
      Effect.gen(function* () {
        yield* agent.until(agent.inState("failed"), (ask) => ask.answer(bash("echo go")))
        const session = (yield* agent.work).session ?? "none"
        const reason =
          "used up its turns (2) before it finished. Raise max_turns (autopilotd config set --project turns max_turns NUMBER, " +
          "then: autopilotd reload), or begin another work with " +
          "`autopilotd budget reset --project turns`; then run: autopilotd start-worker --project turns"
        assert.include(yield* agent.read("status"), `Why: ${reason}`)
        assert.include(yield* agent.read("why"), `has failed and stays so until you act: ${reason}`)
        const again = yield* agent.read("start-worker")
        assert.include(again, reason)
        assert.match(
          yield* agent.read("budget", "reset"),
          /^turns: Another work begins .* autopilotd start-worker --project turns$/m
        )
        yield* agent.read("start-worker")
        const ask = yield* agent.api.nextAsk
        assert.lengthOf(ask.prompts, 1, "another conversation")
        yield* ask.answer(says())
        yield* agent.inState("stopped")
        assert.notInclude(yield* agent.read("why"), session)
        assert.include(yield* agent.read("history"), "Another work begins: the last one had used 2 turns")
      })
  )

  situation(
    "background",
    "leaves a command in the background: status tells, and what comes after counts",
    (agent) =>
      Effect.gen(function* () {
        const waits = "until [ -e go ]; do sleep 0.1; done"
        yield* agent.answers({ _tag: "Bash", command: waits, isInBackground: true }, says("First."))
        // The first version kills the command after some seconds, and exits.
        const status = yield* Effect.raceFirst(
          agent.reads(/the agent has finished, and waits for "What the test wants"/, "status"),
          Effect.as(agent.inState("stopped"), undefined)
        )
        if (status !== undefined) assert.match(status, /Background: "What the test wants" for/)
        fs.writeFileSync(join(agent.folder, "go"), "")
        yield* agent.until(agent.inState("stopped"), (ask) => ask.answer(says("Second.")))
        const { turns, usd } = yield* agent.finished
        const each = usd / turns
        assert.match(yield* agent.read("why"), new RegExp(`finished its work after ${turns} turns for`))
        assert.isAbove(each, 0)
        assert.isAtLeast(turns, 2)
      })
  )

  situation(
    "delegates",
    "delegates to a subagent: two results in one run, whose cost is that of both",
    (agent) =>
      Effect.gen(function* () {
        const input = { description: "Look around", prompt: "a part of it", subagent_type: "general-purpose" }
        const ask = yield* agent.api.nextAsk
        assert.include(ask.tools, "Agent")
        yield* ask.answer({ _tag: "Tool", name: "Agent", input })
        const first = yield* eventually(
          "the cost of the first answer is known",
          Effect.map(agent.work, (work) => (work.turns === 1 && work.usd > 0 ? work : undefined))
        )
        let answered = 1
        yield* agent.until(agent.inState("stopped"), ({ answer, prompts, toolResults }) => {
          answered++
          const isSubagent = prompts[0]?.includes("a part of it") === true
          return answer(isSubagent && toolResults.length === 0 ? bash("echo sub") : says())
        })
        const { turns, usd } = yield* agent.finished
        assert.isAbove(answered, 3)
        assert.isBelow(turns, answered, "the answers of the subagent are no turns")
        assert.approximately(usd / answered, first.usd, first.usd / 100)
        assert.include(yield* agent.read("why"), `finished its work after ${turns} turns for`)
      })
  )

  situation("sleeps", "is not offered wake-ups, which an agent without a terminal only waits for", (agent) =>
    Effect.gen(function* () {
      const ask = yield* agent.api.nextAsk
      assert.notIncludeMembers([...ask.tools], ["ScheduleWakeup", "CronCreate"])
      assert.include(ask.tools, "Bash")
      const input = { delaySeconds: 60, reason: "the build runs", prompt: "look again" }
      yield* ask.answer({ _tag: "Tool", name: "ScheduleWakeup", input })
      const second = yield* agent.api.nextAsk
      assert.match(second.toolResults.join(), /No such tool available/)
      yield* second.answer(says())
      yield* agent.inState("stopped")
      assert.include(yield* agent.read("why"), "finished its work after 2 turns")
    })
  )

  situation(
    "scripted",
    "is run by a script and has scheduled a wake-up: status says until when it waits",
    (agent) =>
      Effect.gen(function* () {
        const input = { delaySeconds: 60, reason: "the build runs", prompt: "look again" }
        yield* agent.answers({ _tag: "Tool", name: "ScheduleWakeup", input }, says("Later."))
        // The first version exits with its result: its wake-up never comes.
        const why = yield* Effect.raceFirst(
          agent.reads(/waits for its wake-up \(the build runs\), until (?:tomorrow )?\d\d:\d\d\./, "why"),
          Effect.as(agent.inState("stopped"), undefined)
        )
        if (why !== undefined) {
          yield* Effect.raceFirst(
            agent.reads(/wake-up \(the build runs\), until .* Background: wakes up in/, "status"),
            agent.inState("stopped")
          )
        }
        yield* agent.read("stop-worker")
        assert.deepStrictEqual(agent.processes(), [])
        assert.match(yield* agent.read("why"), /is (stopped: stopped by command|finished: )/)
      })
  )

  situation(
    "compacts",
    "compacts its conversation: it goes on in the same session, and status counts it",
    (agent) =>
      Effect.gen(function* () {
        let answered = 0
        const last = yield* agent.untilAsked(({ prompts, toolResults }) => {
          const prompt = prompts.at(-1) ?? ""
          if (/continued from a previous conversation/.test(prompts.join())) return undefined
          if (/summary/i.test(prompt)) return says("<summary>Six steps are done.</summary>")
          answered++
          const isFull = toolResults.length >= 5
          return bash(`head -c 20000 /dev/zero | tr '\\0' x`, isFull ? 990_000 : 10_000)
        })
        assert.isAtLeast(answered, 6)
        const status = yield* agent.reads(/Context: .*compacted once/, "status")
        const [, session = ""] = /Session: ([0-9a-f-]{36})/.exec(status) ?? []
        yield* last.answer(says())
        yield* agent.until(agent.inState("stopped"), (ask) => ask.answer(says()))
        assert.include(yield* agent.read("why"), `in session ${session}. It has not restarted`)
      })
  )
})
