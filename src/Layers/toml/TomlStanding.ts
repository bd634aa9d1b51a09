import * as Either from "effect/Either"
import type { KeyPath } from "../../Domain/toml/KeyPath.ts"
import { positionOf } from "../../Domain/toml/TextSpan.ts"
import { TomlNotEditable } from "./TomlNotEditable.ts"
import type { TomlBody, TomlEntry, TomlTree } from "./TomlTree.ts"

/** The way in which a table is written. */
type TableStanding =
  | { readonly _tag: "Root"; readonly body: TomlBody }
  | { readonly _tag: "Header"; readonly body: TomlBody }
  | { readonly _tag: "Inline"; readonly body: TomlBody; readonly entry: TomlEntry }
  /** A table without header and braces, created by `restart.jitter = 0`. `last` is its last key. */
  | { readonly _tag: "Dotted"; readonly last: TomlEntry }
  /** A table created by a header below it: `[projects.shop.restart]` creates `projects.shop`. `first` is that header. */
  | { readonly _tag: "Implied"; readonly first: TomlBody }

/** The syntax at a path. */
type Standing =
  | TableStanding
  | { readonly _tag: "Value"; readonly entry: TomlEntry }
  | { readonly _tag: "Array"; readonly first: TomlBody }
  | { readonly _tag: "Absent" }

/** True when a path is `outer`, or leads into it. */
export const isInside = (path: KeyPath, outer: KeyPath): boolean =>
  path.length >= outer.length && outer.every((name, depth) => name === path[depth])

const isSame = (left: KeyPath, right: KeyPath): boolean =>
  left.length === right.length && isInside(left, right)

/** Finds the syntax at a path of names. */
export const standingAt = (tree: TomlTree, path: KeyPath): Standing => {
  if (path.length === 0) return { _tag: "Root", body: tree.root }
  const entry = tree.entries.find((one) => isSame(one.path, path))
  if (entry?.inline !== undefined) return { _tag: "Inline", body: entry.inline, entry }
  if (entry !== undefined) return { _tag: "Value", entry }
  const inside = tree.headers.filter((one) => isInside(one.path, path))
  const array = inside.find((one) => one.array !== undefined && isInside(path, one.array))
  if (array !== undefined) return { _tag: "Array", first: array }
  const header = inside.find((one) => isSame(one.path, path))
  if (header !== undefined) return { _tag: "Header", body: header }
  const last = tree.entries.findLast((one) => isInside(one.path, path) && one.body.path.length < path.length)
  if (last !== undefined) return { _tag: "Dotted", last }
  const first = inside[0]
  return first === undefined ? { _tag: "Absent" } : { _tag: "Implied", first }
}

/** An existing table and its path. */
export interface FoundTable {
  readonly path: KeyPath
  readonly table: TableStanding
}

/** Finds the deepest existing table on the way to a key; the root exists always. */
export const deepestTable = (tree: TomlTree, path: KeyPath): Either.Either<FoundTable, TomlNotEditable> => {
  let found: FoundTable = { path: [], table: { _tag: "Root", body: tree.root } }
  for (let length = 1; length < path.length; length++) {
    const outer = path.slice(0, length)
    const standing = standingAt(tree, outer)
    switch (standing._tag) {
      case "Absent":
        return Either.right(found)
      case "Value": {
        const at = positionOf(tree.text, standing.entry.start)
        return Either.left(new TomlNotEditable({ path, obstacle: { _tag: "InsideValue", value: outer, at } }))
      }
      case "Array": {
        const at = positionOf(tree.text, standing.first.start)
        return Either.left(
          new TomlNotEditable({ path, obstacle: { _tag: "ArrayOfTables", array: outer, at } })
        )
      }
      default:
        found = { path: outer, table: standing }
    }
  }
  return Either.right(found)
}
