import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as ParseResult from "effect/ParseResult"
import * as Schema from "effect/Schema"
import { settingKeys } from "../../../src/Domain/config/SettingReference.ts"
import { formOfFile, inFile } from "../../../src/Domain/settings/SettingKeys.ts"
import { Settings } from "../../../src/Domain/settings/Settings.ts"
import { decodeRaw } from "../../../src/Domain/settings/SettingsDecode.ts"
import { type Issue, read } from "../../../src/Domain/toml/Form.ts"
import { formOf } from "../../../src/Domain/toml/FormOf.ts"
import { isTable, type RawSettings, valueAt } from "../../../src/Domain/toml/RawSettings.ts"
import { runs } from "../../fixtures/runs.ts"

const decode = Schema.decodeUnknownEither(Settings, { errors: "all", onExcessProperty: "error" })

/** The issues of the schema, each place once. It takes an array for a table without a type. */
const issuesOf = (raw: RawSettings): ReadonlyArray<string> => {
  const decoded = decode(raw)
  const issues = Either.isRight(decoded) ? [] : ParseResult.ArrayFormatter.formatErrorSync(decoded.left)
  const lines = issues.map(({ _tag, path: where }) => {
    const path = where.map(String)
    const above = path.slice(0, -1)
    if (_tag === "Missing" && path.at(-1) === "type" && Array.isArray(valueAt(raw, above)))
      return `wrong ${above.join(".")}`
    const is = _tag === "Unexpected" ? "unexpected" : _tag === "Missing" ? "missing" : "wrong"
    return `${is} ${path.join(".")}`
  })
  return [...new Set(lines)]
}

const byForm = (raw: unknown): { readonly value: unknown; readonly issues: ReadonlyArray<string> } => {
  const issues: Array<Issue> = []
  const value = read(formOfFile, raw, [], issues)
  return { value, issues: issues.map(({ is, path }) => `${is} ${path.join(".")}`) }
}

const validSettings = Arbitrary.make(Schema.encodedBoundSchema(Settings))

const put = (raw: RawSettings, [key = "", ...rest]: ReadonlyArray<string>, value: unknown): RawSettings => {
  const inside = Object.hasOwn(raw, key) ? raw[key] : {}
  return { ...raw, [key]: rest.length === 0 ? value : put(isTable(inside) ? inside : {}, rest, value) }
}

const limits = [0, 1, 2, 50, 100, 1000, 36_500, 65_536, 2 ** 20, 3_600_000, 86_400_000, 2 ** 31 - 1, 2 ** 53]

/** Values at which some setting changes its mind. */
const critical: ReadonlyArray<unknown> = [
  ...limits.flatMap((limit) => [limit - 1, limit, limit + 1, -limit]),
  0.5,
  1.5,
  Number.NaN,
  Number.POSITIVE_INFINITY,
  5n,
  true,
  false,
  null,
  [],
  {},
  "",
  "a",
  "a\u0000",
  ["", "a"],

  "stop",
  "restart",
  "cause",
  "Claude",
  ["failed"],
  ["failed", "x"],
  ["a\u0000"],
  [[]],
  "autopilotd.log",

  "22:00-07:00",
  "07:00-07:00",
  "24:00-07:00",
  "http://h:4318",
  "http://h:4317",
  "http://h:99999",
  "ftp://h",

  "127.0.0.1:80",
  "[::1]:80",
  "h:0",
  "h:65536",
  { A: "x" },
  { "1A": "x" },
  { A: 1 },
  { desk: {} },

  { "a b": {} },
  { desk: { type: "desktop", kinds: ["x"] } },
  { desk: { type: "ntfy", url: "https://" } },

  { type: "Command", argv: ["x", ""] },
  { type: "Command", argv: [""] },
  { type: "Command", argv: [] },

  { type: "Binary" },
  { type: "Cargo", x: 1 },
  { type: "Claude", args: ["\u0000"] },
  { type: "toString" },
  { c: { type: "command", argv: [] } },
  { c: { type: "slack", url: "https://hooks.example.com/x", token_file: "t" } }
]

const keys = FastCheck.constantFrom(
  ...settingKeys().map(({ key }) => key),
  "memory",
  "restart",
  "restart.on",
  "notify",
  "worker_command",
  "nonsense",
  "log.nonsense",
  "env.A"
)

const changed = FastCheck.tuple(
  FastCheck.oneof(
    { weight: 19, arbitrary: FastCheck.constant<RawSettings>({}) },
    { weight: 1, arbitrary: validSettings }
  ),
  FastCheck.array(FastCheck.tuple(keys, FastCheck.constantFrom(...critical)), { maxLength: 5 })
).map(([valid, changes]) => changes.reduce((raw, [key, value]) => put(raw, key.split("."), value), valid))

describe("the form of the settings", () => {
  it("reads every file as the schema does: the same settings, or the same problems in the same order", () => {
    let [good, bad] = [0, 0]
    FastCheck.assert(
      FastCheck.property(changed, (raw) => {
        const { issues, value } = byForm(raw)
        assert.deepStrictEqual(issues, issuesOf(raw))
        if (issues.length > 0) bad++
        else {
          good++
          const settings = Either.getOrThrow(decode(raw))
          assert.deepStrictEqual(value, settings)
          assert.deepStrictEqual(inFile(settings), Schema.encodeSync(Settings)(settings))
        }
      }),
      { numRuns: runs(400) }
    )
    assert.isAbove(Math.min(good, bad), 20)
  })

  it("has each limit of each setting", () => {
    for (const { key } of settingKeys().filter((row) => !row.key.startsWith("projects")))
      for (const value of critical) {
        const raw = put({}, key.split("."), value)
        assert.deepStrictEqual(byForm(raw).issues, issuesOf(raw), `${key} = ${String(value)}`)
      }
  })

  it("takes a date for no table", () => {
    assert.strictEqual(decodeRaw({ log: new Date(0) })._tag, "Left")
  })

  it("is not made of a rule that the reader would not know", () => {
    const even = Schema.Number.pipe(Schema.filter((n) => n % 2 === 0))
    assert.throws(() => formOf(even.ast), "A rule has no name")
    assert.throws(() => formOf(Schema.Trim.ast), "no form describes")
  })
})
