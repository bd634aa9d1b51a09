import { assert, describe, it } from "@effect/vitest"
import { searchPattern } from "../../../src/Domain/text/SearchPattern.ts"

describe("a pattern that a user searches for", () => {
  const cases: ReadonlyArray<readonly [pattern: string, text: string, found: boolean]> = [
    ["error", "An Error occurred", true],
    ["Error", "an error occurred", false],
    ["Error", "An Error occurred", true],
    ["é", "É", true],
    // \S and \W are no capitals of the text.
    [String.raw`\Serror\W`, "xERROR ", true],
    [String.raw`error \S+$`, "Error 42", true],
    ["error|fail(ed|ure)", "it FAILED", true],
    ["^done$", "first\ndone\nlast", true],
    [String.raw`foo\(`, "call foo(1)", true]
  ]
  it.each(cases)("%j in %j: %j", (pattern, text, found) => {
    assert.strictEqual(searchPattern(pattern)?.test(text), found)
  })

  it("is refused where it is none", () => {
    for (const wrong of ["foo(", "[a", "*", "a{2,1}"]) assert.isUndefined(searchPattern(wrong), wrong)
  })
})
