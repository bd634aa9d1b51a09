/** A class such as `\S` or `\p{Lu}` is no capital letter of the text that a user looks for. */
const classes = /\\(?:[pP]\{[^}]*\}|[^])/g

const hasCapital = (pattern: string): boolean => /\p{Lu}/u.test(pattern.replace(classes, ""))

/**
 * A regular expression that ignores case unless the pattern has a capital letter, and whose `^` and `$` stand for the
 * beginning and end of each line of an entry. Undefined where the pattern is none.
 */
export const searchPattern = (pattern: string): RegExp | undefined => {
  try {
    return new RegExp(pattern, hasCapital(pattern) ? "m" : "im")
  } catch {
    return undefined
  }
}
