import { assert, describe, it } from "@effect/vitest"
import * as fc from "effect/FastCheck"
import { lineDiff } from "../../../src/Domain/text/LineDiff.ts"

const signs = { same: " ", removed: "-", added: "+", gap: "~" }

const shown = (before: string, after: string) =>
  lineDiff(before, after).map(({ kind, text }) => `${signs[kind]}${text}`)

const numbered = (count: number) => Array.from({ length: count }, (_, at) => `line ${at + 1}`)

describe("the differences of two texts", () => {
  it("are none for equal texts", () => {
    assert.deepStrictEqual(lineDiff("a\nb\n", "a\nb\n"), [])
  })

  it("show a changed line with two lines around it, and gaps for the rest", () => {
    const before = numbered(9)
    const after = before.with(4, "LINE 5")
    assert.deepStrictEqual(shown(before.join("\n"), after.join("\n")), [
      "~",
      " line 3",
      " line 4",
      "-line 5",
      "+LINE 5",
      " line 6",
      " line 7",
      "~"
    ])
  })

  it("find a line that was moved, added or removed without calling the others changed", () => {
    assert.deepStrictEqual(shown("a\nb\nc\nd", "a\nc\nx\nd"), [" a", "-b", " c", "+x", " d"])
  })

  it("show a last line without its line break", () => {
    assert.deepStrictEqual(shown("a", "a\n"), [" a", "+"])
  })

  it("call everything replaced rather than fill the memory", () => {
    const [before, after] = ["old", "new"].map((word) =>
      Array.from({ length: 3000 }, (_, at) => `${word} ${at}`)
    )
    assert.lengthOf(lineDiff(before?.join("\n") ?? "", after?.join("\n") ?? ""), 6000)
  })

  it("lead from the one text to the other, whatever they are", () => {
    const text = fc.array(fc.constantFrom("a", "b", "", "c"), { maxLength: 12 })
    fc.assert(
      fc.property(text, text, (old, now) => {
        const diff = lineDiff(old.join("\n"), now.join("\n"))
        if (diff.some(({ kind }) => kind === "gap") || diff.length === 0) return
        const side = (left: string) =>
          diff.filter(({ kind }) => kind === "same" || kind === left).map(({ text }) => text)
        assert.strictEqual(side("removed").join("\n"), old.join("\n"))
        assert.strictEqual(side("added").join("\n"), now.join("\n"))
      })
    )
  })
})
