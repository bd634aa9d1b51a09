import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  indentAt,
  lineBreakAt,
  lineEnd,
  lineRemoval,
  lineStart,
  linesBelow,
  nextLine,
  positionOf,
  replaced
} from "../../../src/Domain/toml/TextSpan.ts"

const texts = FastCheck.array(FastCheck.constantFrom("a", " ", "\t", "\n", "\r\n", "é"), {
  maxLength: 12
}).map((pieces) => pieces.join(""))
const places = texts.chain((text) => FastCheck.tuple(FastCheck.constant(text), FastCheck.nat(text.length)))

describe("A line of a text", () => {
  it("is found from each of its offsets", () => {
    FastCheck.assert(
      FastCheck.property(places, ([text, offset]) => {
        const before = text.slice(0, offset).split("\n")
        const [line = "", ...others] = text.slice(lineStart(text, offset)).split("\n")
        assert.strictEqual(lineStart(text, offset), offset - (before.at(-1)?.length ?? 0))
        assert.strictEqual(text.slice(nextLine(text, offset)), others.join("\n"))
        assert.strictEqual(indentAt(text, offset), /^[ \t]*/.exec(line)?.[0])
        assert.deepStrictEqual(positionOf(text, offset), {
          line: before.length,
          column: (before.at(-1)?.length ?? 0) + 1
        })
        const start = lineStart(text, offset)
        assert.strictEqual(
          text.slice(start, lineEnd(text, start)),
          others.length > 0 ? line.replace(/\r$/, "") : line
        )
      })
    )
  })

  it("is removed with its line break, or with the one before it if it has none", () => {
    FastCheck.assert(
      FastCheck.property(places, ([text, offset]) => {
        const lines = text.split(/\r?\n/)
        const line = text.slice(0, offset).split("\n").length - 1
        FastCheck.pre(line < lines.length - 1 || !text.endsWith("\n"))
        lines.splice(line, 1)
        assert.strictEqual(
          replaced(text, [lineRemoval(text, offset, offset)]).replaceAll("\r\n", "\n"),
          lines.join("\n")
        )
      })
    )
  })

  it("is inserted below another one with the same line break, or without one at the end of the text", () => {
    FastCheck.assert(
      FastCheck.property(places, ([text, offset]) => {
        FastCheck.pre(nextLine(text, offset) > offset)
        const result = replaced(text, [linesBelow(text, offset, ["NEW"])])
        const lines = text.split("\n")
        const line = text.slice(0, offset).split("\n").length
        const isLast = line === lines.length
        const ending = isLast ? "" : lineBreakAt(text, offset).slice(0, -1)
        FastCheck.pre(!isLast || !text.includes("\r"))
        lines.splice(line, 0, `NEW${ending}`)
        assert.strictEqual(result, lines.join("\n"))
      })
    )
  })

  it.each<[string, number, string]>([
    ["", 0, "NEW\n"],
    ["a", 1, "a\nNEW"],
    ["a\r\nb", 4, "a\r\nb\r\nNEW"],
    ["a\r\nb", 0, "a\r\nNEW\r\nb"],
    ["a\nb\r\n", 4, "a\nb\r\nNEW\r\n"],
    ["\n", 0, "\nNEW\n"]
  ])("comes below the one in %j at %i", (text, offset, expected) => {
    assert.strictEqual(replaced(text, [linesBelow(text, offset, ["NEW"])]), expected)
  })
})
