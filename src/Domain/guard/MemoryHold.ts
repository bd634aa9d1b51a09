import type { MemoryLook } from "../memory/MemoryLook.ts"
import { humanBytes } from "../text/Amounts.ts"
import type { WorkerHolding } from "../tree/ProcessOrigin.ts"
import { delayMs, type RestartPolicy } from "../worker/RestartPolicy.ts"

/** For so long a worker that was restarted for memory waits until there is plenty of it; then only while it is critical. */
export const longestHoldMs = 15 * 60_000

/**
 * Whether a worker that has waited for memory this long may start, where it must wait at least `shortestMs`. Memory
 * that cannot be read holds nobody longer than the longest hold.
 */
export const mayStart = (waitedMs: number, shortestMs: number, look: MemoryLook | undefined): boolean =>
  waitedMs >= shortestMs &&
  (look?.level === "plentiful" || (waitedMs >= longestHoldMs && look?.level !== "critical"))

/** Restarts for memory of a worker that had not even run for `success_threshold_ms`, one after the other. */
export const inARow = (before: number, uptimeMs: number, { successThresholdMs }: RestartPolicy): number =>
  uptimeMs < successThresholdMs ? before + 1 : 0

/**
 * How long the start waits in any case. A worker that needs more memory than there is would otherwise be started,
 * and restarted, all night; as this is no failure, it waits as long as after one, but never gives up.
 */
export const shortestHoldMs = (restartsInARow: number, policy: RestartPolicy): number =>
  restartsInARow === 0 ? 0 : delayMs(policy, restartsInARow - 1)

/** Why a worker is restarted for memory, in one sentence without a full stop. */
export const whyRestarted = ({ reading, thresholds }: MemoryLook, { heldBytes }: WorkerHolding): string => {
  const available = `${humanBytes(reading.availableBytes)} of ${humanBytes(reading.totalBytes)}`
  const enough = humanBytes(thresholds.minAvailableBytes)
  return `memory was critical (${available} available, ${humanBytes(heldBytes)} held by it); it starts again when there are ${enough}`
}
