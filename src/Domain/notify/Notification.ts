import * as Schema from "effect/Schema"
import { NotifyKind } from "../settings/NotifySettings.ts"
import { withoutEscapes } from "../text/EscapeSequences.ts"
import { printable } from "../text/Printable.ts"
import { perhaps } from "../Wire.ts"

/** A kind of the settings, the summary of quiet hours, or the one of `autopilotd notify test`. */
export const NotificationKind = Schema.Literal(...NotifyKind.literals, "digest", "test")
export type NotificationKind = typeof NotificationKind.Type

/** How much it presses, as desktops rank it. */
export const Urgency = Schema.Literal("low", "normal", "critical")
export type Urgency = typeof Urgency.Type

/** What a user is told, in words. No text of it holds a control character but the newlines between its sentences. */
export const Notification = Schema.Struct({
  /** The same at each attempt to send it, so that a receiver can drop the second one. */
  id: Schema.String,
  kind: NotificationKind,
  /** Absent where it is about the daemon or the machine. */
  project: perhaps(Schema.String),
  urgency: Urgency,
  /** One line. */
  title: Schema.String,
  /** A few lines: what happened, what comes next, what to do. */
  text: Schema.String,
  /** The time of the event, in milliseconds since 1970. */
  atMs: Schema.Number,
  /** The number of events that it stands for. */
  count: Schema.Int,
  /** The kind of the verdict that it is about. */
  verdict: perhaps(Schema.String)
})
export type Notification = typeof Notification.Type

export const urgencyOf: Readonly<Record<NotificationKind, Urgency>> = {
  failed: "critical",
  crash: "normal",
  limit: "low",
  done: "normal",
  memory: "critical",
  budget: "normal",
  daemon: "critical",
  recovered: "low",
  digest: "normal",
  test: "normal"
}

/** The words of a worker in a notification are at most this long. */
export const mostSaid = 300

/** Text from elsewhere as one line without escape sequences, controls and invisible characters, and of a limited length. */
export const said = (text: string, most = mostSaid): string => printable(withoutEscapes(text), most)
