import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { lastLine, maxLineBytes, noRest, takeLines } from "../../../src/Domain/output/Lines.ts"
import { masked, type Secrets, secretsOf } from "../../../src/Domain/output/Secrets.ts"
import { runs } from "../../fixtures/runs.ts"
import { chunked, places } from "./chunks.ts"

const maskedText = (text: string, ...values: ReadonlyArray<string>): string => {
  const bytes = Buffer.from(text)
  return masked(bytes, secretsOf(values).find(bytes)).toString()
}

/** What is stored of a stream that arrives in these chunks. */
const storedOf = (chunks: ReadonlyArray<Buffer>, secrets: Secrets): Buffer => {
  const stored: Array<Buffer> = []
  let rest = noRest
  for (const chunk of chunks) {
    const [lines, after] = takeLines(rest, chunk, secrets)
    stored.push(...lines)
    rest = after
  }
  return Buffer.concat([...stored, lastLine(rest, secrets)])
}

/** Few letters, so that secrets overlap, contain one another and nearly match. */
const letters = FastCheck.constantFrom("a", "b", "é")
const value = FastCheck.array(letters, { minLength: 6, maxLength: 14 }).map((some) => some.join(""))
const values = FastCheck.array(value, { minLength: 1, maxLength: 5 })
/** Lines of letters and secrets, some of them around the length at which a line is cut. */
const textWith = (some: ReadonlyArray<string>) =>
  FastCheck.array(
    FastCheck.oneof(
      { weight: 4, arbitrary: letters },
      { weight: 4, arbitrary: FastCheck.constantFrom(...some) },
      { weight: 1, arbitrary: FastCheck.constantFrom("\n", "\n\n") },
      {
        weight: 1,
        arbitrary: FastCheck.integer({ min: maxLineBytes - 20, max: maxLineBytes }).map((count) =>
          "x".repeat(count)
        )
      }
    ),
    { maxLength: 40 }
  ).map((parts) => parts.join(""))

const story = values.chain((some) => FastCheck.tuple(FastCheck.constant(some), textWith(some), places))

const settings = { numRuns: runs(100) }

describe("secrets in a worker's output", () => {
  it("are masked wherever they stand in a line, all of them", () => {
    assert.strictEqual(maskedText("key=s3cret-one, s3cret-one!", "s3cret-one"), "key=**********, **********!")
    assert.strictEqual(maskedText("one-12345 two-12345", "two-12345", "one-12345"), "********* *********")
    assert.strictEqual(maskedText("s3cret-one", "s3cret-one"), "**********")
  })

  it("are masked where they overlap and where one is part of another", () => {
    assert.strictEqual(maskedText("-abcdefghijkl-", "abcdefgh", "efghijkl"), "-************-")
    assert.strictEqual(maskedText("-abcdefghijkl-", "abcdefghij", "cdefghijkl"), "-************-")
    assert.strictEqual(
      maskedText("-abcdefghijkl- bcdefghi", "abcdefghijkl", "bcdefghi"),
      "-************- ********"
    )
  })

  it("may overlap a hundred thousand times in an endless line", () => {
    const [lines] = takeLines(noRest, Buffer.from("a".repeat(700_000)), secretsOf(["aaaaaaaa"]))
    assert.notInclude(
      Buffer.concat([...lines])
        .toString()
        .replaceAll(/\[cut.*\]/g, ""),
      "a"
    )
  })

  it("have at least eight characters: a shorter value is an ordinary word", () => {
    assert.strictEqual(
      maskedText("true and 1234567 and 12345678", "true", "1234567", "12345678"),
      "true and 1234567 and ********"
    )
    assert.strictEqual(maskedText("anything", ""), "anything")
  })

  it("are masked in JSON too, and line by line when they have several", () => {
    assert.strictEqual(
      maskedText('{"key":"pass\\\\word \\"x\\""}', 'pass\\word "x"'),
      `{"key":"${"*".repeat(16)}"}`
    )
    const key = "-----BEGIN-----\nMIIEpAIBAAKCAQEA\n-----END-----"
    assert.strictEqual(maskedText("MIIEpAIBAAKCAQEA", key), "****************")
    assert.notInclude(maskedText(JSON.stringify({ key }), key), "MIIEpAIB")
  })

  it("are masked in whole characters, and nothing beside them", () => {
    assert.strictEqual(maskedText("é schlüsselwort é", "schlüsselwort"), "é ************** é")
  })

  it("never survive, for any chunks", () => {
    const found = FastCheck.check(
      FastCheck.property(story, ([some, text, at]) => {
        const stored = storedOf(chunked(Buffer.from(text), at), secretsOf(some)).toString()
        return some.every((each) => each.length < 8 || !stored.includes(each))
      }),
      settings
    )
    assert.isNull(found.counterexample)
  })

  it("are masked the same for any chunks", () => {
    const found = FastCheck.check(
      FastCheck.property(story, ([some, text, at]) => {
        const secrets = secretsOf(some)
        const bytes = Buffer.from(text)
        return storedOf(chunked(bytes, at), secrets).equals(storedOf([bytes], secrets))
      }),
      settings
    )
    assert.isNull(found.counterexample)
  })

  it("are all that is masked, and the stored output stays text", () => {
    const found = FastCheck.check(
      FastCheck.property(story, ([some, text]) => {
        const bytes = Buffer.from(text)
        const longEnough = some.filter((each) => each.length >= 8).map((each) => Buffer.from(each))
        const expected = Buffer.from(bytes)
        for (const secret of longEnough) {
          for (let at = bytes.indexOf(secret); at !== -1; at = bytes.indexOf(secret, at + 1)) {
            expected.fill("*", at, at + secret.length)
          }
        }
        const seen = masked(bytes, secretsOf(some).find(bytes))
        return seen.equals(expected) && Buffer.from(seen.toString("utf8")).equals(seen)
      }),
      settings
    )
    assert.isNull(found.counterexample)
  })
})
