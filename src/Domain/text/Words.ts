/** Joins names: `a`, `a and b`, `a, b and c`. */
export const listed = (names: ReadonlyArray<string>, conjunction: "and" | "or" = "and"): string =>
  names.length < 2
    ? names.join("")
    : `${names.slice(0, -1).join(", ")} ${conjunction} ${names.slice(-1).join("")}`
