import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  countLines,
  lastLine,
  maxLineBytes,
  noRest,
  prefixed,
  putPrefixed,
  takeLines
} from "../../../src/Domain/output/Lines.ts"
import { runs } from "../../fixtures/runs.ts"
import { chunked, places } from "./chunks.ts"

/** All lines of a stream that arrives in these chunks. */
const linesOf = (chunks: ReadonlyArray<Buffer>): Buffer => {
  const lines: Array<Buffer> = []
  let rest = noRest
  for (const chunk of chunks) {
    const [some, after] = takeLines(rest, chunk)
    lines.push(...some)
    rest = after
  }
  return Buffer.concat([...lines, lastLine(rest)])
}

const split = (lines: Buffer): ReadonlyArray<string> => lines.toString("latin1").match(/.*\n/g) ?? []

const texts = (...chunks: ReadonlyArray<string>): ReadonlyArray<string> =>
  split(linesOf(chunks.map((text) => Buffer.from(text))))

/** Runs of one byte, so that lines around the limit are as likely as short ones. */
const stream = FastCheck.array(
  FastCheck.tuple(
    FastCheck.constantFrom("a", "\n", "\0", "\xff"),
    FastCheck.oneof(
      FastCheck.integer({ min: 0, max: 5 }),
      FastCheck.integer({ min: maxLineBytes - 2, max: maxLineBytes + 2 }),
      FastCheck.constant(2 * maxLineBytes)
    )
  ),
  { maxLength: 6 }
).map((pieces) =>
  Buffer.concat(
    pieces.map(([byte, count]) => Buffer.alloc(byte === "\n" ? count % 7 : count, byte, "latin1"))
  )
)

type Claim = (bytes: Buffer, chunks: ReadonlyArray<Buffer>) => boolean

/** A stream, and places to cut it at, for which the claim is false; undefined when there seems to be none. */
const exceptionTo = (claim: Claim) => {
  const property = FastCheck.property(stream, places, (bytes, at) => claim(bytes, chunked(bytes, at)))
  return FastCheck.check(property, { numRuns: runs(60) }).counterexample
}

describe("a worker's output as lines", () => {
  it("is cut at each newline, which belongs to its line", () => {
    assert.deepStrictEqual(texts("one\ntwo\n\nfour\n"), ["one\n", "two\n", "\n", "four\n"])
  })

  it("joins a line that arrives in pieces", () => {
    assert.deepStrictEqual(texts("o", "n", "e", "\ntw", "o\n"), ["one\n", "two\n"])
  })

  it("keeps a last line that has no newline, and gives it one", () => {
    assert.deepStrictEqual(texts("one\ntw", "o"), ["one\n", "two\n"])
  })

  it("is nothing when nothing was written", () => {
    assert.deepStrictEqual(texts(), [])
    assert.deepStrictEqual(texts(""), [])
  })

  it("passes binary bytes unchanged", () => {
    const bytes = Buffer.from([0xff, 0xfe, 0x00, 0x0a, 0xc3, 0x0a])
    assert.deepStrictEqual(linesOf([bytes]), bytes)
  })

  it("cuts and marks a line that is too long, and continues with its rest", () => {
    const [first, second, ...more] = texts("x".repeat(maxLineBytes + 3), "yz\n")
    assert.strictEqual(first, `${"x".repeat(maxLineBytes)} [cut here: the line is longer]\n`)
    assert.strictEqual(second, "xxxyz\n")
    assert.deepStrictEqual(more, [])
  })

  it("does not cut a character in half", () => {
    const [first = "", second = ""] = texts(`x${"é".repeat(maxLineBytes / 2)}\n`)
    const text = Buffer.from(first, "latin1").toString("utf8")
    assert.strictEqual(text, `x${"é".repeat(maxLineBytes / 2 - 1)} [cut here: the line is longer]\n`)
    assert.strictEqual(Buffer.from(second, "latin1").toString("utf8"), "é\n")
  })

  it("does not cut a character in half before the newline arrives", () => {
    const [first, second] = texts(`x${"é".repeat(maxLineBytes / 2)}`, "yz\n").map((line) =>
      Buffer.from(line, "latin1").toString("utf8")
    )
    assert.strictEqual(first, `x${"é".repeat(maxLineBytes / 2 - 1)} [cut here: the line is longer]\n`)
    assert.strictEqual(second, "éyz\n")
  })

  it("is copied into a buffer line by line, and continues in the next one", () => {
    const lines = Buffer.from("one\ntwo\nthree\n")
    const target = Buffer.alloc(13)
    const put = putPrefixed(target, 1, Buffer.from("> "), lines, 0)
    assert.deepStrictEqual(put, { from: 8, freeFrom: 13 })
    assert.strictEqual(target.toString(), "\0> one\n> two\n")
    assert.deepStrictEqual(putPrefixed(target, 13, Buffer.from("> "), lines, 8), { from: 8, freeFrom: 13 })
    assert.deepStrictEqual(putPrefixed(target, 0, Buffer.from("> "), lines, 8), { from: 14, freeFrom: 8 })
  })

  it("leaves a line of exactly the limit whole", () => {
    assert.deepStrictEqual(texts(`${"x".repeat(maxLineBytes)}\n`), [`${"x".repeat(maxLineBytes)}\n`])
  })

  it("is the same for any chunks", () => {
    const exception = exceptionTo((bytes, chunks) => linesOf(chunks).equals(linesOf([bytes])))
    assert.isNull(exception)
  })

  it("never has a line longer than the limit and its mark", () => {
    const exception = exceptionTo((_, chunks) =>
      split(linesOf(chunks)).every((line) => line.length <= maxLineBytes + 64)
    )
    assert.isNull(exception)
  })

  it("is complete: without the marks and the last newline it is what was written", () => {
    const exception = exceptionTo((bytes, chunks) => {
      const text = linesOf(chunks).toString("latin1").replaceAll(" [cut here: the line is longer]\n", "")
      const written = bytes.toString("latin1")
      return text === (written === "" || written.endsWith("\n") ? written : `${written}\n`)
    })
    assert.isNull(exception)
  })

  it("is counted by its newlines, and each line gets its prefix", () => {
    const exception = exceptionTo((bytes) => {
      const lines = linesOf([bytes])
      const each = split(lines)
      const expected = each.map((line) => `now out ${line}`).join("")
      return (
        countLines(lines) === each.length &&
        prefixed(Buffer.from("now out "), lines).toString("latin1") === expected
      )
    })
    assert.isNull(exception)
  })
})
