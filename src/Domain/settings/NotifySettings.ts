import * as Schema from "effect/Schema"
import { listed } from "../text/TextLayout.ts"
import { isTable, type RawSettings, tomlText } from "../toml/RawSettings.ts"
import {
  aboutDaemon,
  expecting,
  Milliseconds,
  millisecondsExpected,
  orOff,
  ruled,
  setting,
  Text
} from "./Setting.ts"

const arrayOf = (words: ReadonlyArray<string>): string => `an array of ${listed(words.map(tomlText), "or")}`

/** What a notification is about; docs/notifications.md says when each is sent. */
export const notifyKinds = [
  "failed",
  "crash",
  "limit",
  "done",
  "memory",
  "budget",
  "daemon",
  "recovered"
] as const
export const NotifyKind = Schema.Literal(...notifyKinds)
export type NotifyKind = typeof NotifyKind.Type

const Kinds = Schema.Array(NotifyKind)
const kindsExpected = arrayOf(notifyKinds)

/** Two times of the day on the wall clock. The second one may be of the next day. */
const QuietHours = orOff(
  Schema.String.pipe(Schema.pattern(/^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/), ruled("twoTimes"))
)
const quietExpected = 'two different times such as "22:00-07:00", or false'

const webUrl =
  /^https?:\/\/([A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?([/?][!-~]{0,2000})?$/

/** Whether a text is a URL of the web, without a name and password of a user in it. */
export const isWebUrl = (text: string): boolean => webUrl.test(text) && URL.canParse(text)

const WebUrl = Schema.String.pipe(Schema.pattern(webUrl), ruled("url"))

/** Whether a URL ends in a topic of ntfy. */
export const isTopicUrl = (url: string): boolean => /\/[A-Za-z0-9_-]{1,64}\/?$/.test(new URL(url).pathname)

const optional = <A, I>(schema: Schema.Schema<A, I>, expects: string) =>
  Schema.optionalWith(expecting(schema, expects), { exact: true })

/** One `[notify.to.NAME]`: where notifications go. The names are those of the file. Most settings have none. */
const channel = () => {
  const overrides = {
    kinds: optional(Kinds, kindsExpected),
    min_interval_ms: optional(Milliseconds, millisecondsExpected),
    quiet_hours: optional(QuietHours, quietExpected),
    quiet_except: optional(Kinds, kindsExpected)
  }
  const file = optional(Text, "a path")
  const address = {
    url: optional(WebUrl, "a URL that begins with https:// or http://"),
    url_file: file
  }
  return Schema.Union(
    Schema.Struct({ type: Schema.Literal("desktop"), ...overrides }),
    Schema.Struct({ type: Schema.Literal("ntfy"), ...address, token_file: file, ...overrides }),
    Schema.Struct({ type: Schema.Literal("slack"), ...address, ...overrides }),
    Schema.Struct({ type: Schema.Literal("webhook"), ...address, secret_file: file, ...overrides }),
    Schema.Struct({
      type: Schema.Literal("command"),
      argv: expecting(Schema.NonEmptyArray(Text), "an array of texts, the program and its arguments"),
      ...overrides
    })
  )
}
export type Channel = ReturnType<typeof channel>["Type"]

const ChannelName = Schema.String.pipe(Schema.pattern(/^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/))

/** The `[notify]` table: who is told what. Nobody is told anything before a `[notify.to.NAME]` stands in the file. */
export const NotifySettings = Schema.Struct({
  kinds: setting("kinds", Kinds, ["failed", "crash", "limit", "done", "memory", "budget", "daemon"], {
    description: "What the daemon sends notifications about.",
    expects: kindsExpected,
    topLevelOnly: aboutDaemon
  }),
  minIntervalMs: setting("min_interval_ms", Milliseconds, 900_000, {
    description:
      "Shortest time between two notifications of one kind about one project. Those in between are counted in the next one.",
    expects: millisecondsExpected,
    topLevelOnly: aboutDaemon
  }),
  quietHours: setting("quiet_hours", QuietHours, false, {
    description:
      "Hours of the local clock in which only the kinds of `notify.quiet_except` are sent. The others follow at the end, in one notification.",
    expects: quietExpected,
    topLevelOnly: aboutDaemon
  }),
  quietExcept: setting("quiet_except", Kinds, ["failed", "daemon"], {
    description: "Kinds that are sent in the quiet hours too.",
    expects: kindsExpected,
    topLevelOnly: aboutDaemon
  }),
  to: setting(
    "to",
    Schema.Record({ key: ChannelName, value: Schema.suspend(channel) }),
    {},
    {
      description:
        "Channels of notifications, each a table `[notify.to.NAME]` with its `type`: `desktop`; `ntfy`, `slack` or `webhook` with `url` or `url_file` (a file with mode 0600 that holds the URL); `command` with `argv`. `token_file` goes with `ntfy`, `secret_file` with `webhook`; each channel may override the other settings of `[notify]`. docs/notifications.md describes them.",
      expects: 'a table of channels such as { desk = { type = "desktop" } }',
      topLevelOnly: aboutDaemon
    }
  )
})
export type NotifySettings = typeof NotifySettings.Type

/** Whether the value at a path may be a secret of a channel. */
export const isChannelSecret = (path: ReadonlyArray<string | number>): boolean =>
  path[0] === "notify" && path[1] === "to" && (path[3] === "url" || path[3] === "argv")

/** The channels as `config check` shows them. The URL of a channel is its secret; one may stand in a command as well. */
export const maskedChannels = (to: RawSettings): RawSettings =>
  Object.fromEntries(
    Object.entries(to).map(([name, channel]) => [
      name,
      isTable(channel)
        ? {
            ...channel,
            ...(typeof channel["url"] === "string" ? { url: "********" } : {}),
            ...(Array.isArray(channel["argv"])
              ? { argv: channel["argv"].map((word) => (String(word).includes("://") ? "********" : word)) }
              : {})
          }
        : channel
    ])
  )
