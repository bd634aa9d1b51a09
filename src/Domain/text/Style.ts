/** The severity of a message: it selects the journal's priority and the colour. */
export type Level = "info" | "warning" | "error"

/** One sentence of the daemon, with its severity. */
export interface Message {
  readonly level: Level
  readonly text: string
}

/**
 * SGR parameters (ECMA-48, 8.3.117) by meaning: colours and intensities that every terminal has. `blue` and `magenta` mean
 * nothing: they tell names apart.
 */
const codes = {
  strong: 1,
  dim: 2,
  reverse: 7,
  error: 31,
  ok: 32,
  warning: 33,
  blue: 34,
  magenta: 35,
  note: 36
} as const

export type Style = keyof typeof codes

/** The escape sequence that ends every style. */
export const plainAgain = "\u001b[0m"

const sequences: ReadonlySet<string> = new Set([
  plainAgain,
  ...Object.values(codes).map((code) => `\u001b[${code}m`)
])

/** Whether a text is one of the sequences that \`styled\` writes. */
export const isStyle = (text: string): boolean => sequences.has(text)

/** Returns the text in a style; without a style, or without a text, as it is. */
export const styled = (style: Style | undefined, text: string): string =>
  style === undefined || text === "" ? text : `\u001b[${codes[style]}m${text}${plainAgain}`

const stateStyles: Readonly<Record<string, Style>> = {
  running: "ok",
  finished: "ok",
  starting: "note",
  stopping: "warning",
  restarting: "warning",
  waiting: "warning",
  failed: "error"
}

/** The style of a worker's state, by its word on the wire. Undefined for a word that a newer daemon may send. */
export const stateStyle = (state: string): Style | undefined =>
  Object.hasOwn(stateStyles, state) ? stateStyles[state] : undefined
