import { quoted } from "../text/Printable.ts"

/** The path of a key in a TOML text: the names of the tables around it, then its own. */
export type KeyPath = ReadonlyArray<string>

const bareRun = /[A-Za-z0-9_-]+/y
const bareKey = /^[A-Za-z0-9_-]+$/
const blanks = /[ \t]*/y
const hexDigits = /^[0-9A-Fa-f]+$/

const plainEscapes: Readonly<Record<string, string>> = {
  b: "\b",
  t: "\t",
  n: "\n",
  f: "\f",
  r: "\r",
  e: "\u001b",
  '"': '"',
  "\\": "\\"
}

/** The number of hexadecimal digits behind the letter of an escape. */
const codeLengths: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }

/** All controls but the tab, which TOML allows between quotes. */
const isControl = (char: string): boolean => (char < " " && char !== "\t") || char === "\u007f"

const isScalar = (code: number): boolean => code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)

/** One name of a key, and the offset behind it; or what is wrong with the key. */
type Part = { readonly name: string; readonly end: number } | string

const unclosed = "opens a quote that is never closed"
const wrongEscape =
  "has a backslash that begins no TOML escape: write \\\\ for a backslash, or put the part in single quotes"

/** One character behind a backslash. */
const readEscape = (text: string, at: number): Part => {
  const letter = text[at]
  if (letter === undefined) return unclosed
  const plain = plainEscapes[letter]
  if (plain !== undefined) return { name: plain, end: at + 1 }
  const length = codeLengths[letter]
  if (length === undefined) return wrongEscape
  const digits = text.slice(at + 1, at + 1 + length)
  const code = Number.parseInt(digits, 16)
  if (digits.length < length || !hexDigits.test(digits) || !isScalar(code)) return wrongEscape
  return { name: String.fromCodePoint(code), end: at + 1 + length }
}

/** A part between quotes, from its opening quote. */
const readQuoted = (text: string, start: number): Part => {
  const quote = text[start]
  let name = ""
  let at = start + 1
  for (let char = text[at]; char !== undefined; char = text[at]) {
    if (char === quote) return { name, end: at + 1 }
    if (isControl(char)) return "has a control character between quotes: write it as an escape"
    if (char === "\\" && quote === '"') {
      const escape = readEscape(text, at + 1)
      if (typeof escape === "string") return escape
      name += escape.name
      at = escape.end
    } else {
      name += char
      at++
    }
  }
  return unclosed
}

const misplaced = (text: string, at: number): string => {
  const char = String.fromCodePoint(text.codePointAt(at) ?? 0)
  if (bareKey.test(char)) return "has a name directly behind another one: put a dot between them"
  if (char === '"' || char === "'") return "has a quote inside a name: put the whole name in quotes"
  if (char === " " || char === "\t") return "has a space inside a name: put the whole name in double quotes"
  return `has ${quoted(char)} outside of quotes: put a name with that character in double quotes`
}

const readPart = (text: string, start: number): Part => {
  const first = text[start]
  if (first === '"' || first === "'") return readQuoted(text, start)
  bareRun.lastIndex = start
  const name = bareRun.exec(text)?.[0]
  if (name !== undefined) return { name, end: start + name.length }
  if (first === undefined) return "ends in a dot: a name must follow it"
  if (first === ".") return "has a dot without a name before it"
  return misplaced(text, start)
}

const skipBlanks = (text: string, start: number): number => {
  blanks.lastIndex = start
  return start + (blanks.exec(text)?.[0].length ?? 0)
}

/**
 * Parses a dotted key as a user types it: `restart.max_backoff_ms`, `projects."a.b".model`. The rules are TOML's. A
 * text instead of a path is what is wrong, and continues a sentence that begins with the key.
 */
export const parseKeyPath = (text: string): KeyPath | string => {
  const names: Array<string> = []
  let at = skipBlanks(text, 0)
  if (at === text.length) return "is empty: name a setting, for example restart.max_backoff_ms"
  for (;;) {
    const part = readPart(text, at)
    if (typeof part === "string") return part
    names.push(part.name)
    at = skipBlanks(text, part.end)
    if (at === text.length) return names
    if (text[at] !== ".") return misplaced(text, part.end)
    at = skipBlanks(text, at + 1)
  }
}

/** Parses a key that the decoder of an argument has accepted. */
export const acceptedKeyPath = (text: string): KeyPath => {
  const path = parseKeyPath(text)
  if (typeof path === "string") throw new Error(`The key ${quoted(text)} ${path}.`)
  return path
}

// JSON's escapes are a part of TOML's, and DEL is the one control character that JSON leaves bare.
const keyPart = (name: string): string =>
  bareKey.test(name) ? name : JSON.stringify(name).replaceAll("\u007f", "\\u007f")

/** A path as TOML. Only names that need quotes get them. */
export const keyPathText = (path: KeyPath): string => path.map(keyPart).join(".")
