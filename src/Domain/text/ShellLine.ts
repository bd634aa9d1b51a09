import { printable } from "./Printable.ts"

/** A word that a shell would take apart is quoted. */
const shellWord = (word: string): string =>
  /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`

/** Longer command lines end in `...`: one of pages would hide the rest. */
const maxShownLength = 400

/** A command line as a person can copy it into a shell; control characters in it cannot drive the terminal. */
export const shellLine = (argv: ReadonlyArray<string>, maxLength = maxShownLength): string =>
  printable(argv.map(shellWord).join(" "), maxLength)
