import * as Effect from "effect/Effect"
import type { AST } from "toml-eslint-parser"
import type { Position } from "../../Domain/toml/TextSpan.ts"

type Path = ReadonlyArray<string | number>

/** Finds where a setting is written. For one that is missing it is the table that lacks it. */
type FindPosition = (path: Path) => Position | undefined

const idOf = (path: Path): string => JSON.stringify(path.map(String))

const namesOf = (key: AST.TOMLKey): ReadonlyArray<string> =>
  key.keys.map((part) => (part.type === "TOMLBare" ? part.name : part.value))

const index = (program: AST.TOMLProgram): FindPosition => {
  const positions = new Map<string, Position>()
  const note = (path: Path, depth: number, node: AST.TOMLNode) => {
    const position = { line: node.loc.start.line, column: node.loc.start.column + 1 }
    // `[a.b]` and `a.b = 1` are also the first mention of `a`.
    for (let length = depth; length <= path.length; length++) {
      const id = idOf(path.slice(0, length))
      if (!positions.has(id)) positions.set(id, position)
    }
  }
  const visitValue = (path: Path, value: AST.TOMLContentNode): void => {
    if (value.type === "TOMLInlineTable") for (const entry of value.body) visitEntry(path, entry)
    if (value.type === "TOMLArray") {
      for (const [position, element] of value.elements.entries()) {
        note([...path, position], path.length + 1, element)
        visitValue([...path, position], element)
      }
    }
  }
  const visitEntry = (table: Path, entry: AST.TOMLKeyValue): void => {
    const path = [...table, ...namesOf(entry.key)]
    note(path, table.length + 1, entry)
    visitValue(path, entry.value)
  }
  for (const node of program.body[0].body) {
    if (node.type === "TOMLKeyValue") visitEntry([], node)
    else {
      note(node.resolvedKey, 1, node)
      for (const entry of node.body) visitEntry(node.resolvedKey, entry)
    }
  }
  return (path) => {
    for (let length = path.length; length > 0; length--) {
      const position = positions.get(idOf(path.slice(0, length)))
      if (position !== undefined) return position
    }
    return undefined
  }
}

/**
 * The places of all keys of a TOML text. The syntax tree's library is large and only needed when something is wrong,
 * so it is loaded here and nowhere at the start. A text that it cannot read has no places: the problem itself is
 * what a person must see.
 */
export const tomlPositions = (text: string): Effect.Effect<FindPosition> =>
  Effect.tryPromise(async () => {
    const { parseTOML } = await import("toml-eslint-parser")
    // A byte order mark is no part of TOML; this parser stumbles over it.
    return index(parseTOML(text.replace(/^\ufeff/, ""), { tomlVersion: "latest" }))
  }).pipe(Effect.orElseSucceed((): FindPosition => () => undefined))
