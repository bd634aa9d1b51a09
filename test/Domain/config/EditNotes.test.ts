import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { lineBefore, withNotes, withoutNotes } from "../../../src/Domain/config/EditNotes.ts"

/** Lines, line ends of other kinds, control characters, halves of characters, and the beginning of a note. */
const piece = FastCheck.constantFrom(
  ..."\n \r \r\n \t \0 \u2028 \u007f a é 😀 \ud83d # ! #!".split(" "),
  "#! autopilotd"
)

describe("the notes in a text that is edited", () => {
  it("stand above it as comments, one line each", () => {
    assert.strictEqual(
      withNotes("a = 1\n", ["first", "two\nlines"]),
      "#! autopilotd: first\n#! autopilotd: two\\nlines\na = 1\n"
    )
  })

  it("are removed again, whatever the text and the notes are", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.string({ unit: piece }),
        FastCheck.array(FastCheck.string({ unit: piece })),
        (text, notes) => {
          assert.strictEqual(withoutNotes(withNotes(text, notes)), text)
        }
      )
    )
  })

  it("are found where the user has moved them, and other comments stay", () => {
    assert.strictEqual(
      withoutNotes("# mine\n#! autopilotd: note\r\na = 1\n#! mine too\n#! autopilotd: "),
      "# mine\na = 1\n#! mine too\n"
    )
  })
})

describe("a line of a text that a command has edited", () => {
  const before = "a\nb\nc\nd\n"
  const cases: ReadonlyArray<readonly [after: string, line: number, expected: number | undefined]> = [
    ["a\nB\nc\nd\n", 1, 1],
    ["a\nB\nc\nd\n", 2, undefined],
    ["a\nB\nc\nd\n", 3, 3],
    ["a\nx\ny\nb\nc\nd\n", 3, undefined],
    ["a\nx\ny\nb\nc\nd\n", 4, 2],
    ["a\nd\n", 2, 4],
    [before, 4, 4],
    ["a\na\nb\nc\nd\n", 3, 2]
  ]
  for (const [after, line, expected] of cases) {
    it(`${line} of ${JSON.stringify(after)} was ${expected ?? "nowhere"} in ${JSON.stringify(before)}`, () => {
      assert.strictEqual(lineBefore(before, after, line), expected)
    })
  }
})
