import { printable } from "./Printable.ts"

/** Quotes a word that a shell would split or expand. */
const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`

/** In characters. A longer command line ends in `...`. */
const maxShownLength = 400

/** Formats a command line that can be copied into a shell, unless it holds control characters, which are escaped. */
export const shellLine = (argv: ReadonlyArray<string>, maxLength = maxShownLength): string =>
  printable(argv.map(shellWord).join(" "), maxLength)
