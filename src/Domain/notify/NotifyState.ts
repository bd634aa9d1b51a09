import * as Schema from "effect/Schema"
import { RecordHead } from "../history/HistoryRecord.ts"
import { perhaps } from "../Wire.ts"
import { News, nothingTold } from "./DaemonNews.ts"
import { Notification } from "./Notification.ts"
import { nothingWaits, PolicyState } from "./NotifyPolicy.ts"

/** One channel: what it has been told, what waits to be sent, and how the last attempts went. */
export const ChannelState = Schema.Struct({
  policy: PolicyState,
  /** The oldest first. A notification leaves when it is sent or given up. */
  waiting: Schema.Array(Notification),
  /** Those that went since the last success, because too many waited or the channel refused them. */
  lost: Schema.Int,
  lastSuccessMs: perhaps(Schema.Number),
  /** The present trouble; absent while the channel works. */
  failure: perhaps(Schema.Struct({ atMs: Schema.Number, reason: Schema.String }))
})
export type ChannelState = typeof ChannelState.Type

export const newChannel: ChannelState = { policy: nothingWaits, waiting: [], lost: 0 }

/** `notify.json`: how far the events have been read, and what has become of them. */
export const NotifyState = Schema.Struct({
  version: Schema.Literal(1),
  cursor: perhaps(Schema.Struct({ daemon: RecordHead.fields.daemon, seq: RecordHead.fields.seq })),
  news: News,
  channels: Schema.Record({ key: Schema.String, value: ChannelState })
})
export type NotifyState = typeof NotifyState.Type

export const freshState: NotifyState = { version: 1, news: nothingTold, channels: {} }

/** More than these would be a flood when the channel works again. */
export const mostWaiting = 100

/** Adds notifications to those that wait. Where they are too many, the oldest goes that is of no failure. */
export const enqueued = (state: ChannelState, more: ReadonlyArray<Notification>): ChannelState => {
  const waiting = [...state.waiting, ...more]
  let { lost } = state
  while (waiting.length > mostWaiting) {
    const oldest = waiting.findIndex(({ kind }) => kind !== "failed")
    waiting.splice(Math.max(0, oldest), 1)
    lost++
  }
  return { ...state, waiting, lost }
}

const without = ({ waiting }: ChannelState, id: string) => waiting.filter((one) => one.id !== id)

/** The notification is not sent any more. */
export const withoutNotification = (state: ChannelState, id: string): ChannelState => ({
  ...state,
  waiting: without(state, id)
})

/** The notification has arrived. */
export const afterSuccess = (
  { failure: _past, ...state }: ChannelState,
  id: string,
  nowMs: number
): ChannelState => ({ ...state, waiting: without(state, id), lost: 0, lastSuccessMs: nowMs })

/** An attempt has failed. Of a channel that has failed before, the time of its first failure stays. */
export const afterFailure = (state: ChannelState, reason: string, nowMs: number): ChannelState => ({
  ...state,
  failure: { atMs: state.failure?.atMs ?? nowMs, reason }
})

/** The notification will not arrive. */
export const afterGivenUp = (
  state: ChannelState,
  id: string,
  reason: string,
  nowMs: number
): ChannelState => ({
  ...afterFailure(state, reason, nowMs),
  waiting: without(state, id),
  lost: state.lost + 1
})

/** The notification as it is sent: it says what was lost before it. */
export const toSend = (notification: Notification, { lost }: ChannelState): Notification =>
  lost === 0
    ? notification
    : {
        ...notification,
        text: `${notification.text}\n${lost === 1 ? "One notification" : `${lost} notifications`} before this one could not be sent: autopilotd history`
      }
