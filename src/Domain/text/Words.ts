/** Joins names: `a`, `a and b`, `a, b and c`. */
export const listed = (names: ReadonlyArray<string>, conjunction: "and" | "or" = "and"): string =>
  names.length < 2
    ? names.join("")
    : `${names.slice(0, -1).join(", ")} ${conjunction} ${names.slice(-1).join("")}`

/** A sentence without its full stop, for a place that adds one or goes on. */
export const openEnded = (sentence: string): string => sentence.replace(/\.$/, "")
