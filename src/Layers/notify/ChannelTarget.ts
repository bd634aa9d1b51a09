import * as Effect from "effect/Effect"
import type { Target } from "../../Domain/notify/ChannelMessage.ts"
import { type Channel, isTopicUrl, isWebUrl } from "../../Domain/settings/NotifySettings.ts"
import { readTextFile } from "../files/TextFile.ts"
import { NotSent } from "./NotSent.ts"

const unusable = (reason: string) => new NotSent({ reason, next: "retry" })

/** The first line of a file: it may be repaired at any time, so each attempt reads it. */
const secretIn = (path: string): Effect.Effect<string, NotSent> =>
  readTextFile(path).pipe(
    Effect.map(({ text }) => text.trim().split("\n")[0]?.trim() ?? ""),
    Effect.mapError(({ message }) => unusable(`is not usable: ${message.replace(/\.$/, "")}`))
  )

const urlOf = Effect.fnUntraced(function* (channel: Extract<Channel, { url?: string; url_file?: string }>) {
  if (channel.url !== undefined) return channel.url
  if (channel.url_file === undefined) return yield* unusable("has no URL")
  const url = yield* secretIn(channel.url_file)
  if (!isWebUrl(url))
    return yield* unusable(
      `is not usable: the first line of ${channel.url_file} is no URL that begins with https:// or http://`
    )
  if (channel.type === "ntfy" && !isTopicUrl(url))
    return yield* unusable(
      `is not usable: the URL in ${channel.url_file} must end in a topic, such as https://ntfy.sh/my-agents`
    )
  return url
})

/** Reads what stands in the files of a channel. No message quotes them. */
export const channelTarget = Effect.fnUntraced(function* (channel: Channel) {
  switch (channel.type) {
    case "desktop":
      return { type: "desktop" } satisfies Target
    case "command":
      return { type: "command", argv: channel.argv } satisfies Target
    case "slack":
      return { type: "slack", url: yield* urlOf(channel) } satisfies Target
    case "ntfy": {
      const url = yield* urlOf(channel)
      if (channel.token_file === undefined) return { type: "ntfy", url } satisfies Target
      const token = yield* secretIn(channel.token_file)
      if (!/^[!-~]+$/.test(token))
        return yield* unusable(`is not usable: the first line of ${channel.token_file} is no token`)
      return { type: "ntfy", url, token } satisfies Target
    }
    case "webhook": {
      const url = yield* urlOf(channel)
      if (channel.secret_file === undefined) return { type: "webhook", url } satisfies Target
      const secret = yield* secretIn(channel.secret_file)
      if (!/^(whsec_)?[A-Za-z0-9+/]{16,}={0,2}$/.test(secret))
        return yield* unusable(
          `is not usable: the first line of ${channel.secret_file} must be whsec_ and a secret in base64, such as of: openssl rand -base64 32`
        )
      return { type: "webhook", url, secret } satisfies Target
    }
  }
})
