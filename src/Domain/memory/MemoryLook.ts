import * as Schema from "effect/Schema"
import type { MemoryPressure } from "../machine/MemoryPressure.ts"
import type { MemoryReading } from "../machine/MemoryReading.ts"
import type { MemoryThresholds } from "../settings/MemoryThresholds.ts"
import { humanBytes } from "../text/Amounts.ts"
import { perhaps } from "../Wire.ts"
import { levelOf, MemoryLevel } from "./MemoryLevel.ts"

/** What one look at the memory has shown, and what that means with the thresholds of that moment. */
export interface MemoryLook {
  readonly reading: MemoryReading
  /** Of the time since the look before; undefined where it is not known. */
  readonly pressure: MemoryPressure | undefined
  readonly thresholds: MemoryThresholds
  readonly level: MemoryLevel
}

export const memoryLook = (
  reading: MemoryReading,
  pressure: MemoryPressure | undefined,
  thresholds: MemoryThresholds
): MemoryLook => ({ reading, pressure, thresholds, level: levelOf(reading, thresholds) })

/** A look in whole numbers, as it is told and written down. */
export const MemoryFigures = Schema.Struct({
  level: MemoryLevel,
  availableBytes: Schema.Int,
  totalBytes: Schema.Int,
  minAvailableBytes: Schema.Int,
  criticalBytes: Schema.Int,
  swapTotalBytes: Schema.Int,
  swapFreeBytes: Schema.Int,
  /** The folder of the cgroup that leaves less than the machine has; absent where the machine binds. */
  boundBy: perhaps(Schema.String),
  /** Thousandths of the time in which at least one process waited for memory. */
  pressureSomePerMille: perhaps(Schema.Int),
  /** The same, for all processes at once. */
  pressureFullPerMille: perhaps(Schema.Int)
})
export type MemoryFigures = typeof MemoryFigures.Type

/** The figures of a look. */
export const figuresOf = ({ level, pressure, reading, thresholds }: MemoryLook): MemoryFigures => ({
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

const percent = (perMille: number): string => `${perMille / 10} %`

/** How long processes waited, in words: `some processes waited for it 1.2 % of the time, all at once 0.3 %`. */
export const describePressure = (somePerMille: number, fullPerMille: number): string =>
  `some processes waited for it ${percent(somePerMille)} of the time, all at once ${percent(fullPerMille)}`

const opening = ({ level }: MemoryFigures, before: MemoryLevel): string => {
  if (level === "plentiful") return "Memory is plentiful again"
  return before === "critical" ? "Memory is no longer critical, but low" : `Memory is ${level}`
}

const position = ({ criticalBytes, level, minAvailableBytes }: MemoryFigures): string => {
  if (level === "critical") return `below ${humanBytes(criticalBytes)}`
  const low = humanBytes(minAvailableBytes)
  return level === "low" ? `below ${low} (critical: below ${humanBytes(criticalBytes)})` : `low: below ${low}`
}

/** A change of the level as a person reads it, with the figures that have led to it. */
export const describeLevel = (figures: MemoryFigures, before: MemoryLevel): string => {
  const { boundBy, pressureFullPerMille, pressureSomePerMille, swapFreeBytes, swapTotalBytes } = figures
  return [
    `${opening(figures, before)}: ${humanBytes(figures.availableBytes)} of ${humanBytes(figures.totalBytes)} available`,
    position(figures),
    ...(boundBy === undefined ? [] : [`by the limit of the cgroup ${boundBy}`]),
    ...(swapTotalBytes === 0
      ? []
      : [`swap: ${humanBytes(swapFreeBytes)} of ${humanBytes(swapTotalBytes)} free`]),
    ...(pressureSomePerMille === undefined || pressureSomePerMille === 0
      ? []
      : [describePressure(pressureSomePerMille, pressureFullPerMille ?? 0)])
  ].join(", ")
}
