import { assert, describe, it } from "@effect/vitest"
import { isNews, isSummaryDue, onPlentiful, onShort, onTold } from "../../../src/Domain/guard/GuardTelling.ts"

describe("what people are told while memory is short", () => {
  const begun = onTold(onShort(undefined, 1000), "nobody", 1000)

  it("is each decision once, also when memory is plentiful for a moment in between", () => {
    assert.isFalse(isNews(begun, "nobody"))
    assert.isTrue(isNews(begun, "somebody"))
    const flapped = onShort(onPlentiful(begun, 2000), 3000)
    assert.deepStrictEqual(flapped, begun)
  })

  it("is told again in another shortage, which follows a relief that has lasted", () => {
    const relieved = onPlentiful(onPlentiful(begun, 2000), 20_000)
    assert.strictEqual(relieved?.plentifulSinceMs, 2000)
    const again = onShort(relieved, 32_000)
    assert.isTrue(isNews(again, "nobody"))
    assert.deepStrictEqual([again.sinceMs, again.ended], [32_000, 0])
  })

  it("is a summary when nothing was told for a minute", () => {
    assert.isFalse(isSummaryDue(begun, 60_999))
    assert.isTrue(isSummaryDue(begun, 61_000))
    assert.isFalse(isSummaryDue(onTold(begun, "nobody", 61_000), 120_000))
  })

  it("is nothing while there is plenty and was", () => {
    assert.isUndefined(onPlentiful(undefined, 1))
  })
})
