import { assert, describe, it } from "@effect/vitest"
import {
  isNewDecision,
  isSummaryDue,
  onPlentiful,
  onReported,
  onShort
} from "../../../src/Domain/guard/ShortageReports.ts"

describe("the reports of a shortage", () => {
  const begun = onReported(onShort(undefined, 1000), "nothing", 1000)

  it("contain each decision once, also when memory is plentiful for a moment", () => {
    assert.isFalse(isNewDecision(begun, "nothing"))
    assert.isTrue(isNewDecision(begun, "something"))
    const flapped = onShort(onPlentiful(begun, 2000), 3000)
    assert.deepStrictEqual(flapped, begun)
  })

  it("begin again with another shortage, after a lasting relief", () => {
    const relieved = onPlentiful(onPlentiful(begun, 2000), 20_000)
    assert.strictEqual(relieved?.plentifulSinceMs, 2000)
    const again = onShort(relieved, 32_000)
    assert.isTrue(isNewDecision(again, "nothing"))
    assert.deepStrictEqual([again.sinceMs, again.ended], [32_000, 0])
  })

  it("contain a summary after a minute without a report", () => {
    assert.isFalse(isSummaryDue(begun, 60_999))
    assert.isTrue(isSummaryDue(begun, 61_000))
    assert.isFalse(isSummaryDue(onReported(begun, "nothing", 61_000), 120_000))
  })

  it("do not begin while memory is plentiful", () => {
    assert.isUndefined(onPlentiful(undefined, 1))
  })
})
