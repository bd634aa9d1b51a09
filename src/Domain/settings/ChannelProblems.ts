import { nearestName } from "../text/NearestName.ts"
import { printable } from "../text/Printable.ts"
import { listed } from "../text/TextLayout.ts"
import { type Field, type Form, fits } from "../toml/Form.ts"
import { isTable, type RawSettings, tomlText } from "../toml/RawSettings.ts"
import { isTopicUrl, isWebUrl } from "./NotifySettings.ts"
import { fieldOf } from "./SettingKeys.ts"
import type { KeyProblem } from "./SettingsProblem.ts"

/** The forms of all channels, and of their names. */
const channels: Form | undefined = fieldOf("notify.to")?.form
const kinds =
  channels !== undefined && "keys" in channels && "by" in channels.values ? channels.values.kinds : {}
const isName = (name: string): boolean =>
  channels !== undefined && "keys" in channels && fits(channels.keys, name)

/** The keys of each type beside `type`, those of its own first. */
const fieldsOfType: ReadonlyMap<string, ReadonlyArray<Field>> = new Map(
  Object.entries(kinds).map(([type, { fields }]) => [type, fields.filter(({ key }) => key !== "type")])
)

const types = [...fieldsOfType.keys()]

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
const shown = (key: string, value: unknown): string =>
  key === "url" || key === "argv" ? "" : `, not ${printable(tomlText(value), 60)}`

const keyProblems = (
  path: KeyProblem["path"],
  channel: RawSettings,
  type: string,
  fields: ReadonlyArray<Field>
): ReadonlyArray<KeyProblem> =>
  Object.entries(channel).flatMap(([key, value]): ReadonlyArray<KeyProblem> => {
    if (key === "type") return []
    const known = fields.find((field) => field.key === key)
    if (known !== undefined) {
      return fits(known.form, value)
        ? []
        : [{ path: [...path, key], reason: `must be ${known.note?.expects}${shown(key, value)}` }]
    }
    const names = fields.map((field) => field.key)
    if ([...fieldsOfType.values()].flat().some((field) => field.key === key)) {
      const takes = `type = ${tomlText(type)}, which takes ${listed(names)}`
      return [{ path: [...path, key], reason: `does not go with ${takes}` }]
    }
    const nearest = nearestName(key, [...names, "type"])
    const suggested = nearest === undefined ? {} : { nearest: [...path, nearest].join(".") }
    return [{ path: [...path, key], reason: "is not a setting", ...suggested }]
  })

const topicProblem = (path: KeyProblem["path"], url: unknown): ReadonlyArray<KeyProblem> =>
  typeof url !== "string" || !isWebUrl(url) || isTopicUrl(url)
    ? []
    : [{ path: [...path, "url"], reason: "must end in a topic, such as https://ntfy.sh/my-agents" }]

const needProblems = (
  path: KeyProblem["path"],
  channel: RawSettings,
  type: string,
  fields: ReadonlyArray<Field>
): ReadonlyArray<KeyProblem> => {
  const has = (key: string) => channel[key] !== undefined
  const missing = fields
    .filter(({ key, required }) => required && !has(key))
    .map(({ key, note }) => ({ path: [...path, key], reason: `is missing: it must be ${note?.expects}` }))
  if (fields.every(({ key }) => key !== "url")) return missing
  if (has("url") && has("url_file"))
    return [{ path: [...path, "url"], reason: "does not go with url_file: keep one of the two" }]
  if (!has("url") && !has("url_file")) {
    const reason = "is missing: name a file with mode 0600 that holds the URL, or set url"
    return [{ path: [...path, "url_file"], reason }]
  }
  return type === "ntfy" ? topicProblem(path, channel["url"]) : []
}

/** The problems of the channels in the settings of a file. The schema alone would say that no type fits. */
export const channelProblems = (raw: RawSettings): ReadonlyArray<KeyProblem> => {
  const notify = raw["notify"]
  const to = isTable(notify) ? notify["to"] : undefined
  if (!isTable(to)) return []
  return Object.entries(to).flatMap(([name, channel]): ReadonlyArray<KeyProblem> => {
    const path = ["notify", "to", name]
    if (!isName(name))
      return [{ path, reason: "is not a name for a channel: 1 to 32 letters, digits, '_' or '-'" }]
    if (!isTable(channel)) return [{ path, reason: `must be a table ${example}` }]
    const type = channel["type"]
    const fields = typeof type === "string" ? fieldsOfType.get(type) : undefined
    return fields === undefined || typeof type !== "string"
      ? [typeProblem([...path, "type"], type)]
      : [...keyProblems(path, channel, type, fields), ...needProblems(path, channel, type, fields)]
  })
}
