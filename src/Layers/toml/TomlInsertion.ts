import { type KeyPath, keyPathText } from "../../Domain/toml/KeyPath.ts"
import {
  indentAt,
  insertion,
  isBlank,
  lineBreakAt,
  lineStart,
  linesBelow,
  type Replacement
} from "../../Domain/toml/TextSpan.ts"
import { inlineInsertion } from "./TomlInlineTable.ts"
import type { FoundTable } from "./TomlStanding.ts"
import type { TomlBody, TomlEntry, TomlTree } from "./TomlTree.ts"

/** The start of the comments directly above a header. They belong to it. */
const commentsAbove = (tree: TomlTree, header: TomlBody): number => {
  const { text } = tree
  // A line of a multi-line string can look like a comment.
  const ends = [...tree.headers.flatMap((one) => [one, ...one.entries]), ...tree.root.entries]
    .map(({ end }) => end)
    .filter((end) => end < header.start)
  const floor = Math.max(-1, ...ends)
  let start = lineStart(text, header.start)
  while (start > 0) {
    const above = lineStart(text, start - 1)
    if (above <= floor || !/^[ \t]*#/.test(text.slice(above, start))) break
    start = above
  }
  return start
}

/** True when the line before an offset is blank, or there is none. */
const isSetApart = (text: string, start: number): boolean =>
  start === 0 || isBlank(text.slice(lineStart(text, start - 1), start))

/** Writes lines above a header and its comments, with a blank line on both sides. */
const aboveHeader = (tree: TomlTree, header: TomlBody, lines: ReadonlyArray<string>): Replacement => {
  const { text } = tree
  const at = commentsAbove(tree, header)
  const lineBreak = lineBreakAt(text, header.start)
  const before = isSetApart(text, at) ? "" : lineBreak
  return insertion(at, before + lines.map((line) => line + lineBreak).join("") + lineBreak)
}

/** Writes lines at the end of the text, after a blank line. */
const atTheEnd = ({ text }: TomlTree, lines: ReadonlyArray<string>): Replacement => {
  const lastLine = text.endsWith("\n") ? lineStart(text, text.length - 1) : lineStart(text, text.length)
  return linesBelow(text, text.length, isBlank(text.slice(lastLine)) ? lines : ["", ...lines])
}

const belowEntry = ({ text }: TomlTree, entry: TomlEntry, line: string): Replacement =>
  linesBelow(text, entry.end, [indentAt(text, entry.start) + line])

/**
 * Inserts a key that is absent, as a careful user would: below the last key of the deepest existing table. Comments
 * below that key stay with what they introduce. `path` begins at the root.
 */
export const keyInsertion = (
  tree: TomlTree,
  { path: tablePath, table }: FoundTable,
  path: KeyPath,
  value: string
): ReadonlyArray<Replacement> => {
  const { text } = tree
  const name = path.slice(-1)
  const parent = path.slice(0, -1)
  const line = (key: KeyPath) => `${keyPathText(key)} = ${value}`
  const inHeader = [`[${keyPathText(parent)}]`, line(name)]
  switch (table._tag) {
    case "Inline":
      return inlineInsertion(text, table.body, line(path.slice(tablePath.length)))
    case "Dotted": {
      const { body } = table.last
      const key = line(path.slice(body.path.length))
      return body.kind === "inline" ? inlineInsertion(text, body, key) : [belowEntry(tree, table.last, key)]
    }
    case "Header": {
      const key = line(path.slice(tablePath.length))
      const last = table.body.entries.at(-1)
      if (last !== undefined) return [belowEntry(tree, last, key)]
      return [linesBelow(text, table.body.end, [indentAt(text, table.body.start) + key])]
    }
    case "Implied": {
      if (tablePath.length < parent.length) return [atTheEnd(tree, inHeader)]
      const indent = indentAt(text, table.first.start)
      return [
        aboveHeader(
          tree,
          table.first,
          inHeader.map((one) => indent + one)
        )
      ]
    }
    case "Root": {
      if (parent.length > 0) return [atTheEnd(tree, inHeader)]
      const last = tree.root.entries.at(-1)
      if (last !== undefined) return [belowEntry(tree, last, line(name))]
      const first = tree.headers[0]
      return [first === undefined ? atTheEnd(tree, [line(name)]) : aboveHeader(tree, first, [line(name)])]
    }
  }
}
