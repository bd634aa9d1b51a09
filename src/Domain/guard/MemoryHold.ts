import type { MemorySample } from "../memory/MemorySample.ts"
import { humanBytes } from "../text/Amounts.ts"
import type { WorkerHolding } from "../tree/ProcessOrigin.ts"
import { delayMs, type RestartPolicy } from "../worker/RestartPolicy.ts"

/** A worker that was restarted for memory waits until memory is plentiful; after this time only while it is critical. */
export const longestHoldMs = 15 * 60_000

/**
 * Whether a worker that has waited `waitedMs` for memory may start. Unreadable memory info delays no start beyond the
 * longest hold.
 */
export const mayStart = (waitedMs: number, shortestMs: number, sample: MemorySample | undefined): boolean =>
  waitedMs >= shortestMs &&
  (sample?.level === "plentiful" || (waitedMs >= longestHoldMs && sample?.level !== "critical"))

/** The number of consecutive restarts for memory of workers that ran shorter than `success_threshold_ms`. */
export const inARow = (before: number, uptimeMs: number, { successThresholdMs }: RestartPolicy): number =>
  uptimeMs < successThresholdMs ? before + 1 : 0

/**
 * The minimum delay of a start. Without it a worker that needs more memory than the machine has would be restarted all
 * night. The delay is that after as many failures, but these restarts are none, so the worker is never given up.
 */
export const shortestHoldMs = (restartsInARow: number, policy: RestartPolicy): number =>
  restartsInARow === 0 ? 0 : delayMs(policy, restartsInARow - 1)

/** The reason of a restart for memory, without a full stop. */
export const whyRestarted = ({ reading, thresholds }: MemorySample, { heldBytes }: WorkerHolding): string => {
  const available = `${humanBytes(reading.availableBytes)} of ${humanBytes(reading.totalBytes)}`
  const enough = humanBytes(thresholds.minAvailableBytes)
  return `memory was critical (${available} available, the worker held ${humanBytes(heldBytes)}); it starts again when ${enough} are available`
}
