import { assert, describe, it } from "@effect/vitest"
import { lineLevel } from "../../../src/Domain/panel/LineLevel.ts"
import { type LogChoice, LogPosition } from "../../../src/Domain/panel/LogChoice.ts"
import { makeLogRow } from "../../../src/Domain/panel/LogRow.ts"

const position = LogPosition.make("a1-b2.17")
const row = (text: string, choice: LogChoice = {}, stream = "out"): string | undefined =>
  makeLogRow(choice)(`2026-11-22 19:45:36.029 ${stream} ${text}`, position)?.text

const agent = (object: object): string => JSON.stringify({ session_id: "s", ...object })

describe("a row of the log", () => {
  it("has the time, the text, the stream, the level and the position", () => {
    const shown = row("ERROR no space", {}, "err") ?? ""
    assert.match(shown, /^<div class="row err error" data-c="a1-b2\.17"><time datetime="2026-11-2[23]T/)
    assert.match(shown, /<span>ERROR no space<\/span><\/div>$/)
  })

  it("shows a line without a time, and cuts one of a megabyte", () => {
    assert.match(makeLogRow({})("no stamp", position)?.text ?? "", /<time><\/time><span>no stamp/)
    const long = row("x".repeat(2 ** 20)) ?? ""
    assert.isBelow(long.length, 5000)
    assert.include(long, "1,044,576 more characters")
    assert.match(long, /^<details /)
  })

  it("shows an agent's line in words, as it is on demand, and nothing for its partial lines", () => {
    const line = agent({
      type: "assistant",
      message: { content: [{ type: "text", text: "I <b>run</b> it." }] }
    })
    assert.match(
      row(line) ?? "",
      /^<details .*<span>I &lt;b&gt;run&lt;\/b&gt; it\.<\/span><\/summary><pre><\/pre>/
    )
    assert.match(row(line, { raw: "1" }) ?? "", /^<div .*&quot;type&quot;:&quot;assistant&quot;/)
    assert.isUndefined(row(agent({ type: "stream_event" })))
    assert.isDefined(row(agent({ type: "stream_event" }), { raw: "1" }))
  })

  it("is left out by stream, level and search", () => {
    assert.isUndefined(row("a", { stream: "err" }))
    assert.isDefined(row("a", { stream: "err" }, "err"))
    assert.isDefined(row("worker started, pid 1", { stream: "note" }, "---"))
    assert.isUndefined(row("WARN a", { level: "error" }))
    assert.isDefined(row("WARN a", { level: "warning" }))
    assert.isDefined(row("ERROR a", { level: "warning" }))
    assert.isUndefined(row("Hello", { q: "hallo" }))
    assert.isDefined(row("HeLLo", { q: "hEll" }))
    assert.isUndefined(row("a", { q: "2026" }))
    assert.isDefined(row("HE\u001b[31mLLO", { q: "hello" }))
    assert.isDefined(
      row(agent({ type: "assistant", message: { content: [{ type: "text", text: 'say "hi"' }] } }), {
        q: 'say "HI"'
      })
    )
  })

  it("guesses the level of a line from its words", () => {
    const levels = [
      ["error", "ERROR no space left"],
      ["error", "error: cannot find module"],
      ["error", "error[E0425]: cannot find value"],
      ["error", "TypeError: x is not a function"],
      ["error", "npm ERR! code 1"],
      ["error", '{"level":"error","msg":"x"}'],
      ["error", '{"level":50,"msg":"x"}'],
      ["error", "Traceback (most recent call last):"],
      ["warning", "WARN slow"],
      ["warning", "warning: unused variable"],
      ["warning", "level=warn msg=x"],
      ["info", "INFO started"],
      ["info", "0 errors, all tests pass"],
      ["info", "the error handling is done"]
    ] as const
    for (const [level, text] of levels) assert.strictEqual(lineLevel(text, "out"), level, text)
    assert.strictEqual(lineLevel("Compiling serde", "err"), "warning")
    assert.strictEqual(lineLevel("DEBUG x", "err"), "info")
    assert.strictEqual(lineLevel("12 lines were dropped here", "note"), "warning")
    assert.strictEqual(lineLevel("worker started, pid 1", "note"), "info")
  })
})
