import * as Either from "effect/Either"
import { humanBytes } from "../text/Amounts.ts"
import type { MemorySettings } from "./MemorySettings.ts"
import type { KeyProblem } from "./SettingsProblem.ts"

/** The thresholds in force on a machine, in bytes. */
export interface MemoryThresholds {
  readonly minAvailableBytes: number
  readonly criticalBytes: number
}

const gibibyte = 2 ** 30

/** An idle machine would be below a threshold of this share of its memory. */
const highestShare = 0.8

type SetThresholds = Pick<MemorySettings, "minAvailableBytes" | "criticalThresholdBytes">

const tooHigh = (key: string, bytes: number | undefined, totalBytes: number): ReadonlyArray<KeyProblem> => {
  const highest = totalBytes * highestShare
  if (bytes === undefined || bytes < highest) return []
  const figures = `${humanBytes(bytes)} of the ${humanBytes(totalBytes)} that this machine or container has`
  return [
    {
      path: ["memory", key],
      reason: `is ${figures}: it must be below 80 % of that, ${humanBytes(Math.floor(highest))}`
    }
  ]
}

const figure = (inForce: number, set: number | undefined): string =>
  `${humanBytes(inForce)}${set === undefined ? ", the default on this machine" : ""}`

/** The default thresholds: 2 GiB and 1 GiB, less on a small machine. */
export const scaledThresholds = (effectiveTotalBytes: number): MemoryThresholds => ({
  minAvailableBytes: Math.min(2 * gibibyte, Math.floor(effectiveTotalBytes * 0.2)),
  criticalBytes: Math.min(gibibyte, Math.floor(effectiveTotalBytes * 0.1))
})

/**
 * The thresholds in force, or what is wrong with those that are set. `effectiveTotalBytes` is the smaller of the
 * machine's memory and the limit of the daemon's cgroup. A threshold that is not set is scaled to it.
 */
export const thresholdsInForce = (
  set: SetThresholds,
  effectiveTotalBytes: number
): Either.Either<MemoryThresholds, ReadonlyArray<KeyProblem>> => {
  const low = set.minAvailableBytes
  const critical = set.criticalThresholdBytes
  const scaled = scaledThresholds(effectiveTotalBytes)
  const minAvailableBytes = low ?? scaled.minAvailableBytes
  const criticalBytes = critical ?? scaled.criticalBytes
  const problems = [
    ...tooHigh("min_available_bytes", low, effectiveTotalBytes),
    ...tooHigh("critical_threshold_bytes", critical, effectiveTotalBytes)
  ]
  if (problems.length > 0) return Either.left(problems)
  if ((low !== undefined || critical !== undefined) && criticalBytes >= minAvailableBytes) {
    const lowText = figure(minAvailableBytes, low)
    const criticalText = figure(criticalBytes, critical)
    return Either.left([
      critical === undefined
        ? {
            path: ["memory", "min_available_bytes"],
            reason: `(${lowText}) must be above memory.critical_threshold_bytes (${criticalText}): set both`
          }
        : {
            path: ["memory", "critical_threshold_bytes"],
            reason: `(${criticalText}) must be below memory.min_available_bytes (${lowText})`
          }
    ])
  }
  return Either.right({ minAvailableBytes, criticalBytes })
}
