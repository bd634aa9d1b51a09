import { assert, describe, it } from "@effect/vitest"
import type { ProjectRow } from "../../../src/Domain/status/ProjectsData.ts"
import { type TopEvent, type TopState, topState, topStep } from "../../../src/Domain/status/TopState.ts"
import { topView } from "../../../src/Domain/status/TopView.ts"
import { cellWidth } from "../../../src/Domain/text/CellWidth.ts"
import { withoutEscapes } from "../../../src/Domain/text/EscapeSequences.ts"
import { runningRow } from "../../fixtures/ProjectRows.ts"
import { statusFields } from "../../fixtures/StatusFields.ts"

const row = (name: string, more: Partial<ProjectRow> = {}): ProjectRow => ({
  ...runningRow,
  name,
  selected: false,
  ...more
})

const seen = (
  rows: ReadonlyArray<ProjectRow>,
  lastLines: Readonly<Record<string, string>> = {}
): TopEvent => ({
  _tag: "Seen",
  rows,
  lastLines: new Map(Object.entries(lastLines)),
  log: undefined,
  status: { ...statusFields, worker_status: "running", worker_pid: 7 }
})

const after = (state: TopState, ...events: ReadonlyArray<TopEvent>): TopState =>
  events.reduce((now, event) => topStep(now, event)[0], state)

const key = (name: string): TopEvent => ({ _tag: "Key", name })
const plain = { colour: false, nowMs: 0 }
const screen = (state: TopState, colour = false) => topView(state, { ...plain, colour }).map(withoutEscapes)

const three = after(
  topState(80, 24),
  seen([row("blog"), row("shop", { selected: true, cpu_per_mille: 1504 }), row("wiki")], {
    shop: "tests\tpass \u001b[2J日本語"
  })
)

describe("autopilotd top", () => {
  it("shows what each worker does in one line", () => {
    const lines = screen(three)
    assert.match(lines[1] ?? "", /^NAME +STATE +SINCE +MEMORY +CPU TURNS +COST LAST LINE *$/)
    assert.match(lines[3] ?? "", /^>hop +running +2h03m +512 MiB +150% +- +- tests pass \\x1b\[2J日本語/)
    assert.match(lines.at(-1) ?? "", /^q quit +up\/down select +l logs +r restart +s stop +g start *$/)
  })

  it("fills the screen and never more, whatever its size and whatever the projects are called", () => {
    const rows = Array.from({ length: 60 }, (_, at) =>
      row(at % 2 === 0 ? `project-with-a-long-name-${at}` : `p${at}`)
    )
    const lines = Object.fromEntries(rows.map(({ name }) => [name, "日本語 ".repeat(60)]))
    for (const [columns, height] of [
      [80, 24],
      [120, 30],
      [40, 10],
      [20, 4],
      [1, 1]
    ] as const) {
      for (const keys of [[], ["end"], ["l"], ["s"]]) {
        const state = after(topState(columns, height), seen(rows, lines), ...keys.map(key))
        for (const colour of [true, false]) {
          const shown = screen(state, colour)
          assert.strictEqual(shown.length, height)
          if (columns >= 80) for (const line of shown) assert.isAtMost(cellWidth(line), columns, line)
        }
      }
    }
    const last = after(topState(80, 24), seen(rows, lines), key("end"))
    assert.isTrue(screen(last).some((line) => line.startsWith(">59")))
  })

  it("keeps the selection by name, and asks before it ends a worker", () => {
    assert.strictEqual(three.selected, "shop")
    const wiki = after(three, key("down"), seen([row("wiki"), row("blog")]))
    assert.strictEqual(wiki.selected, "wiki")
    assert.strictEqual(after(three, key("k"), key("k"), key("k")).selected, "blog")
    const [asking, none] = topStep(three, key("s"))
    assert.isUndefined(none)
    assert.match(screen(asking).at(-1) ?? "", /^Stop the worker of shop\? y yes, any other key no/)
    assert.deepStrictEqual(topStep(asking, key("y"))[1], {
      _tag: "Command",
      command: "stop",
      project: "shop"
    })
    assert.isUndefined(topStep(asking, key("q"))[1])
    assert.deepStrictEqual(topStep(three, key("g"))[1], {
      _tag: "Command",
      command: "start",
      project: "shop"
    })
  })

  it("ends with q and Ctrl-C, and leaves a log with q", () => {
    assert.deepStrictEqual(topStep(three, key("q"))[1], { _tag: "Quit" })
    const log = after(three, key("l"), { _tag: "LogSeen", project: "shop", log: ["one", "two"] })
    assert.deepInclude(screen(log), "one")
    assert.isUndefined(topStep(log, key("q"))[1])
    assert.isUndefined(after(log, key("q")).log)
    assert.deepStrictEqual(topStep(log, key("ctrl-c"))[1], { _tag: "Quit" })
  })

  it("says that the daemon does not answer until it does", () => {
    const lost = after(three, { _tag: "Lost", why: "No daemon is listening" }, key("x"))
    assert.match(screen(lost).at(-1) ?? "", /^No daemon is listening/)
    assert.match(screen(after(lost, seen([row("shop")]))).at(-1) ?? "", /^q quit/)
  })
})
