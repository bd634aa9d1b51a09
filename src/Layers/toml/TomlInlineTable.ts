import {
  indentAt,
  insertion,
  isBlank,
  lineBreakAt,
  lineEnd,
  lineStart,
  nextLine,
  type Replacement,
  removal
} from "../../Domain/toml/TextSpan.ts"
import type { TomlBody, TomlEntry } from "./TomlTree.ts"

/** The offset behind the next comma. White space, line breaks and comments may precede the comma. */
const afterComma = (text: string, offset: number): number | undefined => {
  // There may be a comma in a comment, which ends with its line.
  const comma = /(?:[ \t\r\n]|#[^\n]*\n)*,/y
  comma.lastIndex = offset
  return comma.test(text) ? comma.lastIndex : undefined
}

/** True when the entry is the first in its line. */
const beginsItsLine = (text: string, { body, start }: TomlEntry): boolean => {
  const from = lineStart(text, start)
  return from > body.start && isBlank(text.slice(from, start))
}

/** True when at most a comment follows an offset in its line. */
const endsItsLine = (text: string, offset: number): boolean =>
  /^[ \t]*(#.*)?$/.test(text.slice(offset, lineEnd(text, offset)))

/** Inserts a `key = value` behind the last one of an inline table, on its own line if that one has its own. */
export const inlineInsertion = (
  text: string,
  { entries, start }: TomlBody,
  line: string
): ReadonlyArray<Replacement> => {
  const last = entries.at(-1)
  if (last === undefined) {
    const isSpaced = isBlank(text[start + 1] ?? "")
    return [insertion(start + 1, isSpaced ? ` ${line}` : ` ${line} `)]
  }
  const behindComma = afterComma(text, last.end)
  const behind = behindComma ?? last.end
  if (!beginsItsLine(text, last)) {
    return [insertion(behind, behindComma === undefined ? `, ${line}` : ` ${line},`)]
  }
  const at = endsItsLine(text, behind) ? lineEnd(text, behind) : behind
  const ownLine = `${lineBreakAt(text, last.start)}${indentAt(text, last.start)}${line}`
  return behindComma === undefined
    ? [insertion(last.end, ","), insertion(at, ownLine)]
    : [insertion(at, `${ownLine},`)]
}

const afterBlanks = (text: string, offset: number): number => {
  const blanks = /[ \t]*/y
  blanks.lastIndex = offset
  blanks.test(text)
  return blanks.lastIndex
}

const beforeBlanks = (text: string, offset: number): number =>
  offset - (/[ \t]*$/.exec(text.slice(lineStart(text, offset), offset))?.[0].length ?? 0)

/** Removes one entry from an inline table, with one comma, and with its lines if no other entry is on them. */
export const inlineRemoval = (text: string, entry: TomlEntry): ReadonlyArray<Replacement> => {
  const { body } = entry
  const position = body.entries.indexOf(entry)
  const previous = body.entries[position - 1]
  const next = body.entries[position + 1]
  const ownComma = afterComma(text, entry.end)
  const end = ownComma ?? entry.end
  const isAlone = previous === undefined && next === undefined
  if (isAlone && isBlank(text.slice(body.start + 1, entry.start)) && isBlank(text.slice(end, body.end - 1))) {
    return [removal(body.start + 1, body.end - 1)]
  }
  // Without a comma of its own it is the last one, and the comma before it goes.
  const comma = ownComma === undefined && previous !== undefined ? afterComma(text, previous.end) : undefined
  const commas = comma === undefined ? [] : [removal(comma - 1, comma)]
  if (beginsItsLine(text, entry) && endsItsLine(text, end)) {
    return [...commas, removal(lineStart(text, entry.start), nextLine(text, end))]
  }
  if (next === undefined && !beginsItsLine(text, entry)) {
    const start = Math.max(comma ?? 0, beforeBlanks(text, entry.start))
    return [...commas, removal(start, end)]
  }
  return [...commas, removal(entry.start, afterBlanks(text, end))]
}
