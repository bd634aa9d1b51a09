import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { lineData, terminalLine } from "../../../src/Domain/logs/LogText.ts"
import { unnamed } from "../../../src/Domain/Project.ts"

const stamp = "2026-11-22 19:45:36.029"
const acting = /(?!\n|\t)[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u

describe("a line of worker.log", () => {
  it("on a terminal keeps its stamp, which nothing in the line can overwrite", () => {
    const line = `${stamp} out a\r${stamp} err forged\u001b[2K`
    assert.strictEqual(terminalLine(line, { colour: false }), `${stamp} out a\\r${stamp} err forged\\x1b[2K`)
  })

  it("shows the reset of a usage limit that was ahead when the line was read", () => {
    const limit = (resetsAt: number) =>
      `${stamp} out {"type":"rate_limit_event","session_id":"s","rate_limit_info":{"status":"rejected","resetsAt":${resetsAt}}}`
    const soon = Math.floor(new Date("2026-11-22T20:45:36").getTime() / 1000)
    assert.match(terminalLine(limit(soon), { colour: false }) ?? "", /is reached, it resets at /)
    assert.match(terminalLine(limit(soon * 1e6), { colour: false }) ?? "", /is reached$/)
  })

  it("is harmless on a terminal and the same text in JSON, whatever it is", () => {
    const text = FastCheck.oneof(
      FastCheck.string({ unit: "binary" }).map((some) => some.replaceAll(/[\n\p{Cs}]/gu, "")),
      FastCheck.jsonValue().map(
        (value) => `{"type":"assistant","session_id":"s","message":${JSON.stringify(value)}}`
      ),
      FastCheck.integer({ min: 1, max: 50_000 }).map((depth) => `${"[".repeat(depth)}${"]".repeat(depth)}`)
    )
    const start = FastCheck.constantFrom(`${stamp} out `, `${stamp} err `, `${stamp} --- `, "")
    FastCheck.assert(
      FastCheck.property(start, text, (before, after) => {
        const line = `${before}${after}`
        assert.notMatch(terminalLine(line, { colour: false }) ?? "", acting)
        assert.include([after, line], lineData(line, unnamed).text)
      })
    )
  })
})
