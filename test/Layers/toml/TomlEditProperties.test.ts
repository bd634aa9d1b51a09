import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { parse } from "smol-toml"
import { parseTOML } from "toml-eslint-parser"
import { isTable } from "../../../src/Domain/toml/RawSettings.ts"
import { setKey, unsetKey, valueTextAt } from "../../../src/Layers/toml/TomlEdit.ts"
import { runs } from "../../fixtures/runs.ts"
import { isToml, trickyText, values } from "./TomlTexts.ts"

type Path = ReadonlyArray<string>

/** What a text means, as one line for each value: its path, and what it is. Tables have a line of their own. */
type Meaning = ReadonlyMap<string, string>

const idOf = (path: Path): string => JSON.stringify(path)

const isInside = (id: string, path: Path): boolean =>
  id === idOf(path) || id.startsWith(`${idOf(path).slice(0, -1)},`)

const shown = (value: unknown): string => {
  if (Array.isArray(value)) return `[${value.map(shown).join()}]`
  if (isTable(value)) {
    const entries = Object.entries(value).map(([name, inner]) => `${JSON.stringify(name)}=${shown(inner)}`)
    return `{${entries.toSorted().join()}}`
  }
  return value instanceof Date ? value.toISOString() : `${typeof value} ${String(value)}`
}

const read = (text: string) => parse(text, { integersAsBigInt: true })

const meaningOf = (text: string): Meaning => {
  const meaning = new Map<string, string>()
  const visit = (path: Path, value: unknown): void => {
    meaning.set(idOf(path), isTable(value) ? "table" : shown(value))
    if (isTable(value)) for (const [name, inner] of Object.entries(value)) visit([...path, name], inner)
  }
  visit([], read(text))
  return meaning
}

const outside = (meaning: Meaning, path: Path): Meaning =>
  new Map([...meaning].filter(([id]) => !isInside(id, path)))

/** Without the tables on the way to a path: a removal may empty them, and some are gone then. */
const besides = (meaning: Meaning, path: Path): Meaning =>
  new Map(
    [...outside(meaning, path)].filter(([id]) => !path.some((_, depth) => id === idOf(path.slice(0, depth))))
  )

const withValue = (meaning: Meaning, path: Path, value: string): Meaning => {
  const result = new Map(outside(meaning, path))
  path.forEach((_, depth) => result.set(idOf(path.slice(0, depth)), "table"))
  for (const [id, what] of meaningOf(`value = ${value}`)) {
    if (id !== "[]") result.set(idOf([...path, ...JSON.parse(id).slice(1)]), what)
  }
  return result
}

const sorted = (meaning: Meaning) => [...meaning].toSorted(([left], [right]) => (left < right ? -1 : 1))

/** All paths to edit: each table and value that is there, and some in each table that are not. */
const pathsIn = (text: string): ReadonlyArray<Path> => {
  const paths: Array<Path> = []
  const visit = (path: Path, value: unknown): void => {
    if (path.length > 0) paths.push(path)
    if (!isTable(value)) return
    paths.push([...path, "new"], [...path, "new = '", "new.er"], [...path, "new", "a.b", "new"])
    for (const [name, inner] of Object.entries(value)) visit([...path, name], inner)
  }
  visit([], read(text))
  return paths
}

const tried = trickyText.chain((given) =>
  FastCheck.record({
    given: FastCheck.constant(given),
    path: FastCheck.constantFrom(...pathsIn(given.text)),
    value: FastCheck.constantFrom(...values, '{ a = 1, "b.c" = 2 }', "[{}]")
  })
)

const run = <A, E>(effect: Effect.Effect<A, E>): Promise<A> => Effect.runPromise(effect)

const commonStart = (left: string, right: string): number => {
  let length = 0
  while (length < left.length && length < right.length && left[length] === right[length]) length++
  return length
}

const commonEnd = (left: string, right: string): number =>
  commonStart([...left].toReversed().join(""), [...right].toReversed().join(""))

/** True when the one difference between two texts is an inserted piece. */
const isOneInsertion = (before: string, after: string): boolean =>
  after.length > before.length && commonStart(before, after) + commonEnd(before, after) >= before.length

/** In an inline table over several lines, a comma goes behind the last value, and the key below that line's comment. */
const isInsertion = (before: string, after: string): boolean => {
  if (isOneInsertion(before, after)) return true
  const start = commonStart(before, after)
  return after[start] === "," && isOneInsertion(before.slice(start), after.slice(start + 1))
}

/** Whether a text is another one in which one occurrence of a piece was replaced. */
const isReplacement = (before: string, after: string, old: string, value: string): boolean => {
  for (let at = before.indexOf(old); at !== -1; at = before.indexOf(old, at + 1)) {
    if (before.slice(0, at) + value + before.slice(at + old.length) === after) return true
  }
  return false
}

const bareNewline = /(^|[^\r])\n/

const commentsIn = (text: string): ReadonlyArray<string> =>
  parseTOML(text.replace(/^\uFEFF/, "")).comments.map((comment) => comment.value)

/**
 * Whether a dotted key adds to a table that `[[headers]]` alone have made so far. TOML does not allow that, and smol-toml only with
 * such headers: without them nothing of the text can be read.
 */
const isLenient = (text: string): boolean =>
  !isToml(text.replace(/^[ \t]*\[\[(.+?)\]\]/gm, (_, name: string, at: number) => `[${name}.entry${at}]`))

const settings = { numRuns: runs(200) }

const check = (
  property: (given: {
    text: string
    headers: ReadonlyArray<Path>
    path: Path
    value: string
  }) => Promise<void>
) =>
  FastCheck.assert(
    FastCheck.asyncProperty(tried, ({ given, path, value }) => property({ ...given, path, value })),
    settings
  )

describe("A key of any TOML text", () => {
  it("has the new value after it is set, and all other keys have theirs", () =>
    check(async ({ path, text, value }) => {
      const result = await run(Effect.either(setKey(text, path, value)))
      const before = meaningOf(text)
      if (Either.isRight(result)) {
        assert.deepStrictEqual(sorted(meaningOf(result.right)), sorted(withValue(before, path, value)))
        return
      }
      const obstacle = result.left.obstacle._tag
      assert.include(["IsTable", "ArrayOfTables"], obstacle)
      const what = before.get(idOf(path))
      if (obstacle === "IsTable") assert.strictEqual(what, "table")
      else assert.match(what ?? "", /^\[\{/)
    }))

  it("changes no other byte when it is set, and restores the text when it is set back", () =>
    check(async ({ path, text, value }) => {
      const old = await run(valueTextAt(text, path))
      const result = await run(Effect.either(setKey(text, path, value)))
      if (Either.isLeft(result)) return
      if (old === undefined) assert.isTrue(isInsertion(text, result.right), result.right)
      else {
        assert.isTrue(isReplacement(text, result.right, old, value), result.right)
        assert.strictEqual(await run(setKey(result.right, path, old)), text)
      }
      assert.strictEqual(await run(valueTextAt(result.right, path)), value)
      if (text.includes("\n") && !bareNewline.test(text)) {
        assert.notMatch(
          result.right.replace(value, () => ""),
          bareNewline
        )
      }
    }))

  it("that is set where it was absent and removed again restores the data, and the bytes where its table has a header", () =>
    check(async ({ headers, path, text, value }) => {
      if (meaningOf(text).has(idOf(path))) return
      const added = await run(setKey(text, path, value))
      const removed = await run(unsetKey(added, path))
      assert.deepStrictEqual(
        sorted(besides(meaningOf(removed), path)),
        sorted(besides(meaningOf(text), path))
      )
      const parent = idOf(path.slice(0, -1))
      if (headers.some((header) => idOf(header) === parent)) assert.strictEqual(removed, text)
    }))

  it("is removed with its content and its comment on the same line, and nothing else", () =>
    check(async ({ path, text }) => {
      const result = await run(Effect.either(unsetKey(text, path)))
      if (Either.isLeft(result)) {
        assert.strictEqual(result.left.obstacle._tag, "NotTheSame")
        assert.isTrue(isLenient(text), text)
        return
      }
      const removed = result.right
      const before = meaningOf(text)
      assert.deepStrictEqual(sorted(besides(meaningOf(removed), path)), sorted(besides(before, path)))
      assert.isFalse(meaningOf(removed).has(idOf(path)))
      assert.strictEqual(await run(unsetKey(removed, path)), removed)
      const value = await run(valueTextAt(text, path))
      if (value !== undefined) {
        assert.isTrue(isInsertion(removed, text), removed)
        const own = commentsIn(`value = ${value}`).length + 1
        assert.isAtLeast(commentsIn(removed).length, commentsIn(text).length - own, removed)
      }
      if (!before.has(idOf(path))) assert.strictEqual(removed, text)
    }))

  it("has a value whose text is returned as it is written", () =>
    check(async ({ path, text }) => {
      const value = await run(valueTextAt(text, path))
      const what = meaningOf(text).get(idOf(path))
      if (value !== undefined) assert.strictEqual(meaningOf(`value = ${value}`).get('["value"]'), what)
      else assert.match(what ?? "table", /^(table$|\[\{)/)
    }))
})
