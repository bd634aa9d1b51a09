import * as Schema from "effect/Schema"
import { humanDuration } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import type { Message } from "../text/Style.ts"

/** Events between the daemon and systemd, which runs it as a service. Times are milliseconds. */
export const ServiceEvent = Schema.Union(
  Schema.TaggedStruct("OwnUnitUnknown", { unit: Schema.String, reason: Schema.String }),
  /** systemd does not take messages. Published once, until it does again. */
  Schema.TaggedStruct("ServiceNotNotified", { channel: Schema.String, reason: Schema.String }),
  /** Stopping the workers may take longer than systemd waits, and the daemon cannot extend that. */
  Schema.TaggedStruct("StopTimeoutShort", {
    unit: Schema.String,
    stopTimeoutMs: Schema.Number,
    /** The longest grace period, and the time for the kill after it. */
    neededMs: Schema.Number
  }),
  /** A part of the daemon made no progress. Published once per outage. */
  Schema.TaggedStruct("TurnMissing", {
    who: Schema.Array(Schema.String),
    forMs: Schema.Number,
    /** systemd kills the daemon after this time. */
    limitMs: Schema.Number
  }),
  Schema.TaggedStruct("TurnTaken", { who: Schema.Array(Schema.String), afterMs: Schema.Number })
)
export type ServiceEvent = typeof ServiceEvent.Type

const seconds = (milliseconds: number): number => Math.ceil(milliseconds / 1000)

/** Returns the log line of an event. */
export const describeService = (event: ServiceEvent): Message => {
  switch (event._tag) {
    case "OwnUnitUnknown":
      return {
        level: "warning",
        text: `systemd did not describe ${event.unit}, so the daemon does not use its cgroup and does not know its limits: ${printable(event.reason, 300)}`
      }
    case "ServiceNotNotified":
      return {
        level: "warning",
        text: `systemd does not receive readiness and status (through ${event.channel}); the daemon keeps running: ${event.reason}`
      }
    case "StopTimeoutShort":
      return {
        level: "warning",
        text:
          `A stop of ${event.unit} may take ${humanDuration(event.stopTimeoutMs)}, but stopping a worker may take ${humanDuration(event.neededMs)} ` +
          "(restart.stop_grace_ms and the kill after it): systemd would kill it within its grace period. " +
          `Use the unit of autopilotd install, or set TimeoutStopSec=${seconds(event.neededMs)} in yours`
      }
    case "TurnMissing":
      return {
        level: "error",
        text: `No progress in ${event.who.join(" and ")} for ${humanDuration(event.forMs)}. After ${humanDuration(event.limitMs)}, systemd kills and restarts the daemon (WatchdogSec=)`
      }
    case "TurnTaken":
      return {
        level: "info",
        text: `Progress again in ${event.who.join(" and ")} after ${humanDuration(event.afterMs)}`
      }
  }
}
