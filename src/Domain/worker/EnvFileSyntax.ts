/** A problem with a line of an env file. It quotes nothing of the line, which may hold a secret. */
interface EnvLineProblem {
  /** Counts from 1. */
  readonly line: number
  /** Continues a sentence that begins with the line. */
  readonly reason: string
}

/** The variables of an env file. */
interface EnvFileContent {
  readonly values: Readonly<Record<string, string>>
  readonly problems: ReadonlyArray<EnvLineProblem>
}

const variableName = /^[A-Za-z_][A-Za-z0-9_]*$/
const isBlank = (char: string) => char === " " || char === "\t" || char === "\n" || char === "\r"
const isNewline = (char: string) => char === "\n" || char === "\r"

/** The characters that lose their backslash between double quotes, as in a shell. */
const escapable = '"\\`$'

/** The position of the parser in the text. It only moves forward. */
class Cursor {
  readonly #text: string
  #offset = 0
  line = 1

  constructor(text: string) {
    this.#text = text
  }

  get char(): string | undefined {
    return this.#text[this.#offset]
  }

  /** Returns the current character and moves on; the empty string at the end. */
  take(): string {
    const char = this.char ?? ""
    if (isNewline(char)) this.line++
    this.#offset++
    return char
  }
}

/** A backslash at the end of a comment does not continue it (systemd since 254). */
const skipComment = (cursor: Cursor): void => {
  while (cursor.char !== undefined && !isNewline(cursor.char)) cursor.take()
}

/** Returns the text before `=`; undefined without one. A `=` at the very beginning belongs to the text. */
const readName = (cursor: Cursor): string | undefined => {
  let name = cursor.take()
  while (cursor.char !== undefined && !isNewline(cursor.char)) {
    const char = cursor.take()
    if (char === "=") return name.trimEnd()
    name += char
  }
  return undefined
}

/** Reads the rest of a quoted part. `closed` is false when the text ends before the closing quote. */
const readQuoted = (cursor: Cursor, quote: string): { readonly text: string; readonly closed: boolean } => {
  let text = ""
  while (cursor.char !== undefined) {
    const char = cursor.take()
    if (char === quote) return { text, closed: true }
    if (char !== "\\" || quote === "'") text += char
    else if (cursor.char !== undefined) {
      const escaped = cursor.take()
      if (escapable.includes(escaped)) text += escaped
      else if (escaped !== "\n") text += `\\${escaped}`
    }
  }
  return { text, closed: false }
}

/** Reads an unquoted part up to the end of the line, without trailing white space unless a backslash escapes it. */
const readBare = (cursor: Cursor): string => {
  let text = ""
  let kept = 0
  while (cursor.char !== undefined && !isNewline(cursor.char)) {
    const char = cursor.take()
    if (char === "\\") {
      const escaped = cursor.take()
      if (!isNewline(escaped)) text += escaped
      kept = text.length
    } else {
      text += char
      if (!isBlank(char)) kept = text.length
    }
  }
  return text.slice(0, kept)
}

/**
 * Reads quoted parts and at most one bare part at the end. Quotes count at the beginning and after a quoted part; white
 * space between parts is dropped, and a quote inside a bare part is an ordinary character.
 */
const readValue = (cursor: Cursor): { readonly text: string; readonly closed: boolean } => {
  let text = ""
  while (cursor.char !== undefined && !isNewline(cursor.char)) {
    if (isBlank(cursor.char)) cursor.take()
    else if (cursor.char === "'" || cursor.char === '"') {
      const part = readQuoted(cursor, cursor.take())
      text += part.text
      if (!part.closed) return { text, closed: false }
    } else return { text: text + readBare(cursor), closed: true }
  }
  return { text, closed: true }
}

const wrongName = (name: string): string =>
  name.startsWith("export ")
    ? "begins with `export`, which this format does not have, so it was ignored: remove the word"
    : "does not begin with a variable name of letters, digits and _, so it was ignored"

/**
 * Reads systemd's `EnvironmentFile` syntax (systemd.exec(5), and the reader in systemd's src/basic/env-file.c): lines
 * of `KEY=value`, comments after `#` or `;`, single and double quotes, backslash escapes, continued lines; a later
 * line wins. Nothing is expanded. Lines that systemd ignores are ignored and reported, so one file serves both.
 */
export const parseEnvFile = (text: string): EnvFileContent => {
  const cursor = new Cursor(text.replaceAll("\r\n", "\n"))
  const values = new Map<string, string>()
  const problems: Array<EnvLineProblem> = []
  while (cursor.char !== undefined) {
    if (isBlank(cursor.char)) {
      cursor.take()
      continue
    }
    if (cursor.char === "#" || cursor.char === ";") {
      skipComment(cursor)
      continue
    }
    const line = cursor.line
    const name = readName(cursor)
    if (name === undefined) {
      problems.push({ line, reason: "is not KEY=value, so it was ignored" })
      continue
    }
    const value = readValue(cursor)
    if (!value.closed) {
      problems.push({
        line,
        reason: "opens a quote that is never closed: the rest of the file became its value"
      })
    }
    if (!variableName.test(name)) problems.push({ line, reason: wrongName(name) })
    else if (value.text.includes("\u0000")) {
      problems.push({ line, reason: "contains a NUL character, so it was ignored" })
    } else values.set(name, value.text)
  }
  return { values: Object.fromEntries(values), problems }
}
