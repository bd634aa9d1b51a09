import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as AST from "effect/SchemaAST"
import { commandRow, verbs } from "../../../src/Domain/cli/CommandTable.ts"
import { exitCodeOf } from "../../../src/Domain/cli/ExitCodes.ts"
import { errorCodes } from "../../../src/Domain/control/ErrorCode.ts"
import { answerSchemas } from "../../../src/Domain/json/AnswerSchemas.ts"
import { statusExample } from "../../../src/Domain/json/Examples.ts"
import { answerText } from "../../../src/Domain/json/JsonAnswer.ts"
import { jsonPage } from "../../../src/Domain/json/JsonPage.ts"
import { twinKeys } from "../../../src/Domain/json/TwinKeys.ts"
import { twinKeyOf, withTwins } from "../../../src/Domain/json/Twins.ts"
import { type Unit, unitOf } from "../../../src/Domain/Wire.ts"

/** Each field of the answers with its unit, and the keys beside it. */
const fieldsOf = (
  ast: AST.AST,
  seen = new Set<AST.AST>()
): ReadonlyArray<{
  readonly key: string
  readonly unit: Unit | undefined
  readonly beside: ReadonlyArray<string>
}> => {
  if (seen.has(ast)) return []
  seen.add(ast)
  const inner = (parts: ReadonlyArray<AST.AST>) => parts.flatMap((part) => fieldsOf(part, seen))
  const units = (part: AST.AST): Unit | undefined =>
    unitOf(part) ?? (AST.isUnion(part) ? part.types.map(units).find((one) => one !== undefined) : undefined)
  if (AST.isTypeLiteral(ast)) {
    const beside = ast.propertySignatures.map(({ name }) => String(name))
    return [
      ...ast.propertySignatures.map(({ name, type }) => ({ key: String(name), unit: units(type), beside })),
      ...inner(ast.propertySignatures.map(({ type }) => type))
    ]
  }
  if (AST.isUnion(ast)) return inner(ast.types)
  if (AST.isTupleType(ast)) return inner(ast.rest.map(({ type }) => type))
  return AST.isRefinement(ast) || AST.isTransformation(ast) ? inner([ast.from]) : []
}

const fields = Object.values(answerSchemas).flatMap(({ ast }) => fieldsOf(ast))

describe("the answer to a program", () => {
  it("has times in ISO 8601 and amounts in US dollars right beside the numbers, wherever they stand", () => {
    const answer = JSON.parse(
      answerText(
        {
          success: true,
          message: "",
          data: { next_start_at_ms: 0, agent: { limits: [{ resets_at_ms: 1000 }], cost_micro_usd: 420_000 } }
        },
        twinKeys
      )
    )
    assert.deepStrictEqual(Object.entries(answer.data), [
      ["next_start_at_ms", 0],
      ["next_start_at", "1970-01-01T00:00:00.000Z"],
      [
        "agent",
        {
          limits: [{ resets_at_ms: 1000, resets_at: "1970-01-01T00:00:01.000Z" }],
          cost_micro_usd: 420_000,
          cost_usd: 0.42
        }
      ]
    ])
    assert.deepStrictEqual(withTwins({ at: 1 }, twinKeys), { at: 1, at_iso: "1970-01-01T00:00:00.001Z" })
    for (const none of [{ at: null }, { untilMs: null }, { uptime_seconds: 5 }, { at: 1e18 }])
      assert.deepStrictEqual(withTwins(none, twinKeys), none)
  })

  it("has twins that agree with their numbers", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.constantFrom(...twinKeys.moments),
        FastCheck.integer({ min: 0, max: 250_000_000_000_000 }),
        (key, ms) => {
          const [, [, twin] = []] = Object.entries(withTwins({ [key]: ms }, twinKeys))
          assert.strictEqual(Date.parse(String(twin)), ms)
        }
      )
    )
  })

  it("has a twin for each moment of its schemas, which takes the name of no other field", () => {
    for (const { beside, key, unit } of fields) {
      const twin = twinKeyOf(key, unit)
      if (twin !== undefined) assert.notInclude(beside, twin.key)
    }
    assert.includeMembers([...twinKeys.moments], ["at", "next_start_at_ms", "resets_at_ms", "untilMs"])
    assert.includeMembers([...twinKeys.microDollars], ["cost_micro_usd", "day_limit_micro_usd"])
  })

  it("means a moment or an amount by one name everywhere, or nowhere", () => {
    const units = new Map<string, Set<Unit | undefined>>()
    for (const { key, unit } of fields) units.set(key, (units.get(key) ?? new Set()).add(unit))
    assert.deepStrictEqual(
      [...units].filter(([, found]) => found.size > 1).map(([key]) => key),
      []
    )
    const unmarked = fields.filter(({ key, unit }) => unit === undefined && /(_at_ms|_micro_usd)$/.test(key))
    assert.deepStrictEqual(unmarked, [])
  })

  it("has its data beside the message as well where it stood there before, and never loses the message to it", () => {
    const data = { message: "another", path: "/srv" }
    const text = answerText({ success: true, message: "Written", data }, twinKeys, "init")
    assert.deepStrictEqual(JSON.parse(text), { success: true, message: "Written", path: "/srv", data })
    const other = answerText({ success: true, message: "Written", data }, twinKeys, "config show")
    assert.deepStrictEqual(JSON.parse(other), { success: true, message: "Written", data })
  })
})

describe("docs/json.md", () => {
  const page = jsonPage(exitCodeOf)

  it("says what each field of each answer means", () => {
    const nothing = page.split("\n").filter((line) => /^\| `[^|]*\|[^|]*\|[^|]*\|\s*\|$/.test(line))
    assert.deepStrictEqual(nothing, [])
  })

  it("has each code with its exit code, and each command", () => {
    for (const code of errorCodes)
      assert.match(page, new RegExp(`^\\| \`${code}\` \\| [^|]+ \\| ${exitCodeOf(code)} \\|$`, "m"))
    const answering = verbs.filter((verb) => commandRow(verb).options.includes("json"))
    // `stop` has no data.
    assert.sameMembers([...answering, "version"], [...Object.keys(answerSchemas), "stop"])
    for (const command of Object.keys(answerSchemas))
      assert.match(page, new RegExp(`^### .*autopilotd ${command}(,|$)`, "m"))
    assert.include(page, answerText(statusExample, twinKeys).trimEnd())
  })
})
