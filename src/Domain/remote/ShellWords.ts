/**
 * Quotes a text as one word that bash, dash, zsh, fish and tcsh read alike. Quotes alone do not do: fish reads backslashes
 * inside them, and tcsh reads `!`. No newline can stand in it, because tcsh has no form for one that sh reads alike.
 */
export const shellWord = (text: string): string =>
  text === ""
    ? "''"
    : text
        .split(/([\\'!])/)
        .map((part, at) => (at % 2 === 1 ? `\\${part}` : part === "" ? "" : `'${part}'`))
        .join("")

/** Whether words can only be handed over in the form of `printfWord`. */
export const needPrintf = (words: ReadonlyArray<string>): boolean => words.some((word) => word.includes("\n"))

/** A text without newlines, which `printf %b` of POSIX turns back. */
export const printfWord = (text: string): string =>
  text.replace(/[\\\n]/g, (character) => (character === "\n" ? "\\0012" : "\\0134"))

/** A line of sh that turns its arguments back. `$(...)` drops newlines at the end, so an x stands behind them. */
export const turnBack = 'for w; do shift; w=$(printf %bx "$w"); set -- "$@" "${w%x}"; done'
