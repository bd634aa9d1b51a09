import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { parse, TomlError } from "smol-toml"
import type { AST } from "toml-eslint-parser"
import type { KeyPath } from "../../Domain/toml/KeyPath.ts"
import type { RawSettings } from "../../Domain/toml/RawSettings.ts"
import type { Position } from "../../Domain/toml/TextSpan.ts"

/** What holds entries: the text as a whole, what follows a `[header]`, or an inline table. */
export interface TomlBody {
  readonly kind: "root" | "header" | "inline"
  readonly path: KeyPath
  /** Of a header: up to the end of its name. Of an inline table: from brace to brace. Of the root: nothing. */
  readonly start: number
  readonly end: number
  readonly entries: ReadonlyArray<TomlEntry>
  /** For what stands in `[[array]]`: the path of that array. Its entries have no path of names. */
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

/** A TOML text, taken apart. */
export interface TomlTree {
  readonly text: string
  /** What it means; all integers are bigints, so that none is rounded. */
  readonly data: RawSettings
  readonly root: TomlBody
  /** All `[headers]` and `[[headers]]` in the order of the text. */
  readonly headers: ReadonlyArray<TomlBody>
  /** All entries that a path of names leads to, in the order of the text, those of inline tables after their table. */
  readonly entries: ReadonlyArray<TomlEntry>
}

/** The text is not TOML. */
export class NotToml extends Data.TaggedError("NotToml")<{
  readonly at?: Position
  readonly because?: string
}> {}

/** What TOML means to the library that reads daemon.toml. */
export const readData = (text: string): Effect.Effect<RawSettings, NotToml> =>
  Effect.try({
    try: () => parse(text, { integersAsBigInt: true }),
    catch: (cause) => {
      if (!(cause instanceof TomlError)) return new NotToml({})
      // An excerpt of the text follows on the next lines: it may hold a secret.
      const because = cause.message.split("\n", 1)[0]?.replace(/^Invalid TOML document: /, "") ?? ""
      return new NotToml({ at: { line: cause.line, column: cause.column }, because })
    }
  })

const namesOf = (key: AST.TOMLKey): KeyPath =>
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

/** Takes a TOML text apart. A byte order mark must be gone: the library for the syntax tree does not know it. */
export const readTree: (text: string) => Effect.Effect<TomlTree, NotToml> = Effect.fnUntraced(
  function* (text) {
    const data = yield* readData(text)
    // It is large and only an edit needs it.
    const { ParseError, parseTOML } = yield* Effect.promise(() => import("toml-eslint-parser"))
    const program = yield* Effect.try({
      try: () => parseTOML(text, { tomlVersion: "latest" }),
      catch: (cause) =>
        cause instanceof ParseError
          ? new NotToml({ at: { line: cause.lineNumber, column: cause.column + 1 } })
          : new NotToml({})
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
