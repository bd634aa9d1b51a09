import { assert, describe, it } from "@effect/vitest"
import { randomDigits, randomUuid } from "../../../src/Layers/files/RandomId.ts"

describe("a random id", () => {
  it("is a UUID of version 4, and another one each time", () => {
    const ids = Array.from({ length: 100 }, randomUuid)
    for (const id of ids)
      assert.match(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    assert.strictEqual(new Set(ids).size, ids.length)
  })

  it("has as many digits as were wanted, each of them random", () => {
    const seen = Array.from({ length: 12 }, () => new Set<string>())
    for (let round = 0; round < 400; round++) {
      const digits = randomDigits(12)
      assert.match(digits, /^[0-9a-f]{12}$/)
      for (const [place, digit] of [...digits].entries()) seen[place]?.add(digit)
    }
    for (const digits of seen) assert.isAbove(digits.size, 10)
  })
})
