import * as Effect from "effect/Effect"
import type { AST } from "toml-eslint-parser"
import type { KeyPath } from "../../Domain/toml/KeyPath.ts"
import type { RawSettings } from "../../Domain/toml/RawSettings.ts"
import { orFail } from "../concurrency/PlainCode.ts"
import { NotToml, tomlData } from "./TomlData.ts"

/** A holder of entries: the top level of the text, the part behind a `[header]`, or an inline table. */
export interface TomlBody {
  readonly kind: "root" | "header" | "inline"
  readonly path: KeyPath
  /** A header's range ends with its name, an inline table's has both braces, the root's is empty. */
  readonly start: number
  readonly end: number
  readonly entries: ReadonlyArray<TomlEntry>
  /** The path of the `[[array]]` that holds it, if any: then no path of names leads to its entries. */
  readonly array?: KeyPath
}

/** One `key = value`. */
export interface TomlEntry {
  /** From the root of the text. */
  readonly path: KeyPath
  readonly start: number
  readonly valueStart: number
  readonly end: number
  readonly body: TomlBody
  /** The value, if it is an inline table. */
  readonly inline?: TomlBody
}

/** The syntax tree of a TOML text. */
export interface TomlTree {
  readonly text: string
  /** The parsed text; all integers are bigints, so that none is rounded. */
  readonly data: RawSettings
  readonly root: TomlBody
  /** All `[headers]` and `[[headers]]` in the order of the text. */
  readonly headers: ReadonlyArray<TomlBody>
  /** All entries that a path of names leads to, in the order of the text; an inline table precedes its entries. */
  readonly entries: ReadonlyArray<TomlEntry>
}

/** The names of a dotted key. */
export const namesOf = (key: AST.TOMLKey): KeyPath =>
  key.keys.map((part) => (part.type === "TOMLBare" ? part.name : part.value))

const entryOf = (body: TomlBody, node: AST.TOMLKeyValue): TomlEntry => {
  const path = [...body.path, ...namesOf(node.key)]
  const [start, end] = node.range
  const { value } = node
  const entry = { path, start, valueStart: value.range[0], end, body }
  return value.type === "TOMLInlineTable"
    ? { ...entry, inline: bodyOf({ kind: "inline", path, start: value.range[0], end }, value.body) }
    : entry
}

const bodyOf = (
  self: Omit<TomlBody, "entries">,
  nodes: ReadonlyArray<AST.TOMLKeyValue | AST.TOMLTable>
): TomlBody => {
  const entries: Array<TomlEntry> = []
  const body = { ...self, entries }
  for (const node of nodes) if (node.type === "TOMLKeyValue") entries.push(entryOf(body, node))
  return body
}

const headerOf = (node: AST.TOMLTable): TomlBody => {
  const self = {
    kind: "header",
    path: namesOf(node.key),
    start: node.range[0],
    end: node.key.range[1]
  } as const
  const position = node.resolvedKey.findIndex((part) => typeof part === "number")
  if (position === -1) return bodyOf(self, node.body)
  return bodyOf({ ...self, array: node.resolvedKey.slice(0, position).map(String) }, node.body)
}

const withInner = (entries: ReadonlyArray<TomlEntry>): ReadonlyArray<TomlEntry> =>
  entries.flatMap((entry) => [entry, ...withInner(entry.inline?.entries ?? [])])

/** Parses a TOML text without a byte order mark, which the library for the syntax tree rejects. */
export const readTree: (text: string) => Effect.Effect<TomlTree, NotToml> = Effect.fnUntraced(
  function* (text) {
    const data = yield* orFail(tomlData(text, "all"))
    // The library is large, and only an edit needs it.
    const { ParseError, parseTOML } = yield* Effect.promise(() => import("toml-eslint-parser"))
    const program = yield* Effect.try({
      try: () => parseTOML(text, { tomlVersion: "latest" }),
      catch: (cause) =>
        cause instanceof ParseError
          ? new NotToml({ at: { line: cause.lineNumber, column: cause.column + 1 } })
          : new NotToml()
    })
    const nodes = program.body[0].body
    const root = bodyOf({ kind: "root", path: [], start: 0, end: 0 }, nodes)
    const headers = nodes.flatMap((node) => (node.type === "TOMLTable" ? [headerOf(node)] : []))
    const named = headers.filter(({ array }) => array === undefined)
    return {
      text,
      data,
      root,
      headers,
      entries: [root, ...named].flatMap((body) => withInner(body.entries))
    }
  }
)
