import { assert, describe, it } from "@effect/vitest"
import { inARow, longestHoldMs, mayStart, shortestHoldMs } from "../../../src/Domain/guard/MemoryHold.ts"
import type { MemoryLevel } from "../../../src/Domain/memory/MemoryLevel.ts"
import { sampleOf } from "../../fixtures/MemorySamples.ts"
import { defaultPolicy } from "../../fixtures/policies.ts"

const availableBytes: Readonly<Record<MemoryLevel, number>> = { plentiful: 3000, low: 1500, critical: 500 }

const lookAt = (level: MemoryLevel) =>
  sampleOf(availableBytes[level], {}, { minAvailableBytes: 2000, criticalBytes: 1000 })

describe("a worker that was restarted for memory", () => {
  it("starts as soon as memory is plentiful, and after the longest hold unless memory is critical", () => {
    const rows = (["plentiful", "low", "critical"] as const).map((level) => [
      level,
      mayStart(0, 0, lookAt(level)),
      mayStart(longestHoldMs - 1, 0, lookAt(level)),
      mayStart(longestHoldMs, 0, lookAt(level))
    ])
    assert.deepStrictEqual(rows, [
      ["plentiful", true, true, true],
      ["low", false, false, true],
      ["critical", false, false, false]
    ])
  })

  it("is not held for ever while memory cannot be read", () => {
    assert.isFalse(mayStart(longestHoldMs - 1, 0, undefined))
    assert.isTrue(mayStart(longestHoldMs, 0, undefined))
  })

  it("waits at least for the minimum delay, however much memory there is", () => {
    assert.isFalse(mayStart(999, 1000, lookAt("plentiful")))
    assert.isTrue(mayStart(1000, 1000, lookAt("plentiful")))
  })

  it("waits as long as after failures when it had hardly run, and resets that delay after a longer run", () => {
    const { successThresholdMs } = defaultPolicy
    let row = 0
    const waits = [successThresholdMs, 10, 10, 10, successThresholdMs, 10].map((uptimeMs) => {
      row = inARow(row, uptimeMs, defaultPolicy)
      return shortestHoldMs(row, defaultPolicy)
    })
    assert.deepStrictEqual(waits, [0, 1000, 2000, 4000, 0, 1000])
  })
})
