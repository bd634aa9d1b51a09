import { assert, describe, it } from "@effect/vitest"
import type { HistoryRecord } from "../../../src/Domain/history/HistoryRecord.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { historyPage, historyTable } from "../../../src/Domain/panel/HistoryView.ts"
import { type RunEnd, runEndsIn, tagOf } from "../../../src/Domain/panel/RunEnds.ts"
import type { Verdict } from "../../../src/Domain/verdict/ExitVerdict.ts"

const shop = ProjectName.make("shop")

const ended = (verdict: Verdict, at = 1000): HistoryRecord => ({
  at,
  seq: at,
  daemon: "d",
  _tag: "WorkerEnded",
  project: shop,
  verdict,
  exit: { code: 1, signal: null },
  uptimeMs: 928_000,
  peakMemoryBytes: 3 * 2 ** 29
})

const crash: Verdict = { kind: "crash", exit: { code: 1, signal: null }, says: "boom", tail: [] }

const many = (count: number): ReadonlyArray<RunEnd> =>
  runEndsIn(Array.from({ length: count }, (_, at) => ended(crash, at)))

describe("the restart history", () => {
  it("has one row for each end of a run, and for each start that failed", () => {
    const head = { seq: 0, daemon: "d" }
    const ends = runEndsIn([
      { ...head, at: 1, _tag: "WorkerStarted", project: shop, pid: 7, workerId: "w", command: ["x"] },
      ended(crash),
      { ...head, at: 2, _tag: "WorkerNotStarted", project: shop, reason: "no such file" }
    ])
    assert.deepStrictEqual(
      ends.map(({ ranMs, verdict }) => [verdict.kind, ranMs]),
      [
        ["crash", 928_000],
        ["not-started", 0]
      ]
    )
  })

  it("shows the verdict, the reason, the duration and the peak memory, and leads to the log", () => {
    const { text } = historyTable(runEndsIn([ended(crash, 1_795_000_000_000)]))
    assert.include(text, '<span class="tag bad">Crash</span>')
    assert.include(text, "Crashed (exit code 1); last output: boom")
    assert.include(text, "15 min 28 s")
    assert.include(text, "1.5 GiB")
    assert.include(text, 'data-view href="/?project=shop&at=1795000000000#log"')
  })

  it("shows the words of a worker as text, whatever they are", () => {
    const { text } = historyTable(runEndsIn([ended({ ...crash, says: '<img src="x">\u202e\u001b[31m' })]))
    assert.notInclude(text, "<img")
    for (const sign of ["\u202e", "\u001b"]) assert.notInclude(text, sign)
  })

  it("tells who has freed memory", () => {
    assert.strictEqual(tagOf({ kind: "out-of-memory", by: "ours", reason: "low" }).word, "Memory critical")
    assert.strictEqual(tagOf({ kind: "out-of-memory", by: "heap", says: "full" }).word, "Heap full")
  })

  it("has a word where there is nothing to show", () => {
    assert.include(historyTable([]).text, "No run has ended yet")
    assert.include(historyPage([], 0).text, "No run has ended yet")
  })

  it("gives the full list page by page, and says how much is left", () => {
    const rows = (text: string) => text.split("data-view").length - 1
    const ends = many(120)
    assert.strictEqual(rows(historyPage(ends, 0).text), 50)
    assert.include(historyPage(ends, 50).text, "skip=100")
    assert.include(historyPage(ends, 50).text, "Show 20 older (20 left)")
    assert.strictEqual(rows(historyPage(ends, 100).text), 20)
    assert.notInclude(historyPage(ends, 100).text, "skip=")
  })
})
