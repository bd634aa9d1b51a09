import * as Schema from "effect/Schema"
import { humanDuration } from "../text/Amounts.ts"
import type { Message } from "../text/Level.ts"
import { printable } from "../text/Printable.ts"

/** What happens between the daemon and systemd, which runs it as a service. Times are milliseconds. */
export const ServiceEvent = Schema.Union(
  Schema.TaggedStruct("OwnUnitUnknown", { unit: Schema.String, reason: Schema.String }),
  /** The channel to systemd does not take messages; told once, until it does again. */
  Schema.TaggedStruct("ServiceNotNotified", { channel: Schema.String, reason: Schema.String }),
  /** Workers may take longer to end than systemd waits, and it cannot be asked for more time. */
  Schema.TaggedStruct("StopTimeoutShort", {
    unit: Schema.String,
    stopTimeoutMs: Schema.Number,
    /** What the longest grace of a worker takes, the kill after it included. */
    neededMs: Schema.Number
  }),
  /** Told once in each lack of a turn. */
  Schema.TaggedStruct("TurnMissing", {
    who: Schema.Array(Schema.String),
    forMs: Schema.Number,
    /** After this long systemd kills the daemon. */
    limitMs: Schema.Number
  }),
  Schema.TaggedStruct("TurnTaken", { who: Schema.Array(Schema.String), afterMs: Schema.Number })
)
export type ServiceEvent = typeof ServiceEvent.Type

const seconds = (milliseconds: number): number => Math.ceil(milliseconds / 1000)

/** What happened, as a person reads it in the log. */
export const describeService = (event: ServiceEvent): Message => {
  switch (event._tag) {
    case "OwnUnitUnknown":
      return {
        level: "warning",
        text: `systemd could not be asked about ${event.unit}, so its cgroup is not used and its limits are not known: ${printable(event.reason, 300)}`
      }
    case "ServiceNotNotified":
      return {
        level: "warning",
        text: `systemd does not hear of readiness and state (by ${event.channel}), the daemon goes on: ${event.reason}`
      }
    case "StopTimeoutShort":
      return {
        level: "warning",
        text:
          `systemd waits ${humanDuration(event.stopTimeoutMs)} at a stop of ${event.unit}, but a worker may take ${humanDuration(event.neededMs)} ` +
          "(restart.stop_grace_ms and the kill after it), and would then be killed in the middle of its end. " +
          `Use the unit that autopilotd brings, or set TimeoutStopSec=${seconds(event.neededMs)} in yours`
      }
    case "TurnMissing":
      return {
        level: "error",
        text: `No sign of life from ${event.who.join(" and ")} for ${humanDuration(event.forMs)}. If that lasts for ${humanDuration(event.limitMs)}, systemd kills the daemon and starts it anew (WatchdogSec=)`
      }
    case "TurnTaken":
      return {
        level: "info",
        text: `${event.who.join(" and ")} has gone on after ${humanDuration(event.afterMs)}`
      }
  }
}
