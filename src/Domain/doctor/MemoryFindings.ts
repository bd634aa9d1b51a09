import type { MemoryReading, UnusableFile } from "../machine/MemoryReading.ts"
import type { MemoryThresholds } from "../settings/MemoryThresholds.ts"
import { humanBytes } from "../text/Amounts.ts"
import { quoted } from "../text/Printable.ts"
import { type Finding, fine, warning } from "./Finding.ts"

const memory = "Memory"

/** An agent with its tools takes about so much. */
const agentBytes = 2 ** 30

const thresholdFinding = (
  { availableBytes, boundBy, totalBytes }: MemoryReading,
  { criticalBytes, minAvailableBytes }: MemoryThresholds
): Finding => {
  const group = boundBy === undefined ? "" : ` (limited by the cgroup ${boundBy})`
  const have = `${humanBytes(availableBytes)} of ${humanBytes(totalBytes)}${group} are available; low below ${humanBytes(minAvailableBytes)}, critical below ${humanBytes(criticalBytes)}`
  if (availableBytes < minAvailableBytes) {
    return warning(
      memory,
      `${have}: it is low already.`,
      "See who holds it: autopilotd hogs. Or lower memory.min_available_bytes"
    )
  }
  return availableBytes - minAvailableBytes < agentBytes
    ? warning(
        memory,
        `${have}: an agent with its tools takes about ${humanBytes(agentBytes)}, which would make it low.`,
        "Free some memory, or lower memory.min_available_bytes"
      )
    : fine(memory, `${have}.`)
}

/** Of the memory, its thresholds, and the limits of workers by their projects. */
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
      "Look at the mounts of /proc and /sys"
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
            `worker_limit_bytes of ${quoted(project)} is ${humanBytes(limitBytes)}: memory is low before a worker has reached that.`,
            `Set it below ${humanBytes(reachableBytes)}`
          )
        ]
  })
  const swap =
    reading.swapTotalBytes === 0
      ? [fine("Swap", "There is none: when memory runs out, it does so within moments.")]
      : [fine("Swap", `${humanBytes(reading.swapFreeBytes)} of ${humanBytes(reading.swapTotalBytes)} free.`)]
  return [thresholdFinding(reading, thresholds), ...tooHigh, ...swap, ...unseen]
}
