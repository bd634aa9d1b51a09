import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { needPrintf, printfWord, shellWord } from "../../../src/Domain/remote/ShellWords.ts"

describe("a word for a shell", () => {
  it("stands in quotes, and what some shell reads inside of them stands behind a backslash", () => {
    assert.strictEqual(shellWord(""), "''")
    assert.strictEqual(shellWord("a b"), "'a b'")
    assert.strictEqual(shellWord("it's"), "'it'\\''s'")
    assert.strictEqual(shellWord("a\\!"), "'a'\\\\\\!")
  })

  it("has no newline when it is coded, and printf turns it back", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.string({ unit: FastCheck.constantFrom("\n", "\\", "0", "1", "a") }),
        (text) => {
          const coded = printfWord(text)
          assert.notInclude(coded, "\n")
          assert.strictEqual(
            coded.replace(/\\0([0-7]{1,3})/g, (_, octal: string) =>
              String.fromCharCode(Number.parseInt(octal, 8))
            ),
            text
          )
          assert.strictEqual(needPrintf([text]), text.includes("\n"))
        }
      )
    )
  })
})
