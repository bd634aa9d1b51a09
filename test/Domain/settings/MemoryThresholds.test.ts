import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { thresholdsInForce } from "../../../src/Domain/settings/MemoryThresholds.ts"
import { humanBytes } from "../../../src/Domain/text/Amounts.ts"

const gib = 2 ** 30
type Figures = { readonly minAvailableBytes?: number; readonly criticalThresholdBytes?: number }

const inForce = (set: Figures, total: number) => Either.getOrThrow(thresholdsInForce(set, total))
const refusals = (set: Figures, total: number) =>
  Either.getOrThrow(Either.flip(thresholdsInForce(set, total))).map(
    ({ path, reason }) => `${path.join(".")} ${reason}`
  )

describe("thresholdsInForce", () => {
  it("are 2 GiB and 1 GiB on a large machine", () => {
    assert.deepStrictEqual(inForce({}, 32 * gib), { minAvailableBytes: 2 * gib, criticalBytes: gib })
  })

  it("are 20 % and 10 % of a small machine", () => {
    assert.deepStrictEqual(inForce({}, 1000), { minAvailableBytes: 200, criticalBytes: 100 })
  })

  it("are those of the settings", () => {
    const set = { minAvailableBytes: 3 * gib, criticalThresholdBytes: 2 * gib }
    assert.deepStrictEqual(inForce(set, 8 * gib), { minAvailableBytes: 3 * gib, criticalBytes: 2 * gib })
  })

  it("are refused from 80 % of the memory on, with both figures", () => {
    assert.deepStrictEqual(refusals({ minAvailableBytes: 4 * gib }, 5 * gib), [
      "memory.min_available_bytes is 4 GiB of the 5 GiB that this machine or container has: it must be below 80 % of that, 4 GiB"
    ])
    assert.deepStrictEqual(
      inForce({ minAvailableBytes: 4 * gib - 1 }, 5 * gib).minAvailableBytes,
      4 * gib - 1
    )
    assert.lengthOf(refusals({ minAvailableBytes: 9 * gib, criticalThresholdBytes: 8 * gib }, 4 * gib), 2)
  })

  it("are refused when critical is not below the other, also when one of them is scaled", () => {
    assert.deepStrictEqual(refusals({ minAvailableBytes: gib / 2 }, 32 * gib), [
      "memory.min_available_bytes (512 MiB) must be above memory.critical_threshold_bytes (1 GiB, the default on this machine): set both"
    ])
    assert.deepStrictEqual(refusals({ criticalThresholdBytes: 2 * gib }, 32 * gib), [
      "memory.critical_threshold_bytes (2 GiB) must be below memory.min_available_bytes (2 GiB, the default on this machine)"
    ])
  })

  it("put critical below low on every machine, or are refused", () => {
    const amount = FastCheck.option(FastCheck.nat(64), { nil: undefined })
    FastCheck.assert(
      FastCheck.property(
        amount,
        amount,
        FastCheck.integer({ min: 64, max: 2 ** 40 }),
        (low, critical, total) => {
          const set = {
            ...(low === undefined ? {} : { minAvailableBytes: low * gib }),
            ...(critical === undefined ? {} : { criticalThresholdBytes: critical * gib })
          }
          Either.match(thresholdsInForce(set, total), {
            onLeft: (problems) => assert.isTrue(problems.length > 0 && (low ?? critical) !== undefined),
            onRight: ({ criticalBytes, minAvailableBytes }) =>
              assert.isBelow(criticalBytes, minAvailableBytes)
          })
        }
      )
    )
  })
})

describe("humanBytes", () => {
  it.each([
    [0, "0 bytes"],
    [1, "1 byte"],
    [1023, "1023 bytes"],
    [1024, "1 KiB"],
    [524_288_000, "500 MiB"],
    [1.5 * gib, "1.5 GiB"],
    [gib - 1, "1 GiB"],
    [2 ** 50, "1 PiB"],
    [2 ** 61, "2048 PiB"]
  ])("%d is %s", (bytes, text) => assert.strictEqual(humanBytes(bytes), text))
})
