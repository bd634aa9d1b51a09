/** Longer names are not compared: the work grows with the product of the lengths. */
const maxLength = 64

/**
 * Returns the optimal string alignment distance of two words, without case: the number of letters inserted, left out,
 * replaced, or swapped with their neighbour.
 */
const slips = (left: string, right: string): number => {
  const a = left.toLowerCase()
  const b = right.toLowerCase()
  let beforePrevious: ReadonlyArray<number> = []
  let previous: ReadonlyArray<number> = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      const above = previous[column] ?? 0
      const before = current[column - 1] ?? 0
      const diagonal = previous[column - 1] ?? 0
      let best = Math.min(above + 1, before + 1, diagonal + (same ? 0 : 1))
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) best = Math.min(best, (beforePrevious[column - 2] ?? 0) + 1)
      current.push(best)
    }
    beforePrevious = previous
    previous = current
  }
  return previous[b.length] ?? 0
}

/** The largest distance of a suggestion: one slip for every three letters of the longer word, and at least one. */
const forgiven = (left: string, right: string): number =>
  Math.max(1, Math.floor(Math.max(left.length, right.length) / 3))

/**
 * Returns the name that `given` most likely means: the only one that begins with it (`stat` is `status` cut short, not
 * `start` with a slip), else the nearest one; the first of several equally near. Undefined when no name is near, because
 * a wrong suggestion is worse than none.
 */
export const nearestName = (given: string, names: ReadonlyArray<string>): string | undefined => {
  if (given.length === 0 || given.length > maxLength) return undefined
  let nearest: string | undefined
  let fewest = Number.POSITIVE_INFINITY
  for (const name of names) {
    if (name.length > maxLength) continue
    const found = slips(given, name)
    // As many slips as letters means that no letter is right: that is no suggestion for a short name.
    if (found <= forgiven(given, name) && found < Math.min(fewest, name.length)) {
      fewest = found
      nearest = name
    }
  }
  if (fewest === 0) return nearest
  const longer = [...new Set(names)].filter((name) => name.toLowerCase().startsWith(given.toLowerCase()))
  return longer.length === 1 ? longer[0] : nearest
}
