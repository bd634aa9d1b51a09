import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  nextWindow,
  noWindow,
  type PressureSample,
  type PressureWindow,
  parsePressure
} from "../../../src/Domain/machine/MemoryPressure.ts"

const text = (some: number | string, full: number | string) =>
  `some avg10=1.00 avg60=0.00 avg300=0.00 total=${some}\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=${full}\n`

describe("/proc/pressure/memory", () => {
  it("gives both totals in microseconds", () => {
    assert.deepStrictEqual(parsePressure(text(1234, 56)), { someMicros: 1234, fullMicros: 56 })
  })

  it("with any content never throws, and gives totals or nothing", () => {
    assert.isUndefined(parsePressure(""))
    assert.isUndefined(parsePressure(text("x", 1)))
    assert.isUndefined(parsePressure(text(1, "")))
    const total = FastCheck.oneof(FastCheck.bigInt().map(String), FastCheck.string())
    const content = FastCheck.oneof(
      FastCheck.string(),
      FastCheck.tuple(total, total).map((both) => text(...both))
    )
    FastCheck.assert(
      FastCheck.property(content, (odd) => {
        for (const micros of Object.values(parsePressure(odd) ?? {})) {
          assert.isTrue(Number.isSafeInteger(micros) && micros >= 0)
        }
      })
    )
  })
})

const sample = (some: number, full: number, monotonicMs: number, wallMs = monotonicMs): PressureSample => ({
  totals: { someMicros: some, fullMicros: full },
  monotonicMs,
  wallMs
})

const after = (...samples: ReadonlyArray<PressureSample | undefined>): PressureWindow =>
  samples.reduce<PressureWindow>(nextWindow, noWindow)

describe("pressure", () => {
  it("is unknown at the first sample, then the share of time since the previous one", () => {
    assert.isUndefined(after(sample(5000, 5000, 100)).pressure)
    assert.deepStrictEqual(after(sample(5000, 1000, 100), sample(255_000, 101_000, 1100)).pressure, {
      some: 0.25,
      full: 0.1
    })
    assert.deepStrictEqual(
      after(sample(0, 0, 0), sample(255_000, 101_000, 1000), sample(255_000, 101_000, 2000)).pressure,
      { some: 0, full: 0 }
    )
  })

  it("is unknown for a window in which the machine slept or its clock was set, and known for the next one", () => {
    for (const wallMs of [3_600_000, -3_600_000]) {
      const jumped = [sample(0, 0, 0), sample(100_000, 0, 1000, 1000 + wallMs)]
      assert.isUndefined(after(...jumped).pressure)
      assert.deepStrictEqual(after(...jumped, sample(200_000, 0, 2000, 2000 + wallMs)).pressure, {
        some: 0.1,
        full: 0
      })
    }
  })

  it("is known while a clock is slewed, and when a sample is late because memory is short", () => {
    assert.isDefined(after(sample(0, 0, 0), sample(1, 0, 5000, 5400)).pressure)
    assert.isDefined(after(sample(0, 0, 0), sample(1, 0, 60_000)).pressure)
  })

  it("is unknown without the kernel's totals, or when they go backwards", () => {
    assert.isUndefined(after(sample(0, 0, 0), undefined).pressure)
    assert.isUndefined(after(sample(0, 0, 0), undefined, sample(9, 0, 2000)).pressure)
    assert.isUndefined(after(sample(9000, 0, 0), sample(10, 0, 1000)).pressure)
  })

  it("is not computed for a window that is too short: the previous value stays, and the window continues", () => {
    const first = [sample(0, 0, 0), sample(100_000, 0, 1000)]
    assert.strictEqual(after(...first, sample(110_000, 0, 1010)).pressure?.some, 0.1)
    assert.strictEqual(
      after(...first, sample(110_000, 0, 1010), sample(120_000, 0, 1100)).pressure?.some,
      0.2
    )
  })

  it("is a share from 0 to 1 whatever the samples are", () => {
    const any = FastCheck.record({
      totals: FastCheck.record({ someMicros: FastCheck.nat(), fullMicros: FastCheck.nat() }),
      monotonicMs: FastCheck.nat(100_000),
      wallMs: FastCheck.nat(100_000)
    })
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.option(any, { nil: undefined })), (samples) => {
        const { pressure } = after(...samples)
        for (const share of Object.values(pressure ?? {})) assert.isTrue(share >= 0 && share <= 1)
      })
    )
  })
})
