import { assert, describe, it } from "@effect/vitest"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { answering, historyData, needed } from "../../../src/Domain/history/HistoryData.ts"
import type { HistoryRecord } from "../../../src/Domain/history/HistoryRecord.ts"
import { historyTable, historyText } from "../../../src/Domain/history/HistoryText.ts"
import { at, noon, run } from "../../fixtures/HistoryRecords.ts"
import { blog, shop } from "../../fixtures/HistoryWorld.ts"
import { zoneNamed } from "../../fixtures/Zones.ts"

const berlin = zoneNamed("Europe/Berlin")
const options = { nowMs: noon, zone: berlin, colour: false }

const exit = { code: 1, signal: null }
const started = (project = shop): DaemonEvent => ({
  _tag: "WorkerStarted",
  project,
  pid: 4711,
  workerId: "home:shop:1",
  command: ["claude", "-p", "Fix the tests"]
})
const exited: DaemonEvent = {
  _tag: "WorkerExited",
  project: shop,
  exit,
  uptimeMs: 7_380_000,
  wasAsked: false
}
const ended: DaemonEvent = {
  _tag: "WorkerEnded",
  project: shop,
  exit,
  uptimeMs: 7_380_000,
  peakMemoryBytes: 3 * 2 ** 30,
  verdict: { kind: "crash", exit, tail: ["TypeError: x is not a function"] }
}

const night = run(
  "a",
  [at("01:00"), { _tag: "DaemonStarted", pid: 4000, version: "0.1.0", home: "/home/u/.autopilot" }],
  [at("01:00:01"), started()],
  [at("03:03:01"), exited],
  [at("03:03:02"), ended],
  [at("03:03:02"), { _tag: "BackingOff", project: shop, failures: 1, delayMs: 1000 }],
  [at("03:03:03"), started()]
)

const table = (records: ReadonlyArray<HistoryRecord>, colour = false) =>
  historyTable(records, { zone: berlin, colour }).split("\n")

describe("the table of events", () => {
  it("has time, event, length of the run, peak memory and reason, and each exit once", () => {
    assert.deepStrictEqual(
      historyText({ records: night, damaged: 0 }, { sinceMs: undefined, limit: 20 }, options).split("\n"),
      [
        "TIME                 WHAT                   RAN   PEAK  REASON",
        "2026-11-22 02:00:00  daemon started                     pid 4000, version 0.1.0",
        "2026-11-22 02:00:01  started                            pid 4711: claude -p 'Fix the tests'",
        "2026-11-22 04:03:02  exited          2 h 03 min  3 GiB  crashed (exit code 1); last output: TypeError: x is not a function; restarted after 1 second, pid 4711",
        "",
        "The worker of shop has restarted once today: crash (exit code 1).",
        ""
      ]
    )
  })

  it("has a row for each event with --long", () => {
    const rows = historyTable(night, { zone: berlin, colour: false, isLong: true }).trimEnd().split("\n")
    assert.deepStrictEqual(
      rows.map((row) => row.slice(21, 35).trim()),
      ["WHAT", "daemon started", "started", "exited", "exited", "backing off", "started"]
    )
  })

  it("has a row for each crash of a worker, the last one with the decision to give up", () => {
    const loop = [1, 2, 3].flatMap(
      (minute): ReadonlyArray<readonly [number, DaemonEvent]> => [
        [at(`04:0${minute}`), exited],
        [at(`04:0${minute}`), ended],
        ...(minute < 3
          ? ([
              [at(`04:0${minute}`), { _tag: "BackingOff", project: shop, failures: minute, delayMs: 2000 }],
              [at(`04:0${minute}:02`), started()]
            ] as const)
          : [[at("04:03"), { _tag: "GaveUp", project: shop, failures: 3, reason: "exit code 1" }] as const])
      ]
    )
    const rows = table(run("a", ...loop)).slice(1, -1)
    assert.lengthOf(rows, 3)
    for (const row of rows.slice(0, 2)) assert.match(row, /; restarted after 2 seconds, pid 4711$/)
    assert.match(rows[2] ?? "", /; gave up after 3 failures in a row$/)
    const missing = run(
      "a",
      [noon, { _tag: "GaveUp", project: shop, failures: 2, reason: "no program" }],
      [noon, { _tag: "WorkerNotStarted", project: shop, reason: "no program" }]
    )
    assert.match(
      table(missing)[1] ?? "",
      /worker not started {2}Worker cannot be started: no program; gave up after 2 failures in a row$/
    )
  })

  it("fits a terminal of 80 and of 120 columns, with the texts cut and the figures left out first", () => {
    for (const columns of [80, 120]) {
      const lines = historyTable(night, { zone: berlin, colour: false, columns }).trimEnd().split("\n")
      for (const line of lines) assert.isAtMost(line.length, columns, line)
      assert.match(lines.at(-1) ?? "", /crashed \(exit code 1\).*…$/)
      assert.strictEqual(lines[0]?.includes("PEAK"), columns === 120)
    }
    assert.isAbove(Math.max(...table(night).map(({ length }) => length)), 120)
  })

  it("shows an exit without a verdict, which a killed daemon leaves", () => {
    const cut = night.slice(0, 3)
    const text = historyText({ records: cut, damaged: 0 }, { sinceMs: undefined, limit: 20 }, options)
    assert.match(text, /exited +2 h 03 min {2}exit code 1\n/)
  })

  it("names the projects when there are several", () => {
    const lines = table([...night, ...run("a", [noon, started(blog)])])
    assert.match(lines[0] ?? "", /^TIME +PROJECT {2}WHAT/)
    assert.match(lines[1] ?? "", / {2}- +daemon started/)
    assert.match(lines.at(-2) ?? "", / {2}blog +started/)
  })

  it("has one line an event, whatever is in it, and colours what went wrong only when allowed", () => {
    const nasty = run("a", [
      noon,
      { _tag: "SettingsRefused", by: "a\nb", reason: `\u001b[31m${"x".repeat(900)}` }
    ])
    const plain = table(nasty)
    assert.lengthOf(plain, 3)
    assert.isBelow(plain[1]?.length ?? 0, 300)
    assert.notMatch(plain.join(""), /\p{Cc}/u)
    assert.include(table(nasty, true).join("\n"), "\u001b[31msettings refused\u001b[0m")
    assert.notInclude(table(night.slice(0, 2), true).join("\n"), "\u001b")
  })

  it("reports an empty history and unreadable lines", () => {
    const none = { records: [], damaged: 0 }
    assert.strictEqual(
      historyText(none, { sinceMs: undefined, limit: 20 }, options),
      "The history is empty.\n"
    )
    assert.strictEqual(
      historyText(none, { sinceMs: noon, limit: 20 }, options),
      "No events since 2026-11-22 13:00:00.\n"
    )
    const damaged = historyText({ records: night, damaged: 2 }, { sinceMs: undefined, limit: 1 }, options)
    assert.match(damaged, /\nSkipped 2 unreadable lines of the history\.\n$/)
  })
})

describe("the records that answer a question", () => {
  it("are the last ones, and those since a time", () => {
    const seqs = (sinceMs: number | undefined, limit: number) =>
      answering(night, { sinceMs, limit }).map(({ seq }) => seq)
    assert.deepStrictEqual(seqs(undefined, 2), [4, 5])
    assert.deepStrictEqual(seqs(undefined, 0), [])
    assert.deepStrictEqual(seqs(at("03:03:02"), Number.POSITIVE_INFINITY), [3, 4, 5])
    assert.deepStrictEqual(seqs(at("03:03:02"), 1), [5])
  })

  it("needs a week of records for the restarts, and more where the question asks for more", () => {
    const week = at("23:00", 7)
    assert.deepStrictEqual(needed({ sinceMs: undefined, limit: 20 }, noon, berlin), {
      sinceMs: week,
      atLeast: 20
    })
    assert.deepStrictEqual(needed({ sinceMs: noon - 1000, limit: 20 }, noon, berlin), {
      sinceMs: week,
      atLeast: 0
    })
    assert.deepStrictEqual(needed({ sinceMs: 5, limit: 20 }, noon, berlin), { sinceMs: 5, atLeast: 0 })
  })

  it("is answered to a program with each event as it was written, its sentence, and the restarts of each day", () => {
    const data = historyData({ records: night, damaged: 1 }, { sinceMs: undefined, limit: 2 }, noon, berlin)
    assert.deepStrictEqual(data, {
      records: [
        {
          at: at("03:03:02"),
          seq: 4,
          daemon: "a",
          _tag: "BackingOff",
          project: shop,
          failures: 1,
          delayMs: 1000,
          level: "warning",
          text: "Failure 1 in a row: the next start is in 1 second"
        },
        {
          at: at("03:03:03"),
          seq: 5,
          daemon: "a",
          ...started(),
          level: "info",
          text: "Worker started, pid 4711: claude -p 'Fix the tests'"
        }
      ],
      restarts: [
        {
          day: "2026-11-22",
          project: "shop",
          restarts: 1,
          causes: [{ cause: "crash (exit code 1)", restarts: 1 }]
        }
      ],
      damaged_lines: 1
    })
  })
})
