import type { SubscriptionLine } from "../control/Subscription.ts"
import type { EventCursor as Cursor } from "../history/EventsFrom.ts"
import type { HistoryRecord } from "../history/HistoryRecord.ts"
import type { ProjectsData } from "../status/ProjectsData.ts"
import type { StatusData } from "../status/StatusData.ts"

/** The place of an event: the run of the daemon, and its number there. */
export type EventCursor = Cursor

/** What a follower of the daemon learns, in the order of its happening. */
export type Followed =
  /** The state after each connection, behind the events that were missed meanwhile. */
  | {
      readonly _tag: "Connected"
      readonly atMs: number
      /** The id of the daemon's run. */
      readonly daemon: string
      readonly status: StatusData
      readonly projects: ProjectsData
    }
  /** An event of the history: each one once, in its order, from the cursor on. */
  | { readonly _tag: "Event"; readonly record: HistoryRecord }
  /** Events in between are unknown: the history does not have them, or not any more. */
  | { readonly _tag: "Missed"; readonly atMs: number }
  /** The daemon ended without `DaemonStopped`. */
  | { readonly _tag: "Vanished"; readonly atMs: number }
  /** No attempt to connect has succeeded for a while, so that nothing is known of the daemon. `reason` is whole sentences. */
  | { readonly _tag: "Unreachable"; readonly atMs: number; readonly reason: string }
  /** The daemon stopped in good order. */
  | { readonly _tag: "Ended"; readonly atMs: number }

/** The record that a line of a subscription is; undefined for an event that the history does not keep. */
export const recordIn = (
  line: Extract<SubscriptionLine, { readonly type: "event" }>
): HistoryRecord | undefined => {
  const { at, daemon, event, seq } = line
  return daemon === undefined || seq === undefined ? undefined : { at, seq, daemon, ...event }
}
