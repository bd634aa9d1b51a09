import type { OwnUnitFacts } from "./OwnUnitFacts.ts"
import { isHeard, type ServiceChannel } from "./ServiceChannel.ts"
import type { ServiceEvent } from "./ServiceEvent.ts"

/** How long the kill at the end of a grace is waited for. */
const killMs = 5000

/**
 * What is to be told when systemd may kill workers in the middle of their end: it waits for less than the longest grace
 * of a worker, and cannot be asked for more time. Undefined when all is well.
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
