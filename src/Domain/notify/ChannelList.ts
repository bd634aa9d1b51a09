import type { NotifySettings } from "../settings/NotifySettings.ts"
import { spokenTime, type Zone } from "../text/LocalTime.ts"
import { type Column, tableLines } from "../text/Table.ts"
import { desktopOn } from "./DesktopChannel.ts"
import type { Notification } from "./Notification.ts"
import { type NotifyState, newChannel } from "./NotifyState.ts"

/** A channel as `notify list --json` shows it. */
interface ListedChannel {
  readonly name: string
  readonly type: string
  /** In milliseconds since 1970; null before the first one. */
  readonly last_success_ms: number | null
  /** Notifications that wait to be sent. */
  readonly waiting: number
  /** Notifications that were not sent since the last success. */
  readonly lost: number
  /** The present trouble; its sentence begins with the channel. Null while it works. */
  readonly failure: { readonly since_ms: number; readonly reason: string } | null
}

/** The channels of the settings, with what has become of their notifications. */
export const listedChannels = (
  { to }: NotifySettings,
  { channels }: NotifyState
): ReadonlyArray<ListedChannel> =>
  Object.entries(to).map(([name, { type }]) => {
    const { failure, lastSuccessMs, lost, waiting } = channels[name] ?? newChannel
    return {
      name,
      type,
      last_success_ms: lastSuccessMs ?? null,
      waiting: waiting.length,
      lost,
      failure: failure === undefined ? null : { since_ms: failure.atMs, reason: failure.reason }
    }
  })

/** What switches notifications on, where none are. */
export const noChannel = `No channel is set: nobody is told anything. For this desktop, run: ${desktopOn}. docs/notifications.md describes the other channels.`

/** The channels as a table, ending in a newline. */
export const channelsText = (
  channels: ReadonlyArray<ListedChannel>,
  {
    columns: width,
    nowMs,
    zone
  }: {
    readonly nowMs: number
    readonly zone: Zone
    readonly columns?: number | undefined
  }
): string => {
  if (channels.length === 0) return `${noChannel}\n`
  const columns: ReadonlyArray<Column<ListedChannel>> = [
    { heading: "CHANNEL", cell: ({ name }) => name },
    { heading: "TYPE", cell: ({ type }) => type },
    {
      heading: "LAST SENT",
      cell: ({ last_success_ms: at }) => (at === null ? "never" : spokenTime(at, nowMs, zone))
    },
    { heading: "WAITING", cell: ({ waiting }) => String(waiting), isNumber: true },
    {
      heading: "LOST",
      cell: ({ lost }) => (lost === 0 ? "" : String(lost)),
      isNumber: true,
      isOptional: true
    },
    {
      heading: "TROUBLE",
      cell: ({ failure }) =>
        failure === null ? "" : `${failure.reason} (since ${spokenTime(failure.since_ms, nowMs, zone)})`,
      isOptional: true,
      isText: true
    }
  ]
  return `${tableLines(columns, channels, width).join("\n")}\n`
}

/** The notification of `autopilotd notify test`. */
export const testNotification = (nowMs: number): Notification => ({
  id: `test-${nowMs}`,
  kind: "test",
  urgency: "normal",
  title: "autopilotd can reach you",
  text: "This is a test: autopilotd notify test.\nYou are told here when an agent needs you.",
  atMs: nowMs,
  count: 1
})
