import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { nearestName } from "../text/NearestName.ts"
import { printable } from "../text/Printable.ts"
import { listed } from "../text/TextLayout.ts"
import { isTable, type RawSettings, tomlText } from "../toml/RawSettings.ts"
import { aboutDaemon, Milliseconds, millisecondsExpected, orOff, setting, Text } from "./Setting.ts"
import type { KeyProblem } from "./SettingsProblem.ts"

/** What a notification is about; docs/notifications.md says when each is sent. */
export const NotifyKind = Schema.Literal(
  "failed",
  "crash",
  "limit",
  "done",
  "memory",
  "budget",
  "daemon",
  "recovered"
)
export type NotifyKind = typeof NotifyKind.Type

const Kinds = Schema.Array(NotifyKind)
const kindsExpected = `an array of ${listed(NotifyKind.literals.map(tomlText), "or")}`

/** Two times of the day on the wall clock. The second one may be of the next day. */
const QuietHours = orOff(
  Schema.String.pipe(
    Schema.pattern(/^([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d$/),
    Schema.filter((text) => text.slice(0, 5) !== text.slice(6))
  )
)
const quietExpected = 'two different times such as "22:00-07:00", or false'

const webUrl =
  /^https?:\/\/([A-Za-z0-9][A-Za-z0-9.-]{0,252}|\[[0-9A-Fa-f:.]{2,45}\])(:[0-9]{1,5})?([/?][!-~]{0,2000})?$/

/** Whether a text is a URL of the web, without a name and password of a user in it. */
export const isWebUrl = (text: string): boolean => webUrl.test(text) && URL.canParse(text)

const WebUrl = Schema.String.pipe(
  Schema.pattern(webUrl),
  Schema.filter((text) => URL.canParse(text))
)

/** Every key that a channel may have, with the words that complete "must be ...". */
const keys = {
  kinds: { schema: Kinds, expects: kindsExpected },
  min_interval_ms: { schema: Milliseconds, expects: millisecondsExpected },
  quiet_hours: { schema: QuietHours, expects: quietExpected },
  quiet_except: { schema: Kinds, expects: kindsExpected },
  url: { schema: WebUrl, expects: "a URL that begins with https:// or http://" },
  url_file: { schema: Text, expects: "a path" },
  token_file: { schema: Text, expects: "a path" },
  secret_file: { schema: Text, expects: "a path" },
  argv: {
    schema: Schema.NonEmptyArray(Text),
    expects: "an array of texts, the program and its arguments"
  }
} as const
type ChannelKey = keyof typeof keys

const optional = <A, I>({ schema }: { readonly schema: Schema.Schema<A, I> }) =>
  Schema.optionalWith(schema, { exact: true })

/** One `[notify.to.NAME]`: where notifications go. The names are those of the file. Most settings have none. */
const channel = () => {
  const overrides = {
    kinds: optional(keys.kinds),
    min_interval_ms: optional(keys.min_interval_ms),
    quiet_hours: optional(keys.quiet_hours),
    quiet_except: optional(keys.quiet_except)
  }
  const address = { url: optional(keys.url), url_file: optional(keys.url_file) }
  return Schema.Union(
    Schema.Struct({ type: Schema.Literal("desktop"), ...overrides }),
    Schema.Struct({
      type: Schema.Literal("ntfy"),
      ...address,
      token_file: optional(keys.token_file),
      ...overrides
    }),
    Schema.Struct({ type: Schema.Literal("slack"), ...address, ...overrides }),
    Schema.Struct({
      type: Schema.Literal("webhook"),
      ...address,
      secret_file: optional(keys.secret_file),
      ...overrides
    }),
    Schema.Struct({ type: Schema.Literal("command"), argv: keys.argv.schema, ...overrides })
  )
}
export type Channel = ReturnType<typeof channel>["Type"]

const everywhere: ReadonlyArray<ChannelKey> = ["kinds", "min_interval_ms", "quiet_hours", "quiet_except"]

/** The keys of each type beside `type`, those of its own first. */
const keysOfType: Readonly<Record<Channel["type"], ReadonlyArray<ChannelKey>>> = {
  desktop: everywhere,
  ntfy: ["url", "url_file", "token_file", ...everywhere],
  slack: ["url", "url_file", ...everywhere],
  webhook: ["url", "url_file", "secret_file", ...everywhere],
  command: ["argv", ...everywhere]
}

const types = Struct.keys(keysOfType)

const namePattern = /^[A-Za-z0-9][A-Za-z0-9_-]{0,31}$/
const ChannelName = Schema.String.pipe(Schema.pattern(namePattern))

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

const example = 'such as { type = "desktop" }'

/** The services that are reached by a command. */
const byCommand = /^(discord|telegram|e?mail|smtp|matrix|pushover|sms|signal|apprise|shoutrrr|curl)$/i

const typeProblem = (path: KeyProblem["path"], type: unknown): KeyProblem => {
  const expects = listed(types.map(tomlText), "or")
  if (type === undefined) return { path, reason: `is missing: it must be ${expects}` }
  if (typeof type !== "string") return { path, reason: `must be ${expects}` }
  if (byCommand.test(type))
    return {
      path,
      reason: `must be ${expects}, not ${tomlText(type)}: type = "command" reaches it (docs/notifications.md has examples)`
    }
  const nearest = nearestName(type, types)
  return {
    path,
    reason: `must be ${expects}, not ${printable(tomlText(type), 60)}`,
    ...(nearest === undefined ? {} : { nearest: `"${nearest}"` })
  }
}

/** A wrong value, but for a URL, which may be a secret. */
const shown = (key: ChannelKey, value: unknown): string =>
  key === "url" || key === "argv" ? "" : `, not ${printable(tomlText(value), 60)}`

const keyProblems = (
  path: KeyProblem["path"],
  channel: RawSettings,
  type: Channel["type"]
): ReadonlyArray<KeyProblem> =>
  Object.entries(channel).flatMap(([key, value]): ReadonlyArray<KeyProblem> => {
    if (key === "type") return []
    const known = keysOfType[type].find((one) => one === key)
    if (known !== undefined) {
      const { expects, schema } = keys[known]
      return Schema.is(Schema.make(schema.ast))(value)
        ? []
        : [{ path: [...path, key], reason: `must be ${expects}${shown(known, value)}` }]
    }
    if (Object.hasOwn(keys, key)) {
      const takes = `type = ${tomlText(type)}, which takes ${listed(keysOfType[type])}`
      return [{ path: [...path, key], reason: `does not go with ${takes}` }]
    }
    const nearest = nearestName(key, [...keysOfType[type], "type"])
    const suggested = nearest === undefined ? {} : { nearest: [...path, nearest].join(".") }
    return [{ path: [...path, key], reason: "is not a setting", ...suggested }]
  })

/** Whether a URL ends in a topic of ntfy. */
export const isTopicUrl = (url: string): boolean => /\/[A-Za-z0-9_-]{1,64}\/?$/.test(new URL(url).pathname)

const topicProblem = (path: KeyProblem["path"], url: unknown): ReadonlyArray<KeyProblem> =>
  typeof url !== "string" || !isWebUrl(url) || isTopicUrl(url)
    ? []
    : [{ path: [...path, "url"], reason: "must end in a topic, such as https://ntfy.sh/my-agents" }]

const needProblems = (
  path: KeyProblem["path"],
  channel: RawSettings,
  type: Channel["type"]
): ReadonlyArray<KeyProblem> => {
  const has = (key: ChannelKey) => channel[key] !== undefined
  switch (type) {
    case "desktop":
      return []
    case "command":
      return has("argv")
        ? []
        : [{ path: [...path, "argv"], reason: `is missing: it must be ${keys.argv.expects}` }]
    case "ntfy":
    case "slack":
    case "webhook":
      if (has("url") && has("url_file"))
        return [{ path: [...path, "url"], reason: "does not go with url_file: keep one of the two" }]
      if (!has("url") && !has("url_file"))
        return [
          {
            path: [...path, "url_file"],
            reason: "is missing: name a file with mode 0600 that holds the URL, or set url"
          }
        ]
      return type === "ntfy" ? topicProblem(path, channel["url"]) : []
  }
}

/** The problems of the channels in the settings of a file. The schema alone would say that no type fits. */
export const channelProblems = (raw: RawSettings): ReadonlyArray<KeyProblem> => {
  const notify = raw["notify"]
  const to = isTable(notify) ? notify["to"] : undefined
  if (!isTable(to)) return []
  return Object.entries(to).flatMap(([name, channel]): ReadonlyArray<KeyProblem> => {
    const path = ["notify", "to", name]
    if (!namePattern.test(name))
      return [{ path, reason: "is not a name for a channel: 1 to 32 letters, digits, '_' or '-'" }]
    if (!isTable(channel)) return [{ path, reason: `must be a table ${example}` }]
    const type = types.find((one) => one === channel["type"])
    return type === undefined
      ? [typeProblem([...path, "type"], channel["type"])]
      : [...keyProblems(path, channel, type), ...needProblems(path, channel, type)]
  })
}

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
