/** Names longer than this are not compared: nobody mistypes by that much, and the work grows with the product. */
const maxLength = 64

/**
 * The number of single slips between two words: a letter too many, one missing, a wrong one, or two neighbours
 * swapped (optimal string alignment distance). Letters are compared without case.
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

/** How many slips are forgiven between two words: one, and one more for every three letters of the longer. */
const forgiven = (left: string, right: string): number =>
  Math.max(1, Math.floor(Math.max(left.length, right.length) / 3))

/**
 * The name somebody most likely meant by `given`: the only one that begins with it, for `stat` is `status` cut short
 * and not `start` with a slip; else one a single slip away, else the nearest within reach. Undefined when nothing is
 * near, because a wrong suggestion is worse than none. Among equally near names the first one wins.
 */
export const nearestName = (given: string, names: ReadonlyArray<string>): string | undefined => {
  if (given.length === 0 || given.length > maxLength) return undefined
  let nearest: string | undefined
  let fewest = Number.POSITIVE_INFINITY
  for (const name of names) {
    if (name.length > maxLength) continue
    const found = slips(given, name)
    // A name of which not one letter is right is no suggestion, however short it is.
    if (found <= forgiven(given, name) && found < Math.min(fewest, name.length)) {
      fewest = found
      nearest = name
    }
  }
  if (fewest === 0) return nearest
  const longer = [...new Set(names)].filter((name) => name.toLowerCase().startsWith(given.toLowerCase()))
  return longer.length === 1 ? longer[0] : nearest
}
