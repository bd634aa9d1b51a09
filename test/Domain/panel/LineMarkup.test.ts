import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { lineMarkup } from "../../../src/Domain/panel/LineMarkup.ts"
import { withoutEscapes } from "../../../src/Domain/text/EscapeSequences.ts"
import { harmless } from "../../../src/Domain/text/Printable.ts"

const markup = (text: string, searched?: string): string => lineMarkup(text, searched).text

/** The text that a browser shows of the markup, which has no other tags than these. */
const shown = (text: string): string =>
  text
    .replace(/<\/?(?:span|mark)(?: class="[a-z0-9 -]*")?>/g, "")
    .replace(/&(lt|gt|quot|#39|amp);/g, (_, name: string) =>
      name === "lt" ? "<" : name === "gt" ? ">" : name === "quot" ? '"' : name === "amp" ? "&" : "'"
    )

/** Texts of what hostile output is made of. */
const hostile = FastCheck.array(
  FastCheck.oneof(
    FastCheck.string({ unit: "grapheme" }),
    FastCheck.constantFrom(
      "<script>alert(1)</script>",
      '"><img onerror=x>',
      "&amp;",
      "\u001b[31m",
      "\u001b[1;38;5;208m",
      "\u001b[38;2;1;2;3m",
      "\u001b[48;5;9;4m",
      "\u001b[0m",
      "\u001b[m",
      "\u001b[2K",
      "\u001b[",
      "\u001b]0;title\u0007",
      "\u001b]8;;http://evil.test\u001b\\",
      "\u009b31m",
      "\u0000",
      "\u0007",
      "\t",
      "\u202e",
      "\u200b"
    )
  ),
  { maxLength: 12 }
).map((parts) => parts.join("").replace(/[\n\r]/g, ""))

describe("the markup of a line", () => {
  it("shows exactly the visible text, whatever the line holds", () => {
    FastCheck.assert(
      FastCheck.property(hostile, (line) => {
        const html = markup(line)
        const visible = harmless(withoutEscapes(line).replace(/(?!\t)\p{Cc}/gu, ""), false)
        assert.strictEqual(shown(html), visible)
        assert.notMatch(html.replace(/<\/?span(?: class="[a-z0-9 -]*")?>/g, ""), /[<>"]/)
      }),
      { numRuns: 3000 }
    )
  })

  it("turns colours into classes and ends them with the line", () => {
    assert.strictEqual(markup("\u001b[1;31mERROR\u001b[0m done"), '<span class="a-f1 a-b">ERROR</span> done')
    assert.strictEqual(markup("\u001b[92mok\nnext"), '<span class="a-f10">ok</span>\nnext')
    assert.strictEqual(markup("\u001b[41;37m FAIL "), '<span class="a-g1"> FAIL </span>')
    assert.strictEqual(markup("\u001b[7mx\u001b[27my"), '<span class="a-g7">x</span>y')
    assert.strictEqual(markup("\u001b[38;5;196mred\u001b[39m"), '<span class="a-f9">red</span>')
    assert.strictEqual(markup("\u001b[38;2;0;200;0mgreen"), '<span class="a-f2">green</span>')
    assert.strictEqual(markup("\u001b[38;5mx"), "x")
    assert.strictEqual(markup("\u001b[99999999999999m\u001b[;;mx"), "x")
  })

  it("shows what a carriage return has left of a progress bar", () => {
    assert.strictEqual(markup("10 %\r50 %\r\u001b[32m100 %\u001b[0m\r"), '<span class="a-f2">100 %</span>')
    assert.strictEqual(markup("a\r  \r"), "a")
    assert.strictEqual(markup("  "), "  ")
  })

  it("marks what was searched for, as plain text in any case", () => {
    assert.strictEqual(markup("a.b A.B axb", "a.b"), "<mark>a.b</mark> <mark>A.B</mark> axb")
    assert.strictEqual(markup("<(", "<("), "<mark>&lt;(</mark>")
  })

  it("drops titles and links of a terminal, and shows marks that reverse text", () => {
    assert.strictEqual(markup("\u001b]0;owned\u0007a\u001b]8;;http://evil.test\u001b\\b"), "ab")
    assert.strictEqual(markup("a\u202eb"), "a\\u202eb")
  })
})
