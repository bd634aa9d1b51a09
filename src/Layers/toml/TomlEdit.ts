import { isDeepStrictEqual } from "node:util"
import * as Effect from "effect/Effect"
import type { KeyPath } from "../../Domain/toml/KeyPath.ts"
import { isTable, type RawSettings, valueAt } from "../../Domain/toml/RawSettings.ts"
import { positionOf, type Replacement, replaced } from "../../Domain/toml/TextSpan.ts"
import { orFail } from "../concurrency/PlainCode.ts"
import { type NotToml, tomlData } from "./TomlData.ts"
import { keyInsertion } from "./TomlInsertion.ts"
import { TomlNotEditable, type TomlObstacle } from "./TomlNotEditable.ts"
import { nextRemoval } from "./TomlRemoval.ts"
import { deepestTable, standingAt } from "./TomlStanding.ts"
import { readTree, type TomlTree } from "./TomlTree.ts"

const byteOrderMark = "\uFEFF"

const refuse = (path: KeyPath, obstacle: TomlObstacle) => new TomlNotEditable({ path, obstacle })

const open = (text: string, path: KeyPath): Effect.Effect<TomlTree, TomlNotEditable> =>
  path.length === 0
    ? refuse(path, { _tag: "NoKey" })
    : readTree(text).pipe(
        Effect.mapError(({ at, because }: NotToml) =>
          refuse(path, {
            _tag: "NotToml",
            ...(at === undefined ? {} : { at }),
            ...(because === undefined ? {} : { because })
          })
        )
      )

/** Edits the text behind a byte order mark, which is not TOML. */
const behindMark = (
  text: string,
  edit: (text: string) => Effect.Effect<string, TomlNotEditable>
): Effect.Effect<string, TomlNotEditable> =>
  text.startsWith(byteOrderMark)
    ? edit(text.slice(byteOrderMark.length)).pipe(Effect.map((edited) => byteOrderMark + edited))
    : edit(text)

/** A copy of the data with a change at a path. Tables on the way that a removal leaves empty are removed, too. */
const changed = (
  table: RawSettings,
  [name = "", ...rest]: KeyPath,
  change: { readonly put: unknown } | "remove"
): RawSettings => {
  // The parser creates tables without a prototype: `__proto__` is a name like others.
  const copy: Record<string, unknown> = Object.assign(Object.create(null), table)
  const inner = copy[name]
  if (rest.length === 0) {
    if (change === "remove") delete copy[name]
    else copy[name] = change.put
  } else if (isTable(inner) || change !== "remove") {
    const changedInner = changed(isTable(inner) ? inner : {}, rest, change)
    if (change === "remove" && Object.keys(changedInner).length === 0) delete copy[name]
    else copy[name] = changedInner
  }
  return copy
}

/** Parses the result with the other parser, not the one that found the places, and checks what it means. */
const verified = (
  path: KeyPath,
  edited: string,
  isExpected: (data: RawSettings) => boolean
): Effect.Effect<string, TomlNotEditable> =>
  orFail(tomlData(edited, "all")).pipe(
    Effect.filterOrFail(isExpected, () => "not the same" as const),
    Effect.as(edited),
    Effect.mapError(() => refuse(path, { _tag: "NotTheSame" }))
  )

/** Parses the text of a value. It must be one value and nothing else: no comment, no further line. */
const readValue = (path: KeyPath, value: string): Effect.Effect<unknown, TomlNotEditable> =>
  readTree(`value = ${value}`).pipe(
    Effect.filterOrFail(
      ({ headers, root, text }) =>
        headers.length === 0 &&
        root.entries.length === 1 &&
        root.entries[0]?.valueStart === text.length - value.length &&
        root.entries[0].end === text.length,
      () => "more than a value" as const
    ),
    Effect.mapBoth({
      onSuccess: ({ data }) => data["value"],
      onFailure: () => refuse(path, { _tag: "WrongValue" })
    })
  )

/** The replacements that set a value. */
const settingOf = (
  tree: TomlTree,
  path: KeyPath,
  value: string
): Effect.Effect<ReadonlyArray<Replacement>, TomlNotEditable> =>
  Effect.gen(function* () {
    const found = yield* deepestTable(tree, path)
    const standing = standingAt(tree, path)
    const isTableAt = (offset: number) => refuse(path, { _tag: "IsTable", at: positionOf(tree.text, offset) })
    switch (standing._tag) {
      case "Value":
      case "Inline":
        return [{ start: standing.entry.valueStart, end: standing.entry.end, text: value }]
      case "Absent":
        return keyInsertion(tree, found, path, value)
      case "Array": {
        const at = positionOf(tree.text, standing.first.start)
        return yield* refuse(path, { _tag: "ArrayOfTables", array: path, at })
      }
      case "Dotted":
        return yield* isTableAt(standing.last.start)
      case "Implied":
        return yield* isTableAt(standing.first.start)
      case "Header":
      case "Root":
        return yield* isTableAt(standing.body.start)
    }
  })

/**
 * Sets one key of a TOML text; `value` is the text of a TOML value. The value of an existing key is replaced; an absent
 * key is inserted where a user would write it. Every other byte stays, comments and line endings included.
 */
export const setKey = (text: string, path: KeyPath, value: string): Effect.Effect<string, TomlNotEditable> =>
  behindMark(
    text,
    Effect.fnUntraced(function* (text) {
      const tree = yield* open(text, path)
      const put = yield* readValue(path, value)
      const edited = replaced(text, yield* settingOf(tree, path, value))
      return yield* verified(path, edited, (data) =>
        isDeepStrictEqual(data, changed(tree.data, path, { put }))
      )
    })
  )

/**
 * Removes one key of a TOML text with its lines, or a table with all its keys. Comments above stay, and so does the
 * header of a table that becomes empty. A text without that key is returned unchanged.
 */
export const unsetKey = (text: string, path: KeyPath): Effect.Effect<string, TomlNotEditable> =>
  behindMark(
    text,
    Effect.fnUntraced(function* (text) {
      const before = yield* open(text, path)
      yield* deepestTable(before, path)
      let tree = before
      for (let next = nextRemoval(tree, path); next !== undefined; next = nextRemoval(tree, path)) {
        tree = yield* open(replaced(tree.text, next), path).pipe(
          Effect.mapError(() => refuse(path, { _tag: "NotTheSame" }))
        )
      }
      return yield* verified(
        path,
        tree.text,
        (data) =>
          valueAt(data, path) === undefined &&
          isDeepStrictEqual(changed(data, path, "remove"), changed(before.data, path, "remove"))
      )
    })
  )

/** The text of a key's value; undefined when no value is at the path. */
export const valueTextAt = (
  text: string,
  path: KeyPath
): Effect.Effect<string | undefined, TomlNotEditable> =>
  Effect.gen(function* () {
    const tree = yield* open(text.startsWith(byteOrderMark) ? text.slice(byteOrderMark.length) : text, path)
    const standing = standingAt(tree, path)
    return standing._tag === "Value" || standing._tag === "Inline"
      ? tree.text.slice(standing.entry.valueStart, standing.entry.end)
      : undefined
  })
