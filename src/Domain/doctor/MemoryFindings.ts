import type { MemoryReading, UnusableFile } from "../machine/MemoryReading.ts"
import type { MemoryThresholds } from "../settings/MemoryThresholds.ts"
import { humanBytes } from "../text/Amounts.ts"
import { quoted } from "../text/Printable.ts"
import { type Finding, fine, warning } from "./Finding.ts"

const memory = "Memory"

/** The usual memory of an agent with its tools. */
const agentBytes = 2 ** 30

const thresholdFinding = (
  { availableBytes, boundBy, totalBytes }: MemoryReading,
  { criticalBytes, minAvailableBytes }: MemoryThresholds
): Finding => {
  const group = boundBy === undefined ? "" : ` (limited by the cgroup ${boundBy})`
  const have = `${humanBytes(availableBytes)} of ${humanBytes(totalBytes)}${group} is available; low below ${humanBytes(minAvailableBytes)}, critical below ${humanBytes(criticalBytes)}`
  if (availableBytes < minAvailableBytes) {
    return warning(
      memory,
      `${have}. It is low already.`,
      "List the large processes with autopilotd hogs, or lower memory.min_available_bytes"
    )
  }
  return availableBytes - minAvailableBytes < agentBytes
    ? warning(
        memory,
        `${have}. An agent with its tools takes about ${humanBytes(agentBytes)}, which would make it low.`,
        "Free some memory, or lower memory.min_available_bytes"
      )
    : fine(memory, `${have}.`)
}

/** Judges the memory and its thresholds, and the limits of workers by project. */
export const memoryFindings = (
  reading: MemoryReading | undefined,
  unusable: ReadonlyArray<UnusableFile>,
  thresholds: MemoryThresholds | undefined,
  limits: ReadonlyMap<string, number>
): ReadonlyArray<Finding> => {
  const unseen = unusable.map(({ consequence, path, reason }) =>
    warning(
      memory,
      `${path} cannot be used: ${reason}. ${consequence}.`,
      "Check the mounts of /proc and /sys"
    )
  )
  if (reading === undefined || thresholds === undefined) return unseen
  const tooHigh = [...limits].flatMap(([project, limitBytes]) => {
    const reachableBytes = reading.totalBytes - thresholds.minAvailableBytes
    return limitBytes < reachableBytes
      ? []
      : [
          warning(
            memory,
            `worker_limit_bytes of ${quoted(project)} is ${humanBytes(limitBytes)}: memory is low before a worker reaches that.`,
            `Set it below ${humanBytes(reachableBytes)}`
          )
        ]
  })
  const swap =
    reading.swapTotalBytes === 0
      ? [fine("Swap", "There is none, so memory may run out within moments.")]
      : [fine("Swap", `${humanBytes(reading.swapFreeBytes)} of ${humanBytes(reading.swapTotalBytes)} free.`)]
  return [thresholdFinding(reading, thresholds), ...tooHigh, ...swap, ...unseen]
}
