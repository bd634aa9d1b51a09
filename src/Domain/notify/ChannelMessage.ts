import * as DateTime from "effect/DateTime"
import type { Channel } from "../settings/NotifySettings.ts"
import { spokenTime, type Zone } from "../text/LocalTime.ts"
import { jsonText } from "../text/Printable.ts"
import { type Notification, type NotificationKind, said, type Urgency } from "./Notification.ts"

/** A channel with what stands in its files. */
export type Target =
  | { readonly type: "desktop" }
  | { readonly type: "ntfy"; readonly url: string; readonly token?: string | undefined }
  | { readonly type: "slack"; readonly url: string }
  | { readonly type: "webhook"; readonly url: string; readonly secret?: string | undefined }
  | { readonly type: "command"; readonly argv: Extract<Channel, { readonly type: "command" }>["argv"] }

/** What goes over the wire, or is started. Everything in it is escaped for its receiver. */
export type ChannelMessage =
  /** A POST. The sender adds the signature of `signed`, whose time is that of the attempt. */
  | {
      readonly _tag: "Request"
      readonly url: string
      readonly headers: Readonly<Record<string, string>>
      readonly body: string
      readonly signed?: { readonly id: string; readonly secret: string }
    }
  /** A call of notify-send. */
  | { readonly _tag: "Show"; readonly argv: readonly [string, ...ReadonlyArray<string>] }
  /** A program of the user. No shell reads its arguments. */
  | {
      readonly _tag: "Run"
      readonly argv: readonly [string, ...ReadonlyArray<string>]
      readonly env: Readonly<Record<string, string>>
      readonly input: string
    }

/** What is known where the message is sent. `nowMs` is in milliseconds since 1970. */
export interface Sending {
  /** The name of the daemon's machine. */
  readonly host: string
  /** That machine is not the one which sends: its desktop must hear of it, too. */
  readonly isElsewhere?: boolean
  readonly nowMs: number
  readonly zone: Zone
}

/** A later notification says when its event was. */
const recentMs = 120_000

/** Shortens a text to a number of bytes in UTF-8. */
const cutTo = (most: number, text: string): string => {
  const bytes = Buffer.from(text)
  if (bytes.length <= most) return text
  return `${bytes
    .subarray(0, most - 3)
    .toString()
    .replace(/\ufffd+$/, "")}...`
}

/** The sentences with their time, each as one safe line; a second time for what an old file of state may hold. */
const textOf = ({ atMs, kind, text }: Notification, { nowMs, zone }: Sending): string => {
  const when = kind === "digest" || nowMs - atMs <= recentMs ? [] : [`At ${spokenTime(atMs, nowMs, zone)}:`]
  return [...when, ...text.split("\n").map((line) => said(line, Number.POSITIVE_INFINITY))].join("\n")
}

/** Neither markup (desktops) nor a mention or a link (Slack) begins without one of these. */
const withoutMarkup = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")

/** The text without the secrets of its channel, which a worker may have found and printed. */
export const withoutSecrets = (text: string, target: Target): string => {
  const secrets =
    target.type === "ntfy"
      ? [target.url, target.token]
      : target.type === "webhook"
        ? [target.url, target.secret]
        : target.type === "slack"
          ? [target.url]
          : []
  const paths = secrets.flatMap((secret) =>
    secret === undefined ? [] : [secret, URL.canParse(secret) ? new URL(secret).pathname : secret]
  )
  return paths.reduce(
    (masked, secret) => (secret.length < 8 ? masked : masked.replaceAll(secret, "********")),
    text
  )
}

const priorities: Readonly<Record<NotificationKind, number>> = {
  failed: 5,
  crash: 3,
  limit: 2,
  done: 3,
  memory: 4,
  budget: 4,
  daemon: 5,
  recovered: 2,
  digest: 3,
  test: 3
}

const priorityOf = ({ kind, urgency }: { readonly kind: NotificationKind; readonly urgency: Urgency }) =>
  urgency === "low" ? 2 : priorities[kind]

/** Names of pictures that ntfy shows beside the title. */
const tags: Readonly<Record<NotificationKind, string>> = {
  failed: "rotating_light",
  crash: "boom",
  limit: "hourglass_flowing_sand",
  done: "white_check_mark",
  memory: "warning",
  budget: "moneybag",
  daemon: "rotating_light",
  recovered: "arrow_up",
  digest: "sunrise",
  test: "bell"
}

const types: Readonly<Record<NotificationKind, string>> = {
  failed: "worker.failed",
  crash: "worker.crashed",
  limit: "worker.limited",
  done: "worker.done",
  memory: "machine.memory",
  budget: "worker.budget",
  daemon: "daemon.trouble",
  recovered: "worker.recovered",
  digest: "digest",
  test: "test"
}

interface Words {
  readonly title: string
  readonly text: string
}

const dataOf = (notification: Notification, { text, title }: Words, { host }: Sending) => ({
  id: notification.id,
  kind: notification.kind,
  project: notification.project ?? null,
  urgency: notification.urgency,
  title,
  text,
  at: DateTime.formatIso(DateTime.unsafeMake(notification.atMs)),
  count: notification.count,
  verdict: notification.verdict ?? null,
  host
})

const json = { "content-type": "application/json" }

/** A header holds ASCII only. */
const headerText = (text: string): string => text.replace(/[^\w.-]/g, "_")

const ntfy = (
  { token, url }: Extract<Target, { type: "ntfy" }>,
  notification: Notification,
  { text, title }: Words
): ChannelMessage => {
  const { origin, pathname } = new URL(url)
  const parts = pathname.split("/").filter((part) => part !== "")
  const folder = parts.slice(0, -1).map((part) => `${part}/`)
  return {
    _tag: "Request",
    url: `${origin}/${folder.join("")}`,
    headers: { ...json, ...(token === undefined ? {} : { authorization: `Bearer ${token}` }) },
    body: jsonText({
      topic: parts.at(-1) ?? "",
      title,
      // A message of more than 4,096 bytes becomes an attachment.
      message: cutTo(3500, text),
      priority: priorityOf(notification),
      tags: [tags[notification.kind]]
    })
  }
}

/** The message for a channel. */
export const channelMessage = (
  target: Target,
  notification: Notification,
  sending: Sending
): ChannelMessage => {
  const own = (text: string) => withoutSecrets(text, target)
  const local: Words = { title: own(said(notification.title, 200)), text: own(textOf(notification, sending)) }
  // A phone shows what several machines send.
  const remote: Words = { ...local, title: `${local.title} (${said(sending.host, 64)})` }
  switch (target.type) {
    case "desktop": {
      const subject = notification.project ?? `autopilotd-${notification.kind}`
      return {
        _tag: "Show",
        argv: [
          "notify-send",
          "-a",
          "autopilotd",
          "-u",
          notification.urgency,
          ...(notification.urgency === "critical" ? ["-c", "device.error"] : []),
          "-h",
          `string:x-canonical-private-synchronous:${headerText(sending.isElsewhere === true ? `${sending.host} ${subject}` : subject)}`,
          // Else a title that begins with a hyphen would be an option.
          "--",
          withoutMarkup(sending.isElsewhere === true ? remote.title : local.title),
          withoutMarkup(cutTo(1000, local.text))
        ]
      }
    }
    case "ntfy":
      return ntfy(target, notification, remote)
    case "slack":
      return {
        _tag: "Request",
        url: target.url,
        headers: json,
        body: jsonText({
          text: withoutMarkup(`${remote.title}\n${cutTo(3000, remote.text)}`),
          mrkdwn: false,
          unfurl_links: false,
          unfurl_media: false
        })
      }
    case "webhook": {
      const data = dataOf(notification, { ...local, text: cutTo(8000, local.text) }, sending)
      const id = headerText(notification.id)
      return {
        _tag: "Request",
        url: target.url,
        headers: { ...json, "webhook-id": id },
        body: jsonText({ type: types[notification.kind], timestamp: data.at, data }),
        ...(target.secret === undefined ? {} : { signed: { id, secret: target.secret } })
      }
    }
    case "command": {
      const data = dataOf(notification, { ...local, text: cutTo(8000, local.text) }, sending)
      return {
        _tag: "Run",
        argv: target.argv,
        env: {
          AUTOPILOTD_EVENT: data.kind,
          AUTOPILOTD_PROJECT: data.project ?? "",
          AUTOPILOTD_URGENCY: data.urgency,
          AUTOPILOTD_TITLE: data.title,
          AUTOPILOTD_TEXT: data.text,
          AUTOPILOTD_VERDICT: data.verdict ?? "",
          AUTOPILOTD_MACHINE: sending.host
        },
        input: `${jsonText(data)}\n`
      }
    }
  }
}
