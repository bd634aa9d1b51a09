const isPlain = (value: object): value is Readonly<Record<string, unknown>> =>
  Object.getPrototypeOf(value) === Object.prototype

/**
 * Whether two values are the same, or lists or plain objects of equal values. Anything else counts as different, such as a
 * Map. Takes a tenth of the time of `isDeepStrictEqual`, which compares what plain data does not have.
 */
export const isEqual = (one: unknown, other: unknown): boolean => {
  if (one === other) return true
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false
  if (Array.isArray(one)) {
    return (
      Array.isArray(other) &&
      one.length === other.length &&
      one.every((item, index) => isEqual(item, other[index]))
    )
  }
  if (!isPlain(one) || !isPlain(other)) return false
  for (const key in one) if (!(key in other && isEqual(one[key], other[key]))) return false
  for (const key in other) if (!(key in one)) return false
  return true
}

/** Derives a value from a key, but returns the last one again for the last key. */
export const latest = <K, A>(
  derive: (key: K) => A,
  isSame: (one: K, other: K) => boolean = Object.is
): ((key: K) => A) => {
  let last: { readonly key: K; readonly value: A } | undefined
  return (key) => {
    if (last === undefined || !isSame(last.key, key)) last = { key, value: derive(key) }
    return last.value
  }
}
