import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { withoutEscapes } from "../../../src/Domain/text/EscapeSequences.ts"
import {
  harmless,
  harmlessEntry,
  harmlessText,
  jsonText,
  printable
} from "../../../src/Domain/text/Printable.ts"
import { styled } from "../../../src/Domain/text/Style.ts"

/** Clipboard (OSC 52), title, clear, alternate screen, a return over the prefix, C1, bidi, NUL, DEL, a tag character. */
const attacks = [
  "\u001b]52;c;cm0gLXJmIC8=\u0007",
  "\u001b]0;title\u001b\\",
  "\u001b[2J",
  "\u001b[?1049h",
  "a\rb",
  "\u009b2J",
  "\u202e",
  "\u0000<3>forged",
  "\u007f",
  "\u{e0041}",
  "\ud800",
  "\u2028"
]
const anyText = FastCheck.array(
  FastCheck.oneof(FastCheck.string({ unit: "binary" }), FastCheck.constantFrom(...attacks, "\n", "\t"))
).map((parts) => parts.join(""))

const acting = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

describe("text from elsewhere", () => {
  it("cannot control a terminal in any sink", () => {
    FastCheck.assert(
      FastCheck.property(anyText, (text) => {
        assert.notMatch(printable(text), acting)
        assert.notMatch(harmless(text, false).replaceAll("\t", ""), acting)
        assert.notMatch(harmlessText(text).replaceAll(/[\n\t]/g, ""), acting)
        assert.notMatch(harmlessEntry(text).replaceAll(/[\n\t]/g, ""), acting)
        assert.notMatch(jsonText({ text }), acting)
      })
    )
  })

  it("is the same value in JSON, also when a command prints that JSON", () => {
    FastCheck.assert(
      FastCheck.property(anyText, (text) => {
        const value = { [text.replaceAll(/\p{Cs}/gu, "")]: [text.replaceAll(/\p{Cs}/gu, "")] }
        assert.deepStrictEqual(JSON.parse(jsonText(value)), value)
        assert.deepStrictEqual(JSON.parse(harmlessText(JSON.stringify(value))), value)
      })
    )
    assert.strictEqual(jsonText("\ud800"), '"\ufffd"')
  })

  it("cannot forge an entry of the log with a newline", () => {
    assert.strictEqual(harmlessEntry("a\n2026-11-29 ERROR b\u0000"), "a\n    2026-11-29 ERROR b\\x00")
  })
})

describe("the daemon's own text", () => {
  it("keeps its styles, newlines and tabs, and no other sequence", () => {
    const text = `${styled("error", "failed")}\n\t${styled("dim", "why")}`
    assert.strictEqual(harmlessText(text), text)
    assert.strictEqual(harmlessText("\u001b[8mhidden\u001b[2J"), "\\x1b[8mhidden\\x1b[2J")
  })
})

describe("a text without its escape sequences", () => {
  it.each([
    ["\u001b[1;31mred\u001b[0m", "red"],
    ["\u001b]0;title\u0007x", "x"],
    ["\u001b]8;;https://a.b\u001b\\link\u001b]8;;\u001b\\", "link"],
    ["\u009b31mred", "red"],
    ["\u001bPdevice\u001b\\x", "x"],
    ["\u001b(Bx\u001b7", "x"],
    ["\u001b", ""],
    ["[31m stays", "[31m stays"]
  ])("%j", (text, plain) => assert.strictEqual(withoutEscapes(text), plain))
})
