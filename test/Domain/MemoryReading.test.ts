import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { parseMemInfo } from "../../src/Domain/MemoryReading.ts"

const text = (...lines: ReadonlyArray<string>) => `${lines.join("\n")}\n`

describe("/proc/meminfo", () => {
  it("gives total and available memory in bytes", () => {
    const reading = parseMemInfo(
      text(
        "MemTotal:       24684096 kB",
        "MemFree:        1024 kB",
        "MemAvailable:   2048 kB",
        "SwapTotal: 0 kB"
      )
    )
    assert.deepStrictEqual(reading, { totalBytes: 24_684_096 * 1024, availableBytes: 2048 * 1024 })
  })

  it("of a kernel without MemAvailable gives the free memory, which is never too much", () => {
    const reading = parseMemInfo(text("MemTotal:  100 kB", "MemFree:  10 kB"))
    assert.deepStrictEqual(reading, { totalBytes: 102_400, availableBytes: 10_240 })
  })

  it("that is none gives nothing instead of a false figure", () => {
    for (const odd of [
      "",
      "MemTotal: x kB\nMemAvailable: 1 kB\n",
      "MemTotal: 5 MB\n",
      "MemAvailable: 1 kB\n"
    ]) {
      assert.isUndefined(parseMemInfo(odd))
    }
  })

  it("of whatever content never throws", () => {
    FastCheck.assert(FastCheck.property(FastCheck.string(), (odd) => void parseMemInfo(odd)))
  })
})
