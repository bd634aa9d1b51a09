import { isDeepStrictEqual } from "node:util"
import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { isEqual, latest } from "../../../src/Layers/concurrency/Latest.ts"

/** Plain data with absent and undefined fields, of few values, so that equal ones are frequent. */
const data = FastCheck.letrec((tie) => ({
  value: FastCheck.oneof(
    { maxDepth: 3 },
    FastCheck.constantFrom(0, 1, "", "a", null, undefined, true),
    FastCheck.array(tie("value"), { maxLength: 3 }),
    FastCheck.dictionary(FastCheck.constantFrom("a", "b"), tie("value"), {
      maxKeys: 2,
      noNullPrototype: true
    })
  )
})).value

describe("the comparison of plain data", () => {
  it("is that of Node", () => {
    FastCheck.assert(
      FastCheck.property(data, data, (one, other) => {
        assert.strictEqual(isEqual(one, other), isDeepStrictEqual(one, other))
        assert.isTrue(isEqual(one, structuredClone(one)))
      }),
      { numRuns: 2000 }
    )
  })

  it("takes what is no plain data for different, unless it is the same object", () => {
    for (const make of [() => new Map(), () => new Set(), () => new Date(0), () => Number.NaN]) {
      const one = make()
      assert.isFalse(isEqual(one, make()))
      assert.strictEqual(isEqual(one, one), typeof one === "object")
    }
  })
})

describe("the latest value", () => {
  it("is derived again for another key only", () => {
    const derived: Array<ReadonlyArray<number>> = []
    const of = latest((key: ReadonlyArray<number>) => {
      derived.push(key)
      return { sum: key.reduce((a, b) => a + b, 0) }
    }, isEqual)
    const first = of([1, 2])
    assert.strictEqual(of([1, 2]), first)
    assert.deepStrictEqual(of([1, 3]), { sum: 4 })
    assert.deepStrictEqual(of([1, 2]), { sum: 3 })
    assert.deepStrictEqual(derived, [
      [1, 2],
      [1, 3],
      [1, 2]
    ])
  })
})
