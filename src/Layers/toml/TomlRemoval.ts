import type { KeyPath } from "../../Domain/toml/KeyPath.ts"
import {
  isBlank,
  lineRemoval,
  lineStart,
  nextLine,
  type Replacement,
  removal
} from "../../Domain/toml/TextSpan.ts"
import { inlineRemoval } from "./TomlInlineTable.ts"
import { isInside } from "./TomlStanding.ts"
import type { TomlBody, TomlEntry, TomlTree } from "./TomlTree.ts"

const entryRemoval = ({ text }: TomlTree, entry: TomlEntry): ReadonlyArray<Replacement> =>
  entry.body.kind === "inline" ? inlineRemoval(text, entry) : [lineRemoval(text, entry.start, entry.end)]

/** The start of the blank lines that end at an offset. */
const blanksAbove = (text: string, offset: number): number => {
  let start = offset
  while (start > 0 && isBlank(text.slice(lineStart(text, start - 1), start)))
    start = lineStart(text, start - 1)
  return start
}

const blanksBelow = (text: string, offset: number): number => {
  let end = offset
  while (end < text.length && isBlank(text.slice(end, nextLine(text, end)))) end = nextLine(text, end)
  return end
}

/** Removes the lines from the header to its last key, and the blank lines on one side. */
const sectionRemoval = ({ text }: TomlTree, section: TomlBody): Replacement => {
  const start = lineStart(text, section.start)
  const end = section.entries.at(-1)?.end ?? section.end
  const below = nextLine(text, end)
  if (start === 0) return removal(start, blanksBelow(text, below))
  const isFollowedByBlank = below === text.length || blanksBelow(text, below) > below
  return isFollowedByBlank ? removal(blanksAbove(text, start), below) : lineRemoval(text, section.start, end)
}

/**
 * The next removal, so that repeating it leaves nothing at a path or below it; undefined when nothing is there. The
 * last one in the text comes first, because a `[servers.port]` means another table once its `[[servers]]` is gone.
 */
export const nextRemoval = (tree: TomlTree, path: KeyPath): ReadonlyArray<Replacement> | undefined => {
  const section = tree.headers.findLast((one) => isInside(one.path, path))
  const entry = tree.entries.findLast((one) => isInside(one.path, path) && one.body.path.length < path.length)
  if (section !== undefined && section.start > (entry?.start ?? -1)) return [sectionRemoval(tree, section)]
  return entry === undefined ? undefined : entryRemoval(tree, entry)
}
