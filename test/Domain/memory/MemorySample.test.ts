import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { DaemonEvent, describeEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { figuresOf, memorySample } from "../../../src/Domain/memory/MemorySample.ts"
import { describeLevel } from "../../../src/Domain/memory/MemoryWords.ts"
import { readingOf as reading } from "../../fixtures/MemorySamples.ts"

const gib = 2 ** 30
const thresholds = { minAvailableBytes: 2 * gib, criticalBytes: gib }

describe("a change of the memory's level", () => {
  it("is reported with its figures, without those that are unknown", () => {
    assert.strictEqual(
      describeLevel(figuresOf(memorySample(reading(1.5 * gib), undefined, thresholds)), "plentiful"),
      "Memory is low: 1.5 GiB of 16 GiB available, below 2 GiB (critical: below 1 GiB)"
    )
    const all = memorySample(
      reading(gib / 2, { boundBy: "/sys/fs/cgroup/x", swapTotalBytes: 4 * gib, swapFreeBytes: gib }),
      { some: 0.25, full: 0.0123 },
      thresholds
    )
    assert.strictEqual(
      describeLevel(figuresOf(all), "low"),
      "Memory is critical: 512 MiB of 16 GiB available, below 1 GiB, limited by the cgroup /sys/fs/cgroup/x, " +
        "swap: 1 GiB of 4 GiB free, some processes waited for memory 25 % of the time, all at once 1.2 %"
    )
  })

  it("for the better says so", () => {
    assert.strictEqual(
      describeLevel(figuresOf(memorySample(reading(9 * gib), undefined, thresholds)), "low"),
      "Memory is plentiful again: 9 GiB of 16 GiB available, low: below 2 GiB"
    )
    assert.match(
      describeLevel(figuresOf(memorySample(reading(1.5 * gib), undefined, thresholds)), "critical"),
      /^Memory is no longer critical, but low: /
    )
  })

  it("is an event of its own severity, which survives writing and reading", () => {
    const levels = [9 * gib, 1.5 * gib, 0].map((availableBytes) => {
      const figures = figuresOf(memorySample(reading(availableBytes), { some: 0.1, full: 0 }, thresholds))
      const event: DaemonEvent = { _tag: "MemoryLevelChanged", before: "critical", ...figures }
      assert.deepStrictEqual(
        Schema.decodeUnknownSync(DaemonEvent)(Schema.encodeSync(DaemonEvent)(event)),
        event
      )
      return describeEvent(event).level
    })
    assert.deepStrictEqual(levels, ["info", "warning", "error"])
  })
})
