import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { explain } from "../../../src/Domain/history/Explain.ts"
import { type Evidence, explanationData, explanationText } from "../../../src/Domain/history/Explanation.ts"
import type { StatusReply } from "../../../src/Domain/status/StatusData.ts"
import { utc } from "../../../src/Domain/text/LocalTime.ts"
import { nothingAlive } from "../../../src/Domain/tree/UnservedHome.ts"
import type { Verdict } from "../../../src/Domain/verdict/ExitVerdict.ts"
import { at, run } from "../../fixtures/HistoryRecords.ts"
import { anyEvent, blog, shop } from "../../fixtures/HistoryWorld.ts"

const zone = utc
const nowMs = at("14:10")

const status: StatusReply = {
  worker_status: "running",
  worker_pid: 4711,
  uptime_seconds: 4200,
  total_restarts: 0,
  consecutive_failures: 0,
  memory_available_bytes: 2 ** 33,
  memory_total_bytes: 2 ** 34,
  memory_level: "plentiful",
  project: "shop",
  projects: { running: 1 }
}

const exit = { code: 1, signal: null }
const daemonStarted: DaemonEvent = { _tag: "DaemonStarted", pid: 4000, version: "0.1.0", home: "/h" }
const started = (project = shop): DaemonEvent => ({
  _tag: "WorkerStarted",
  project,
  pid: 4711,
  workerId: "home:shop:1",
  command: ["agent"]
})
const exited: DaemonEvent = {
  _tag: "WorkerExited",
  project: shop,
  exit,
  uptimeMs: 3_600_000,
  wasAsked: false
}
const ended = (verdict: Verdict): DaemonEvent => ({
  _tag: "WorkerEnded",
  project: shop,
  exit,
  uptimeMs: 3_600_000,
  verdict
})
const crash: Verdict = { kind: "crash", exit, tail: [] }
const limit: Verdict = { kind: "usage-limit", says: "You've hit your limit, resets 3:20pm" }

const why = (evidence: Partial<Evidence>) =>
  explain({
    status: undefined,
    records: [],
    project: undefined,
    nowMs,
    bootedMs: undefined,
    survivors: nothingAlive,
    zone,
    ...evidence
  })

/** An explanation's sentences and advice. */
const said = (evidence: Partial<Evidence>) => {
  const { advice, sentences } = why(evidence)
  return [sentences, advice]
}

const noActions = { since_ms: 0, turns: 0, actions: 0, actions_last_minute: 0, actions_last_ten_minutes: 0 }

describe("the explanation of a worker's state", () => {
  it("one that runs: since when, why it restarted, and how often", () => {
    const records = run(
      "a",
      [at("10:00", 1), daemonStarted],
      [at("10:00", 1), started()],
      [at("22:00", 1), exited],
      [at("22:00:01", 1), ended(crash)],
      [at("22:00:02", 1), started()],
      [at("12:59"), exited],
      [at("12:59:30"), ended(limit)],
      [at("13:00"), started()]
    )
    assert.deepStrictEqual(said({ status, records }), [
      [
        "The worker of shop has been running since 13:00 (1 h 10 min), pid 4711.",
        "It was restarted then: usage limit.",
        "It has restarted once today: usage limit.",
        "In the last seven days it has restarted 2 times: once crash (exit code 1), once usage limit."
      ],
      []
    ])
    assert.strictEqual(why({ status, records }).state, "running")
  })

  it("one that waits: until when, for what, since when, and how to start it now", () => {
    const records = run(
      "a",
      [at("09:00"), daemonStarted],
      [at("13:02"), started()],
      [at("14:02"), exited],
      [at("14:02"), ended(limit)],
      [at("14:02"), { _tag: "Waiting", project: shop, why: "usage limit", untilMs: at("15:20") }]
    )
    const waiting = {
      ...status,
      worker_status: "waiting",
      worker_pid: null,
      reason: "reached its usage limit: You've hit your limit, resets 3:20pm",
      next_start_at_ms: at("15:20")
    }
    assert.deepStrictEqual(said({ status: waiting, records }), [
      [
        "The worker of shop waits until 15:20 (1 h 10 min from now): reached its usage limit: You've hit your limit, resets 3:20pm.",
        "The last run ended at 14:02 after 1 h 00 min.",
        "It has not restarted in the last seven days."
      ],
      ["To try again as soon as the plan allows more, run: autopilotd start-worker"]
    ])
    // On a page it stands for long: it must not change with every second.
    const lasting = (passedMs: number) =>
      why({ status: waiting, records, isLasting: true, nowMs: nowMs + passedMs }).sentences
    assert.deepStrictEqual(lasting(65_000), lasting(0))
    assert.strictEqual(
      lasting(0)[0],
      "The worker of shop waits until 15:20: reached its usage limit: You've hit your limit, resets 3:20pm."
    )
    const withShop = "waits with project shop for the usage limit of the same login until 15:20"
    assert.strictEqual(
      why({ status: { ...waiting, project: "blog", reason: withShop } }).sentences[0],
      `The worker of blog ${withShop}.`
    )
    const { reason: _reason, next_start_at_ms: _due, ...heldForMemory } = waiting
    assert.match(
      why({ status: { ...heldForMemory, reason: "memory is low" } }).sentences[0] ?? "",
      /shop waits: memory is low\.$/
    )
  })

  it("one that has failed: the verdict, and the cause to fix", () => {
    const records = run("a", [at("13:02"), started()], [at("14:02"), exited], [at("14:02"), ended(crash)])
    const failed = {
      ...status,
      worker_status: "failed",
      worker_pid: null,
      reason: "10 failures in a row, the last: exit code 1 after 1 h"
    }
    assert.deepStrictEqual(said({ status: { ...failed, projects: { failed: 1, running: 2 } }, records }), [
      [
        "The worker of shop has failed and stays so until you act: 10 failures in a row, the last: exit code 1 after 1 h.",
        "The last run ended at 14:02 after 1 h 00 min: crashed (exit code 1) without an error message.",
        "It has not restarted in the last seven days."
      ],
      [
        "Read its last output: autopilotd logs --project shop",
        "Fix the cause, then start it: autopilotd start-worker --project shop"
      ]
    ])
    assert.include(
      why({ status: { ...failed, next_start_at_ms: at("15:20") }, records }).sentences[0],
      "has failed and starts again at 15:20 (in 1 h 10 min): 10 failures"
    )
  })

  it("one that was killed while its git worked: how to remove the lock, until a run ends without one", () => {
    const path = "/home/me/my shop/.git/index.lock"
    const left: DaemonEvent = { _tag: "GitLockLeft", project: shop, path }
    const records = run(
      "a",
      [at("13:02"), started()],
      [at("14:02"), ended(crash)],
      [at("14:02:01"), left],
      [at("14:03"), started()]
    )
    assert.include(
      why({ status, records }).advice,
      `Remove git's lock, if it is still there and no git runs: rm '${path}'`
    )
    assert.include(
      explanationText(why({ status, records }), { zone, colour: false }),
      "A lock of git is left from an earlier run"
    )
    const later = [...records, ...run("a", [at("14:09"), ended(crash)])]
    assert.notInclude(why({ status, records: later }).advice.join(), "git's lock")
  })

  it("one of several projects: each command of the reason and of the advice names the project", () => {
    const says = "API Error: 401 API key is invalid."
    const records = run(
      "a",
      [at("13:02"), started()],
      [at("14:02"), exited],
      [at("14:02"), ended({ kind: "auth", says })]
    )
    const reason =
      "used up its budget. Raise max_budget in daemon.toml, or begin another work with `autopilotd budget reset`; then run: autopilotd start-worker"
    const failed = { ...status, worker_status: "failed", worker_pid: null, reason, projects: { failed: 2 } }
    const { advice, sentences } = why({ status: failed, records })
    assert.include(
      sentences[0],
      "with `autopilotd budget reset --project shop`; then run: autopilotd start-worker --project shop."
    )
    assert.include(sentences[1], "not logged in: API Error: 401 API key is invalid.")
    assert.deepStrictEqual(advice, [
      "Log in as the user of the daemon, or put a valid key into the env file, then run: autopilotd start-worker --project shop"
    ])
  })

  it("one whose agent ended with a question: what it cost, its session, and how to open it", () => {
    const sessionId = "9b2f1c44-0000-4000-8000-000000000001"
    const agent = {
      sessionId,
      turns: 12,
      costUsd: 0.42,
      isCostExact: true,
      tokens: { input: 1, output: 2, cacheRead: 3, cacheCreation: 4 },
      blocked: { why: "question" as const, text: 'has finished with a question: "Shall I?"' }
    }
    const end = { ...ended({ kind: "done", turns: 12, costUsd: 0.42 }), agent } as DaemonEvent
    const records = run("a", [at("13:02"), started()], [at("14:02"), exited], [at("14:02"), end])
    const { advice, sentences } = why({
      status: { ...status, worker_status: "stopped", worker_pid: null, reason: "its work is finished" },
      records
    })
    assert.include(sentences, `Its agent had 12 turns for $0.42 in session ${sessionId}.`)
    assert.include(sentences, 'It is blocked on a person: it has finished with a question: "Shall I?".')
    assert.include(advice, `Open its session by hand: claude --resume ${sessionId}`)
    const runs = why({ status: { ...status, agent: { ...noActions, session_id: sessionId } }, records })
    assert.deepStrictEqual(runs.advice, [
      `Open its session by hand, after autopilotd stop-worker: claude --resume ${sessionId}`
    ])
  })

  it("one that runs and whose agent has finished: what it waits for, and until when", () => {
    const records = run("a", [at("13:00"), started()])
    const agent = {
      since_ms: 0,
      turns: 1,
      actions: 1,
      actions_last_minute: 0,
      actions_last_ten_minutes: 0,
      until_ms: at("15:20")
    }
    const reason = "the agent has finished, and waits for its wake-up"
    const { sentences } = why({ status: { ...status, agent, reason }, records })
    assert.include(sentences, "The agent has finished, and waits for its wake-up, until 15:20.")
  })

  it("one that exited without a verdict yet: the exit, and where its last output is", () => {
    const records = run("a", [at("13:02"), started()], [at("14:02"), exited])
    const restarting = {
      ...status,
      worker_status: "restarting",
      worker_pid: null,
      reason: "it exited; the daemon kills its remaining processes",
      next_start_at_ms: nowMs + 12_000
    }
    assert.deepStrictEqual(said({ status: restarting, records }), [
      [
        "The worker of shop restarts at 14:10 (in 12 seconds): it exited; the daemon kills its remaining processes.",
        "The last run ended at 14:02 after 1 h 00 min: exit code 1.",
        "It has not restarted in the last seven days."
      ],
      ["Read its last output: autopilotd logs -n 50", "Start it now: autopilotd start-worker"]
    ])
  })

  it("reports low memory, waiting settings, failed parts, and a gap without a daemon", () => {
    const records = [
      ...run("a", [at("01:00"), daemonStarted], [at("03:12"), { _tag: "ProjectAdded", project: blog }]),
      ...run(
        "b",
        [at("07:30"), daemonStarted],
        [
          at("07:30"),
          { _tag: "DaemonVanished", pid: 4000, lastSignMs: at("03:12"), agoMs: 15_480_000, withMachine: true }
        ],
        [at("07:30"), started()]
      )
    ]
    const { advice, sentences } = why({
      status: {
        ...status,
        memory_level: "low",
        awaiting_restart: ["model"],
        degraded: ["memory monitor", "relay"]
      },
      records
    })
    assert.deepStrictEqual(sentences.slice(2), [
      "No daemon ran from 03:12 to 07:30: the previous one was killed, or the machine went down.",
      "Memory is low: 8 GiB of 16 GiB available.",
      "Changed settings wait for its next start: model.",
      "Parts of the daemon have failed and are restarting: memory monitor.",
      "The relay does not work as it should, which no worker notices: it has failed, and the daemon starts it again."
    ])
    assert.deepStrictEqual(advice, [
      "List the largest memory users: autopilotd hogs",
      "Apply the changed settings: autopilotd restart-worker"
    ])
  })

  it("understands the original daemon's status, which has seven fields", () => {
    const { project: _project, projects: _projects, memory_level: _level, ...seven } = status
    assert.deepStrictEqual(why({ status: seven }).sentences, [
      "The worker has been running since 13:00 (1 h 10 min), pid 4711.",
      "It has not restarted in the last seven days."
    ])
  })

  it("shows the events behind it, those of its project and what may be behind its state", () => {
    const records = run(
      "a",
      [at("09:00"), daemonStarted],
      [at("09:01"), started()],
      [at("09:02"), started(blog)],
      [at("09:03"), { _tag: "SettingsWritten", path: "/h/daemon.toml", changed: ["model"] }],
      [at("09:04"), exited]
    )
    assert.deepStrictEqual(
      why({ status, records }).events.map(({ seq }) => seq),
      [0, 1, 4]
    )
  })
})

describe("why no daemon runs", () => {
  const lived = [[at("09:00"), daemonStarted] as const, [at("09:01"), started()] as const]

  it("the last one stopped cleanly: when, and at whose request", () => {
    const records = run(
      "a",
      ...lived,
      [at("13:00"), { _tag: "DaemonStopping", by: "SIGTERM" }],
      [at("13:00:01"), { ...exited, wasAsked: true }],
      [at("13:00:02"), { _tag: "DaemonStopped", leftBehind: [] }]
    )
    assert.deepStrictEqual(said({ records }), [
      [
        "No daemon is running.",
        "The last one stopped cleanly at 13:00: SIGTERM.",
        "The worker of shop was running, since 09:01.",
        "The worker of shop has not restarted in the last seven days."
      ],
      [
        "Resume the saved state, where stopped and failed workers stay so: autopilotd start --detach --keep-state",
        "Start afresh: autopilotd start --detach"
      ]
    ])
  })

  it("the last one could not kill all processes, or stopped because of a bug", () => {
    const left = run("a", ...lived, [at("13:00"), { _tag: "DaemonStopped", leftBehind: [7, 8] }])
    assert.include(why({ records: left }).sentences, "It could not kill these processes: pid 7, 8.")
    const broken = run(
      "a",
      [at("13:00"), { _tag: "ConcernBeyondHelp", name: "supervisor", cause: "TypeError" }],
      [at("13:00"), { _tag: "DaemonStopping", by: "supervisor failed" }],
      [at("13:00"), { _tag: "DaemonStopped", leftBehind: [] }]
    )
    assert.include(
      why({ records: broken }).sentences,
      "The last one stopped at 13:00 because of a bug: supervisor failed. Its log has the cause; report it."
    )
    const uncaught = run(
      "a",
      [at("13:00"), { _tag: "DaemonStopping", by: "an uncaught exception", isBug: true }],
      [at("13:00"), { _tag: "DaemonStopped", leftBehind: [] }]
    )
    assert.include(
      why({ records: uncaught }).sentences,
      "The last one stopped at 13:00 because of a bug: an uncaught exception. Its log has the cause; report it."
    )
  })

  it("the last one was killed: its last event, and whether the machine went down with it", () => {
    const records = run("a", ...lived, [
      at("13:00"),
      { _tag: "BackingOff", project: shop, failures: 2, delayMs: 2000 }
    ])
    const gone = "The last one (pid 4000, started 09:00) disappeared: its last event is from 13:00."
    const lastSign = { pid: 4000, atMs: at("09:00") }
    assert.deepStrictEqual(why({ records, lastSign }).sentences.slice(0, 4), [
      "No daemon is running.",
      gone,
      "It was killed (kill -9), or the machine went down.",
      "Last event of shop, at 13:00: Failure 2 in a row: the next start is in 2 seconds."
    ])
    assert.include(
      why({ records, lastSign, bootedMs: at("13:05") }).sentences,
      "The machine booted at 13:05: the daemon went down with it."
    )
    assert.include(
      why({ records, lastSign, bootedMs: at("08:00", 1) }).sentences,
      "The machine has been up since yesterday 08:00: a user, another program or the kernel (out of memory) killed the daemon."
    )
  })

  it("the last one stopped on a full disk, which took no record of that: not that it was killed", () => {
    const records = run("a", ...lived)
    assert.deepStrictEqual(why({ records, bootedMs: at("08:00", 1) }).sentences.slice(1, 3), [
      "The last one (pid 4000, started 09:00) left no record of its end: its last event is from 09:01.",
      "It left no sign of life either, as after a stop: the disk may have been too full for its last events."
    ])
    const back = run("b", [at("14:00"), daemonStarted])
    assert.include(
      why({ status, records: [...records, ...back] }).sentences,
      "No daemon ran from 09:01 to 14:00: the end of the previous one is not in the history."
    )
  })

  it("the last one was killed in a quiet hour: its last sign of life, not its last event", () => {
    const records = run("a", ...lived)
    const lastSign = { pid: 4000, atMs: at("13:30") }
    assert.include(
      why({ records, lastSign }).sentences,
      "The last one (pid 4000, started 09:00) disappeared: its last sign of life is from 13:30."
    )
    // The machine booted after the last event, but before the last sign of life.
    assert.include(why({ records, lastSign, bootedMs: at("12:00") }).sentences.join(" "), "killed the daemon")
    const back = run(
      "b",
      [
        at("14:00"),
        { _tag: "DaemonVanished", pid: 4000, lastSignMs: at("13:30"), agoMs: 1_800_000, withMachine: false }
      ],
      [at("14:00"), daemonStarted]
    )
    assert.include(
      why({ status, records: [...records, ...back] }).sentences.join(" "),
      "No daemon ran from 13:30 to 14:00"
    )
  })

  it("a reason that is a sentence does not end twice", () => {
    const { sentences } = why({ status: { ...status, worker_status: "failed", reason: "It comes from it." } })
    assert.match(sentences[0] ?? "", /comes from it\.$/)
    assert.notMatch(sentences[0] ?? "", /\.\./)
  })

  it("the worker of a daemon that was killed still runs", () => {
    const survivors = { daemonPid: undefined, workerPids: [4711, 4712] }
    for (const records of [[], run("a", ...lived)]) {
      assert.strictEqual(
        why({ records, survivors }).sentences[1],
        "But 2 processes (pid 4711, 4712) of its workers are still alive, and nothing supervises them: the daemon " +
          "was killed. Stop them with: autopilotd stop. Replace them with: autopilotd start --detach"
      )
    }
  })

  it("the home has no history", () => {
    assert.deepStrictEqual(said({}), [
      ["No daemon is running, and the history of this home is empty."],
      [
        "Write the settings of a project, in its folder: autopilotd init",
        "Start it: autopilotd start --detach"
      ]
    ])
  })
})

describe("an explanation", () => {
  it("consists of sentences, a table of the events behind them, and advice", () => {
    const records = run("a", [at("09:00"), daemonStarted], [at("09:01"), started()], [at("14:02"), exited])
    const failed = { ...status, worker_status: "failed", worker_pid: null, reason: "exit code 1" }
    const explanation = why({ status: failed, records })
    assert.strictEqual(
      explanationText(explanation, { zone, colour: false }),
      [
        "The worker of shop has failed and stays so until you act: exit code 1.",
        "The last run ended at 14:02 after 1 h 00 min.",
        "It has not restarted in the last seven days.",
        "",
        "Events:",
        "  TIME                 WHAT                   RAN  REASON",
        "  2026-11-22 09:00:00  daemon started              pid 4000, version 0.1.0",
        "  2026-11-22 09:01:00  started                     pid 4711: agent",
        "  2026-11-22 14:02:00  exited          1 h 00 min  exit code 1",
        "",
        "What you can do:",
        "  Read its last output: autopilotd logs -n 50",
        "  Fix the cause, then start it: autopilotd start-worker",
        ""
      ].join("\n")
    )
    assert.deepStrictEqual(explanationData(explanation).events.at(-1), {
      at: at("14:02"),
      seq: 2,
      daemon: "a",
      ...exited,
      level: "warning",
      text: "Worker exited after 1 h 00 min: exit code 1"
    })
  })

  it("is there for every state and whatever has happened: whole sentences, each once, on one line", () => {
    const words = ["running", "starting", "stopping", "restarting", "waiting", "failed", "stopped", "", "new"]
    FastCheck.assert(
      FastCheck.property(
        FastCheck.option(
          FastCheck.record({
            worker_status: FastCheck.constantFrom(...words),
            reason: FastCheck.option(FastCheck.string(), { nil: undefined }),
            next_start_at_ms: FastCheck.option(FastCheck.integer({ min: 0, max: 8.64e15 }), {
              nil: undefined
            })
          }),
          { nil: undefined }
        ),
        FastCheck.array(FastCheck.tuple(FastCheck.integer({ min: 0, max: 8.64e15 }), anyEvent)),
        (given, events) => {
          const { reason, next_start_at_ms: due, ...word } = given ?? { worker_status: "running" }
          const answer = {
            ...status,
            ...word,
            ...(reason === undefined ? {} : { reason }),
            ...(due === undefined ? {} : { next_start_at_ms: due })
          }
          const explanation = why({
            status: given === undefined ? undefined : answer,
            records: run("a", ...events)
          })
          assert.isAtLeast(explanation.sentences.length, 1)
          for (const sentence of explanation.sentences) {
            assert.match(sentence, /\.$/)
            assert.notMatch(sentence, /\p{Cc}/u)
          }
          assert.strictEqual(new Set(explanation.sentences).size, explanation.sentences.length)
          explanationText(explanation, { zone, colour: true })
        }
      )
    )
  })
})
