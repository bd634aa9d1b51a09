import * as FastCheck from "effect/FastCheck"

/** The bytes, cut at these places, in thousandths of their length. */
export const chunked = (bytes: Buffer, places: ReadonlyArray<number>): ReadonlyArray<Buffer> => {
  const at = [
    0,
    ...places.map((place) => Math.floor((place / 1000) * bytes.length)).toSorted((a, b) => a - b),
    bytes.length
  ]
  return at.slice(1).map((to, index) => bytes.subarray(at[index], to))
}

export const places = FastCheck.array(FastCheck.integer({ min: 0, max: 1000 }), { maxLength: 12 })
