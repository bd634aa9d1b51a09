import * as Schema from "effect/Schema"
import type { MemoryPressure } from "../machine/MemoryPressure.ts"
import type { MemoryReading } from "../machine/MemoryReading.ts"
import type { MemoryThresholds } from "../settings/MemoryThresholds.ts"
import { perhaps } from "../Wire.ts"
import { levelOf, MemoryLevel } from "./MemoryLevel.ts"

/** A reading of memory with the thresholds of that moment, and the level. */
export interface MemorySample {
  readonly reading: MemoryReading
  /** Since the previous sample; undefined if unknown. */
  readonly pressure: MemoryPressure | undefined
  readonly thresholds: MemoryThresholds
  readonly level: MemoryLevel
}

export const memorySample = (
  reading: MemoryReading,
  pressure: MemoryPressure | undefined,
  thresholds: MemoryThresholds
): MemorySample => ({ reading, pressure, thresholds, level: levelOf(reading, thresholds) })

/** A sample in whole numbers, for events and files. */
export const MemoryFigures = Schema.Struct({
  level: MemoryLevel,
  availableBytes: Schema.Int,
  totalBytes: Schema.Int,
  minAvailableBytes: Schema.Int,
  criticalBytes: Schema.Int,
  swapTotalBytes: Schema.Int,
  swapFreeBytes: Schema.Int,
  /** The folder of the cgroup that leaves less than the machine has; absent without such a cgroup. */
  boundBy: perhaps(Schema.String),
  /** Thousandths of the time in which at least one process waited for memory. */
  pressureSomePerMille: perhaps(Schema.Int),
  /** Thousandths of the time in which all processes waited. */
  pressureFullPerMille: perhaps(Schema.Int)
})
export type MemoryFigures = typeof MemoryFigures.Type

export const figuresOf = ({ level, pressure, reading, thresholds }: MemorySample): MemoryFigures => ({
  level,
  availableBytes: reading.availableBytes,
  totalBytes: reading.totalBytes,
  minAvailableBytes: thresholds.minAvailableBytes,
  criticalBytes: thresholds.criticalBytes,
  swapTotalBytes: reading.swapTotalBytes,
  swapFreeBytes: reading.swapFreeBytes,
  ...(reading.boundBy === undefined ? {} : { boundBy: reading.boundBy }),
  ...(pressure === undefined
    ? {}
    : {
        pressureSomePerMille: Math.round(pressure.some * 1000),
        pressureFullPerMille: Math.round(pressure.full * 1000)
      })
})
