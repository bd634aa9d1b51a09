import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as FastCheck from "effect/FastCheck"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { explain } from "../../../src/Domain/history/Explain.ts"
import { type Evidence, explanationData, explanationText } from "../../../src/Domain/history/Explanation.ts"
import type { StatusReply } from "../../../src/Domain/status/StatusData.ts"
import type { Verdict } from "../../../src/Domain/verdict/ExitVerdict.ts"
import { at, run } from "../../fixtures/HistoryRecords.ts"
import { anyEvent, blog, shop } from "../../fixtures/HistoryWorld.ts"

const zone = DateTime.zoneMakeOffset(0)
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
    zone,
    ...evidence
  })

/** An explanation's sentences and advice. */
const said = (evidence: Partial<Evidence>) => {
  const { advice, sentences } = why(evidence)
  return [sentences, advice]
}

describe("why a worker is as it is", () => {
  it("one that runs: since when, why it was started again, and how often", () => {
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
        "The worker of shop has run since 13:00 (1 h 10 min), pid 4711.",
        "It was started again then: usage limit.",
        "It has restarted once today: usage limit.",
        "In the last seven days it has restarted 2 times: once crash (exit code 1), once usage limit."
      ],
      []
    ])
    assert.strictEqual(why({ status, records }).state, "running")
  })

  it("one that waits: until when, for what, since when, and how to start it at once", () => {
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
      reason: "its usage limit is reached: You've hit your limit, resets 3:20pm",
      next_start_at_ms: at("15:20")
    }
    assert.deepStrictEqual(said({ status: waiting, records }), [
      [
        "The worker of shop waits until 15:20 (1 h 10 min more): its usage limit is reached: You've hit your limit, resets 3:20pm.",
        "The last one ended at 14:02 after 1 h 00 min.",
        "It has not restarted in the last seven days."
      ],
      [
        "Once the plan allows more, `autopilotd start-worker` tries it at once",
        "Start it at once: autopilotd start-worker"
      ]
    ])
    const { reason: _reason, next_start_at_ms: _due, ...heldForMemory } = waiting
    assert.match(
      why({ status: { ...heldForMemory, reason: "memory is low" } }).sentences[0] ?? "",
      /shop waits: memory is low\.$/
    )
  })

  it("one that has failed: the cause as it was judged, and what to mend", () => {
    const records = run("a", [at("13:02"), started()], [at("14:02"), exited], [at("14:02"), ended(crash)])
    const failed = {
      ...status,
      worker_status: "failed",
      worker_pid: null,
      reason: "10 failures in a row, the last: exit code 1 after 1 h"
    }
    assert.deepStrictEqual(said({ status: { ...failed, projects: { failed: 1, running: 2 } }, records }), [
      [
        "The worker of shop has failed and is not started again by itself: 10 failures in a row, the last: exit code 1 after 1 h.",
        "The last one ended at 14:02 after 1 h 00 min: it crashed: exit code 1.",
        "It has not restarted in the last seven days."
      ],
      [
        "Read what it said last with `autopilotd logs`",
        "Start it once the cause is mended: autopilotd start-worker --project shop"
      ]
    ])
  })

  it("one whose end nobody has judged: how it ended, and where its last words are", () => {
    const records = run("a", [at("13:02"), started()], [at("14:02"), exited])
    const restarting = {
      ...status,
      worker_status: "restarting",
      worker_pid: null,
      reason: "it ended by itself",
      next_start_at_ms: nowMs + 12_000
    }
    assert.deepStrictEqual(said({ status: restarting, records }), [
      [
        "The worker of shop is started again at 14:10 (in 12 seconds): it ended by itself.",
        "The last one ended at 14:02 after 1 h 00 min: exit code 1.",
        "It has not restarted in the last seven days."
      ],
      ["See what it said last: autopilotd logs -n 50", "Start it at once: autopilotd start-worker"]
    ])
  })

  it("tells of low memory, of settings that wait, of parts that fail, and of a time without a daemon", () => {
    const records = [
      ...run("a", [at("01:00"), daemonStarted], [at("03:12"), { _tag: "ProjectAdded", project: blog }]),
      ...run("b", [at("07:30"), daemonStarted], [at("07:30"), started()])
    ]
    const { advice, sentences } = why({
      status: { ...status, memory_level: "low", awaiting_restart: ["model"], degraded: ["memory monitor"] },
      records
    })
    assert.deepStrictEqual(sentences.slice(2), [
      "No daemon was there from 03:12 to 07:30: the one before ended without a word (it was killed, or the machine went down).",
      "Memory is low: 8 GiB of 16 GiB available.",
      "Settings have changed that only its next start brings: model.",
      "Of the daemon itself, this has failed and is being started again: memory monitor."
    ])
    assert.deepStrictEqual(advice, [
      "See who holds memory: autopilotd hogs",
      "Bring the changed settings into force: autopilotd restart-worker"
    ])
  })

  it("understands the original daemon's status, which has seven fields", () => {
    const { project: _project, projects: _projects, memory_level: _level, ...seven } = status
    assert.deepStrictEqual(why({ status: seven }).sentences, [
      "The worker has run since 13:00 (1 h 10 min), pid 4711.",
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

describe("why no daemon is there", () => {
  const lived = [[at("09:00"), daemonStarted] as const, [at("09:01"), started()] as const]

  it("the last one ended cleanly: when, and who wanted it", () => {
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
        "The last one ended cleanly at 13:00: SIGTERM.",
        "The worker of shop ran then, since 09:01.",
        "The worker of shop has not restarted in the last seven days."
      ],
      [
        "Go on as before, with what was stopped or given up staying so: autopilotd start --detach --keep-state",
        "Begin afresh: autopilotd start --detach"
      ]
    ])
  })

  it("the last one could not end all of them, or ended itself for a bug", () => {
    const left = run("a", ...lived, [at("13:00"), { _tag: "DaemonStopped", leftBehind: [7, 8] }])
    assert.include(why({ records: left }).sentences, "It could not end these processes: pid 7, 8.")
    const broken = run(
      "a",
      [at("13:00"), { _tag: "ConcernBeyondHelp", name: "supervisor", cause: "TypeError" }],
      [at("13:00"), { _tag: "DaemonStopping", by: "supervisor failed" }],
      [at("13:00"), { _tag: "DaemonStopped", leftBehind: [] }]
    )
    assert.include(
      why({ records: broken }).sentences,
      "The last one ended itself at 13:00, for a bug in it: supervisor failed. Its log has the cause: please report it."
    )
  })

  it("the last one vanished without a word: when it was last heard of, and whether the machine went down with it", () => {
    const records = run("a", ...lived, [
      at("13:00"),
      { _tag: "BackingOff", project: shop, failures: 2, delayMs: 2000 }
    ])
    const gone = "The last one (pid 4000, started 09:00) ended without a word: it was last heard of at 13:00."
    assert.deepStrictEqual(why({ records }).sentences.slice(0, 4), [
      "No daemon is running.",
      gone,
      "It was killed (kill -9), or the machine went down.",
      "Last of shop, at 13:00: Failure 2 in a row: the next start is in 2 seconds."
    ])
    assert.include(
      why({ records, bootedMs: at("13:05") }).sentences,
      "The machine was started anew at 13:05: it went down with the daemon, or the power did."
    )
    assert.include(
      why({ records, bootedMs: at("08:00", 1) }).sentences,
      "The machine has been up since yesterday 08:00, so somebody, or the kernel for want of memory, killed the daemon."
    )
  })

  it("there never was one", () => {
    assert.deepStrictEqual(said({}), [
      ["No daemon is running, and the history of this home has nothing to tell."],
      ["Begin afresh: autopilotd start --detach"]
    ])
  })
})

describe("an explanation", () => {
  it("is told in sentences, with the events behind it as a table, and what can be done", () => {
    const records = run("a", [at("09:00"), daemonStarted], [at("09:01"), started()], [at("14:02"), exited])
    const failed = { ...status, worker_status: "failed", worker_pid: null, reason: "exit code 1" }
    const explanation = why({ status: failed, records })
    assert.strictEqual(
      explanationText(explanation, { zone, colour: false }),
      [
        "The worker of shop has failed and is not started again by itself: exit code 1.",
        "The last one ended at 14:02 after 1 h 00 min.",
        "It has not restarted in the last seven days.",
        "",
        "What has happened:",
        "  TIME                 WHAT                   RAN  REASON",
        "  2026-11-22 09:00:00  daemon started              pid 4000, version 0.1.0",
        "  2026-11-22 09:01:00  started                     pid 4711: agent",
        "  2026-11-22 14:02:00  ended           1 h 00 min  exit code 1",
        "",
        "What you can do:",
        "  See what it said last: autopilotd logs -n 50",
        "  Start it once the cause is mended: autopilotd start-worker",
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
