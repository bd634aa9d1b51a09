import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { parse } from "smol-toml"
import { keyPathText, parseKeyPath } from "../../../src/Domain/toml/KeyPath.ts"
import { isTable } from "../../../src/Domain/toml/RawSettings.ts"
import { runs } from "../../fixtures/runs.ts"

const problemOf = (text: string): string => {
  const result = parseKeyPath(text)
  return typeof result === "string" ? result : assert.fail(`${text} was read`)
}

describe("parseKeyPath", () => {
  it.each<[string, ReadonlyArray<string>]>([
    ["model", ["model"]],
    ["restart.max_backoff_ms", ["restart", "max_backoff_ms"]],
    ["projects.shop.env.API_URL", ["projects", "shop", "env", "API_URL"]],
    ['env."A B"', ["env", "A B"]],
    ["env.'A B'", ["env", "A B"]],
    ['projects."a.b".model', ["projects", "a.b", "model"]],
    [" restart . jitter\t", ["restart", "jitter"]],
    ["1.2-3._", ["1", "2-3", "_"]],
    ['""', [""]],
    ["''.''", ["", ""]],
    ['"a\\tb\\"\\\\\\e\\x41\\u00e9\\U0001F600"', ['a\tb"\\\u001bAé😀']],
    ["'a\\tb\"'", ['a\\tb"']],
    ['"it\'s"', ["it's"]]
  ])("reads %s", (text, expected) => {
    assert.deepStrictEqual(parseKeyPath(text), expected)
  })

  it.each<[string, string]>([
    ["", "is empty: name a setting, for example restart.max_backoff_ms"],
    ["  ", "is empty: name a setting, for example restart.max_backoff_ms"],
    ["restart.", "ends in a dot: a name must follow it"],
    [".restart", "has a dot without a name before it"],
    ["restart..jitter", "has a dot without a name before it"],
    ["env.A B", "has a space inside a name: put the whole name in double quotes"],
    ["model=opus", 'has "=" outside of quotes: put a name with that character in double quotes'],
    ["env.é", 'has "é" outside of quotes: put a name with that character in double quotes'],
    ["a\u001b[2J", 'has "\\x1b" outside of quotes: put a name with that character in double quotes'],
    ['"a"b', "has a name directly behind another one: put a dot between them"],
    ['a"b"', "has a quote inside a name: put the whole name in quotes"],
    ['env."A', "opens a quote that is never closed"],
    ["env.'A", "opens a quote that is never closed"],
    ['"a\\', "opens a quote that is never closed"],
    ['"a\nb"', "has a control character between quotes: write it as an escape"],
    ["'\u007f'", "has a control character between quotes: write it as an escape"]
  ])("says what is wrong with %j", (text, expected) => {
    assert.strictEqual(problemOf(text), expected)
  })

  it("refuses escapes that TOML does not have", () => {
    for (const escape of [
      "\\q",
      "\\x4",
      "\\x4g",
      "\\u12",
      "\\ud800",
      "\\U00110000",
      "\\U0001F60",
      "\\u-123"
    ]) {
      assert.match(problemOf(`"${escape}"`), /begins no TOML escape/, escape)
    }
  })

  // The unit "binary" would be the same, but takes seconds to build.
  const anyCharacter = FastCheck.oneof(
    FastCheck.integer({ min: 0, max: 0xff }),
    FastCheck.integer({ min: 0x100, max: 0xd7ff }),
    FastCheck.integer({ min: 0xe000, max: 0x10ffff })
  ).map((code) => String.fromCodePoint(code))
  const names = FastCheck.oneof(
    FastCheck.string({ unit: anyCharacter }),
    FastCheck.string({
      unit: FastCheck.constantFrom("a", "_", "-", ".", "=", "#", '"', "'", "\\", " ", "\t")
    }),
    FastCheck.constantFrom("__proto__", "constructor", "restart")
  )
  const paths = FastCheck.array(names, { minLength: 1, maxLength: 4 })

  const readByToml = (text: string): ReadonlyArray<string> | undefined => {
    try {
      const path: Array<string> = []
      for (let inside: unknown = parse(`${text} = 1`); isTable(inside); ) {
        const [name = ""] = Object.keys(inside)
        path.push(name)
        inside = inside[name]
      }
      return path
    } catch {
      return undefined
    }
  }

  it("parses every path that keyPathText writes, as TOML does", () => {
    FastCheck.assert(
      FastCheck.property(paths, (path) => {
        const text = keyPathText(path)
        assert.deepStrictEqual(parseKeyPath(text), path)
        assert.deepStrictEqual(readByToml(text), path)
      })
    )
  })

  it("quotes only names that need it", () => {
    assert.strictEqual(keyPathText(["projects", "a.b", "", "x-1_Y", "é"]), 'projects."a.b"."".x-1_Y."é"')
  })

  const noise = FastCheck.string({
    unit: FastCheck.constantFrom(
      "a",
      "A",
      "-",
      ".",
      ".",
      '"',
      "'",
      "\\",
      "u",
      "x",
      "0",
      " ",
      "=",
      "\t",
      "é",
      "#"
    )
  })

  it("accepts exactly the keys that TOML accepts", () => {
    FastCheck.assert(
      FastCheck.property(noise, (text) => {
        // These make a comment or a second equals sign of the rest of the line, which only the whole line shows.
        FastCheck.pre(!text.trimStart().startsWith("#") && !text.includes("="))
        const path = parseKeyPath(text)
        assert.deepStrictEqual(typeof path === "string" ? undefined : path, readByToml(text))
      }),
      { numRuns: runs(500) }
    )
  })
})
