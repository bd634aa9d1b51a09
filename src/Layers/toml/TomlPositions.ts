import type { AST } from "toml-eslint-parser"
import type { Position } from "../../Domain/toml/TextSpan.ts"
import { namesOf } from "./TomlTree.ts"

type Path = ReadonlyArray<string | number>

/** Finds the place of a setting, or of the table that lacks it. */
export type FindPosition = (path: Path) => Position | undefined

const idOf = (path: Path): string => JSON.stringify(path.map(String))

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
 * Finds the places of all keys of a TOML text. The library for the syntax tree is large and needed only when there is a
 * problem, so it is loaded on use. A text that it cannot parse has no places: the user must see the problem itself.
 */
export const tomlPositions = async (text: string): Promise<FindPosition> => {
  try {
    const { parseTOML } = await import("toml-eslint-parser")
    // This parser rejects a byte order mark.
    return index(parseTOML(text.replace(/^\ufeff/, ""), { tomlVersion: "latest" }))
  } catch {
    return () => undefined
  }
}
