import { assert, describe, it } from "@effect/vitest"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import type { ProjectRow } from "../../../src/Domain/status/ProjectsData.ts"
import { stoppedRow } from "../../fixtures/ProjectRows.ts"
import { statusFields } from "../../fixtures/StatusFields.ts"
import { backingOff, channel, ended, noon, shop, started } from "./night.ts"

const docs = ProjectName.make("docs")

const figures = (level: "plentiful" | "low" | "critical") => ({
  level,
  availableBytes: 2 ** 29,
  totalBytes: 2 ** 34,
  minAvailableBytes: 2 ** 31,
  criticalBytes: 2 ** 30,
  swapTotalBytes: 0,
  swapFreeBytes: 0
})

const level = (
  now: "plentiful" | "low" | "critical",
  before: "plentiful" | "low" | "critical"
): DaemonEvent => ({
  _tag: "MemoryLevelChanged",
  ...figures(now),
  before
})

const hog = (dryRun = false): DaemonEvent => ({
  _tag: "HogSignalled",
  pid: 9,
  name: "node",
  dryRun,
  signal: "SIGTERM",
  kind: "hog",
  reason: "it is larger than every worker",
  command: "node server.js",
  heldBytes: 2 ** 31,
  swapBytes: 0,
  figures: figures("low"),
  next: [],
  spared: []
})

const limit = (untilMs: number, project = shop): ReadonlyArray<DaemonEvent> => [
  ended({ kind: "usage-limit", says: "Claude AI usage limit reached", resetAtMs: untilMs }, project),
  { _tag: "Waiting", project, why: "reached its usage limit: Claude AI usage limit reached", untilMs }
]

describe("what is told", () => {
  it("makes two messages of a crash loop of ten", () => {
    const { at, told } = channel()
    let nowMs = noon
    at(nowMs, started())
    for (let failures = 1; failures < 10; failures++) {
      at(nowMs + 5000, ended(), backingOff(failures))
      nowMs += 5000 + 1000 * Math.min(256, 2 ** (failures - 1))
      at(nowMs, started())
    }
    at(nowMs + 5000, ended(), {
      _tag: "GaveUp",
      project: shop,
      failures: 10,
      reason: "exited with code 1 after 5 seconds; last output: boom"
    })
    assert.deepStrictEqual(
      told.map(({ kind, text, title, urgency }) => ({ kind, title, text, urgency })),
      [
        {
          kind: "crash",
          title: "shop has crashed",
          text: "The run ended after 5 seconds: crashed (exit code 1); last output: boom.\nThis is failure 1 in a row; the next start is in 1 second.\nRead its last output: autopilotd logs --project shop.",
          urgency: "normal"
        },
        {
          kind: "failed",
          title: "shop has failed",
          text: "The daemon gave up after 10 failures in a row, the last: exited with code 1 after 5 seconds; last output: boom.\nRead its last output: autopilotd logs --project shop.\nFix the cause, then run: autopilotd start-worker --project shop.",
          urgency: "critical"
        }
      ]
    )
  })

  it("counts the crashes that come too fast to be told one by one", () => {
    const { at, tick, told } = channel()
    for (let minute = 0; minute < 14; minute += 2)
      at(noon + minute * 60_000, started(), ended(), backingOff(1))
    tick(noon + 899_000)
    assert.lengthOf(told, 1)
    tick(noon + 900_000)
    assert.deepStrictEqual(
      told.map(({ count, title }) => ({ count, title })),
      [
        { count: 1, title: "shop has crashed" },
        { count: 6, title: "shop has crashed (6 times)" }
      ]
    )
    assert.match(told[1]?.text ?? "", /^6 times in 15 minutes, the last time:\nThe run ended/)
  })

  it("says nothing of what a user asked for, of a memory hold or of a reload", () => {
    const { at, told } = channel({
      kinds: ["failed", "crash", "limit", "done", "memory", "budget", "daemon", "recovered"]
    })
    at(
      noon,
      started(),
      { _tag: "CommandTaken", project: shop, command: "stop" },
      ended({ kind: "killed-by-us", reason: "stopped by command" }),
      { _tag: "WorkerStopped", project: shop, reason: "stopped by command" },
      { _tag: "CommandTaken", project: shop, command: "start" },
      started(),
      { _tag: "RestartAsked", project: shop, reason: "memory" },
      ended({ kind: "out-of-memory", by: "ours", reason: "memory is critical" }),
      { _tag: "Waiting", project: shop, why: "waits for memory", untilMs: noon + 900_000 },
      started(),
      { _tag: "DaemonStopping", by: "SIGTERM" },
      { _tag: "DaemonStopped", leftBehind: [] }
    )
    assert.deepStrictEqual(told, [])
  })

  it("tells a usage limit once, also when all projects of the login wait for it", () => {
    const { at, titles, told } = channel({ minIntervalMs: 0 })
    const untilMs = noon + 3 * 3_600_000
    at(noon, ...limit(untilMs))
    at(noon + 1000, ...limit(untilMs + 20_000, docs))
    at(noon + 60_000, started(), ...limit(untilMs))
    assert.deepStrictEqual(titles(), ["shop waits for its usage limit"])
    assert.match(told[0]?.text ?? "", /The daemon goes on by itself at 15:00 \(in 3 h 00 min\)\.$/)
    at(untilMs, started())
    at(untilMs + 1000, ...limit(untilMs + 5 * 3_600_000))
    assert.lengthOf(told, 2)
  })

  it("tells a limit without a known end once, until the worker works again", () => {
    const { at, titles } = channel({ minIntervalMs: 0 })
    for (let hour = 0; hour < 7; hour++)
      at(noon + hour * 3_600_000, started(), ended({ kind: "usage-limit", says: "limit" }), {
        _tag: "Waiting",
        project: shop,
        why: "reached its usage limit: limit",
        untilMs: noon + (hour + 1) * 3_600_000
      })
    assert.deepStrictEqual(titles(), ["shop waits for its usage limit"])
  })

  it("says what a person must do, whatever the worker has printed", () => {
    const { at, told } = channel()
    const says = "Invalid API key".padEnd(400, "!")
    at(noon, ended({ kind: "auth", says }), {
      _tag: "PersonNeeded",
      project: shop,
      reason: `not logged in: ${says}. Log in as the user of the daemon, or put a valid key into the env file, then run: autopilotd start-worker`
    })
    const [, todo = ""] = told[0]?.text.split("\n") ?? []
    assert.strictEqual(
      todo,
      "Log in as the user of the daemon, or put a valid key into the env file, then run: autopilotd start-worker --project shop."
    )
    assert.strictEqual(told[0]?.verdict, "auth")
  })

  it("tells a failure once, and again only after a start", () => {
    const { at, titles } = channel({ minIntervalMs: 0 })
    const failed: DaemonEvent = { _tag: "PersonNeeded", project: shop, reason: "not logged in" }
    at(noon, ended({ kind: "auth", says: "x" }), failed, failed)
    assert.lengthOf(titles(), 1)
    at(noon, { _tag: "CommandTaken", project: shop, command: "start" }, started())
    at(noon, ended({ kind: "auth", says: "x" }), failed)
    assert.lengthOf(titles(), 2)
  })

  it("tells finished work, an agent that waits for a person, and a budget at 80 %", () => {
    const { at, told } = channel()
    at(
      noon,
      ended({ kind: "done", turns: 12, costUsd: 1.2 }),
      { _tag: "WorkerStopped", project: shop, reason: "its work is finished" },
      { _tag: "AgentBlocked", project: docs, text: "asks a question: Which database?", why: "question" },
      {
        _tag: "BudgetNearlySpent",
        project: docs,
        usage: { setting: "max_budget", usedUsd: 4.1, limitUsd: 5 },
        isExact: true
      }
    )
    assert.deepStrictEqual(
      told.map(({ text, title }) => [title, text.split("\n")[0]]),
      [
        ["shop has finished", "The run ended after 5 seconds: finished its work after 12 turns for $1.20."],
        ["docs needs you", "Its agent is blocked on a person: it asks a question: Which database?."],
        ["docs has spent 80 % of a budget", "The work has spent $4.10 of max_budget ($5.00)."]
      ]
    )
  })

  it("tells a shortage of memory at its beginning, and at its end what was killed", () => {
    const { at, told } = channel({ minIntervalMs: 0 })
    at(noon, level("low", "plentiful"), hog(true))
    assert.deepStrictEqual(told, [])
    at(
      noon,
      hog(),
      hog(),
      level("critical", "low"),
      level("low", "critical"),
      level("critical", "low"),
      hog()
    )
    at(noon + 60_000, level("plentiful", "critical"))
    assert.deepStrictEqual(
      told.map(({ title, urgency }) => [title, urgency]),
      [
        ["node was killed to free memory", "critical"],
        ["Memory is critical", "critical"],
        ["Memory is plentiful again", "low"]
      ]
    )
    assert.match(told[2]?.text ?? "", /lasted 1 minute; the daemon killed 3 processes: node, node, node\./)
  })

  it("tells once that the daemon vanished: its successor says it again", () => {
    const { at, follow, titles } = channel({ minIntervalMs: 0 })
    const vanished: DaemonEvent = {
      _tag: "DaemonVanished",
      pid: 1,
      lastSignMs: noon,
      agoMs: 60_000,
      withMachine: false
    }
    follow({ _tag: "Vanished", atMs: noon }, noon)
    at(noon + 60_000, { _tag: "DaemonStarted", pid: 2, version: "1", home: "/h" }, vanished)
    assert.deepStrictEqual(titles(), ["autopilotd has vanished"])
    at(noon + 120_000, vanished)
    assert.deepStrictEqual(titles(), ["autopilotd has vanished", "autopilotd was killed"])
  })

  it("tells once that the daemon cannot be reached, and when it can again, also when it was restarted meanwhile", () => {
    const { at, follow, told } = channel({ minIntervalMs: 0, kinds: ["daemon", "recovered"] })
    const connected = {
      _tag: "Connected",
      daemon: "a",
      status: statusFields,
      projects: { selected: "shop", projects: [] }
    } as const
    const reason = "Host box cannot be reached: it does not answer."
    follow({ ...connected, atMs: noon }, noon)
    for (const atMs of [noon + 1000, noon + 2000]) follow({ _tag: "Unreachable", atMs, reason }, atMs)
    at(noon + 3000, { _tag: "DaemonStarted", pid: 2, version: "1", home: "/h" })
    for (const atMs of [noon + 4000, noon + 5000]) follow({ ...connected, atMs }, atMs)
    assert.deepStrictEqual(
      told.map(({ title }) => title),
      ["autopilotd cannot be reached", "autopilotd can be reached again"]
    )
    assert.include(told[0]?.text, reason)
  })

  it("tells a defect of the daemon once, and its recovery to those who want to know", () => {
    const { at, titles } = channel({ minIntervalMs: 0, kinds: ["daemon", "recovered"] })
    const failed: DaemonEvent = { _tag: "ConcernFailed", name: "Guard", cause: "x", retryInMs: 1000 }
    at(noon, failed, failed, { _tag: "ConcernRecovered", name: "Guard" }, failed)
    assert.deepStrictEqual(titles(), [
      "A part of autopilotd has failed",
      "autopilotd works again",
      "A part of autopilotd has failed"
    ])
  })

  it("finds a failure whose event was lost in the state of the projects, and tells it once", () => {
    const { follow, told } = channel()
    const row: ProjectRow = {
      ...stoppedRow,
      worker_status: "failed",
      consecutive_failures: 10,
      reason: "10 failures in a row, the last: exited with code 1"
    }
    const connected = {
      _tag: "Connected",
      atMs: noon,
      daemon: "run1",
      status: statusFields,
      projects: { selected: "shop", projects: [row] }
    } as const
    follow({ _tag: "Missed", atMs: noon }, noon)
    follow(connected, noon)
    follow(connected, noon)
    assert.deepStrictEqual(
      told.map(({ title }) => title),
      ["Events of autopilotd were missed", "shop has failed"]
    )
  })

  it("says that a worker works again only where it was told that it did not", () => {
    const steady: DaemonEvent = { _tag: "WorkerSteady", project: shop, afterMs: 60_000, failuresForgotten: 1 }
    const kinds = ["crash", "recovered"] as const
    const quiet = channel({ kinds })
    quiet.at(noon, steady)
    assert.deepStrictEqual(quiet.titles(), [])
    const loud = channel({ kinds })
    loud.at(noon, ended(), backingOff(1), started(), steady, steady)
    assert.deepStrictEqual(loud.titles(), ["shop has crashed", "shop works again"])
  })
})
