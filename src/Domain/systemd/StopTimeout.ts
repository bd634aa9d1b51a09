import type { OwnUnitFacts } from "./OwnUnitFacts.ts"
import { isHeard, type ServiceChannel } from "./ServiceChannel.ts"
import type { ServiceEvent } from "./ServiceEvent.ts"

/** The time allowed for the kill at the end of a grace period. */
const killMs = 5000

/**
 * Returns an event when systemd may kill workers within their grace period: `TimeoutStopSec=` is shorter than the longest
 * one, and no channel can extend it. Otherwise undefined.
 */
export const stopTimeoutShort = (
  unit: OwnUnitFacts | undefined,
  channel: ServiceChannel | undefined,
  gracesMs: ReadonlyArray<number>
): Extract<ServiceEvent, { readonly _tag: "StopTimeoutShort" }> | undefined => {
  if (unit?.stopTimeoutMs === undefined) return undefined
  if (channel !== undefined && isHeard(channel, unit.notifyAccess)) return undefined
  const neededMs = Math.max(0, ...gracesMs) + killMs
  if (unit.stopTimeoutMs >= neededMs) return undefined
  return { _tag: "StopTimeoutShort", unit: unit.name, stopTimeoutMs: unit.stopTimeoutMs, neededMs }
}
