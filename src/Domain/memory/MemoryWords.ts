import { humanBytes } from "../text/Amounts.ts"
import type { MemoryLevel } from "./MemoryLevel.ts"
import type { MemoryFigures } from "./MemorySample.ts"

const percent = (perMille: number): string => `${perMille / 10} %`

/** `some processes waited for memory 1.2 % of the time, all at once 0.3 %`. */
export const describePressure = (somePerMille: number, fullPerMille: number): string =>
  `some processes waited for memory ${percent(somePerMille)} of the time, all at once ${percent(fullPerMille)}`

const opening = ({ level }: MemoryFigures, before: MemoryLevel): string => {
  if (level === "plentiful") return "Memory is plentiful again"
  return before === "critical" ? "Memory is no longer critical, but low" : `Memory is ${level}`
}

const position = ({ criticalBytes, level, minAvailableBytes }: MemoryFigures): string => {
  if (level === "critical") return `below ${humanBytes(criticalBytes)}`
  const low = humanBytes(minAvailableBytes)
  return level === "low" ? `below ${low} (critical: below ${humanBytes(criticalBytes)})` : `low: below ${low}`
}

/** The text of a change of level. */
export const describeLevel = (figures: MemoryFigures, before: MemoryLevel): string => {
  const { boundBy, pressureFullPerMille, pressureSomePerMille, swapFreeBytes, swapTotalBytes } = figures
  return [
    `${opening(figures, before)}: ${humanBytes(figures.availableBytes)} of ${humanBytes(figures.totalBytes)} available`,
    position(figures),
    ...(boundBy === undefined ? [] : [`limited by the cgroup ${boundBy}`]),
    ...(swapTotalBytes === 0
      ? []
      : [`swap: ${humanBytes(swapFreeBytes)} of ${humanBytes(swapTotalBytes)} free`]),
    ...(pressureSomePerMille === undefined || pressureSomePerMille === 0
      ? []
      : [describePressure(pressureSomePerMille, pressureFullPerMille ?? 0)])
  ].join(", ")
}
