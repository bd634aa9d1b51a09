import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  maxTailBytes,
  maxTailLines,
  noTail,
  type OutputStream,
  tailLines,
  withLines
} from "../../../src/Domain/output/OutputTail.ts"

type Piece = readonly [stream: OutputStream, text: string]

const tailOf = (...pieces: ReadonlyArray<Piece>) =>
  tailLines(pieces.reduce((tail, [stream, text]) => withLines(tail, stream, Buffer.from(text)), noTail))

const lines = FastCheck.array(FastCheck.string({ unit: "grapheme-ascii", maxLength: 3000 }), {
  minLength: 1,
  maxLength: 30
}).map((some) => some.map((line) => `${line}\n`).join(""))
const pieces = FastCheck.array(FastCheck.tuple(FastCheck.constantFrom<OutputStream>("out", "err"), lines), {
  maxLength: 30
})

describe("the tail of a worker's output", () => {
  it("is the last lines of both streams, in the order in which they were read", () => {
    assert.deepStrictEqual(tailOf(["out", "one\ntwo\n"], ["err", "oh\n"], ["out", "three\n"]), [
      { stream: "out", text: "one" },
      { stream: "out", text: "two" },
      { stream: "err", text: "oh" },
      { stream: "out", text: "three" }
    ])
    assert.deepStrictEqual(tailOf(), [])
    assert.deepStrictEqual(tailOf(["out", ""], ["out", "\n"]), [{ stream: "out", text: "" }])
  })

  it("keeps the end of a line that is too long, from the beginning of a character", () => {
    const [line, ...more] = tailOf(["out", `${"é".repeat(maxTailBytes)}x\n`])
    assert.deepStrictEqual(more, [])
    assert.strictEqual(line?.text, `…${"é".repeat(maxTailBytes / 2 - 1)}x`)
  })

  it("says the same as if all lines had been kept", () => {
    const found = FastCheck.check(
      FastCheck.property(pieces, (some) => {
        const all = some.flatMap(([stream, text]) =>
          text
            .slice(0, -1)
            .split("\n")
            .map((line) => ({ stream, text: line }))
        )
        const tail = tailOf(...some)
        const last = all.slice(all.length - tail.length)
        const isSame = tail.every(
          ({ stream, text }, at) =>
            stream === last[at]?.stream &&
            (text === last[at]?.text ||
              (at === 0 && text.startsWith("…") && last[at]?.text.endsWith(text.slice(1))))
        )
        const bytes = tail.reduce((sum, { text }) => sum + text.length + 1, 0)
        const isFull = tail.length === Math.min(all.length, maxTailLines) || bytes >= maxTailBytes
        return isSame && isFull && bytes <= maxTailBytes + 2
      }),
      { numRuns: 300 }
    )
    assert.isNull(found.counterexample)
  })
})
