import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { channelsText, listedChannels, noChannel, testNotification } from "../../Domain/notify/ChannelList.ts"
import { counted } from "../../Domain/text/Amounts.ts"
import { nearestName } from "../../Domain/text/NearestName.ts"
import { quoted } from "../../Domain/text/Printable.ts"
import { localZone } from "../../Layers/machine/TimeZone.ts"
import { loadNotifyState } from "../../Layers/notify/NotifiedUpTo.ts"
import { sendTo } from "../../Layers/notify/Sending.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import * as SettingsFile from "../../Layers/settings/SettingsFile.ts"
import { loadSettings } from "../../Layers/settings/SettingsLoader.ts"
import { sayDone } from "../Answer.ts"
import { Refused } from "../Refused.ts"
import { sourcesOf } from "../Sources.ts"

const settingsOf = (invocation: Invocation) =>
  Effect.flatMap(sourcesOf(invocation), loadSettings).pipe(
    Effect.map(({ notify }) => notify),
    Effect.provide(SettingsFile.layer)
  )

interface Tested {
  readonly name: string
  readonly type: string
  readonly sent: boolean
  readonly reason?: string
}

const textOf = (tested: ReadonlyArray<Tested>): string =>
  tested.map(({ name, reason, type }) => `${name} (${type}) ${reason ?? "has taken the test"}.\n`).join("")

/** `autopilotd notify test`: sends a notification to one channel or to all, and says what came of it. */
export const notifyTest = Effect.fnUntraced(function* (invocation: Invocation) {
  const { out } = yield* CommandOutput
  const { to } = yield* settingsOf(invocation)
  const { channel: wanted } = invocation.args
  const names = Object.keys(to)
  if (names.length === 0) return yield* new Refused({ reason: noChannel, code: "no_channel" })
  if (wanted !== undefined && !names.includes(wanted)) {
    const nearest = nearestName(wanted, names)
    const hint = nearest === undefined ? `The channels are: ${names.join(", ")}.` : `Did you mean ${nearest}?`
    return yield* new Refused({
      reason: `There is no channel ${quoted(wanted)} in the settings. ${hint}`,
      code: "unknown_channel"
    })
  }
  const nowMs = yield* Clock.currentTimeMillis
  const zone = yield* localZone
  const chosen = Object.entries(to).filter(([name]) => wanted === undefined || name === wanted)
  const sent = yield* Effect.forEach(
    chosen,
    ([name, channel]) =>
      Effect.map(
        Effect.either(sendTo(channel, testNotification(nowMs), zone)),
        (result): Tested => ({
          name,
          type: channel.type,
          sent: Either.isRight(result),
          ...(Either.isLeft(result) ? { reason: result.left.reason } : {})
        })
      ),
    { concurrency: "unbounded" }
  ).pipe(Effect.provide(NodeHttpClient.layer))
  const failed = sent.filter((one) => !one.sent).map(({ name }) => name)
  if (failed.length === 0)
    return yield* sayDone(
      invocation,
      { message: "The test was sent", data: { channels: sent } },
      textOf(sent)
    )
  if (invocation.options.json !== true) yield* out(textOf(sent))
  return yield* new Refused({
    reason: `The test was not sent to: ${failed.join(", ")}.`,
    code: "not_sent",
    data: { channels: sent }
  })
})

/** `autopilotd notify list`: the channels, when each was last reached, and what waits for it. */
export const notifyList = Effect.fnUntraced(function* (invocation: Invocation) {
  const { columns } = yield* CommandOutput
  const settings = yield* settingsOf(invocation)
  const state = yield* loadNotifyState
  const channels = listedChannels(settings, state)
  const nowMs = yield* Clock.currentTimeMillis
  const zone = yield* localZone
  yield* sayDone(
    invocation,
    { message: counted(channels.length, "channel"), data: { channels } },
    channelsText(channels, { columns, nowMs, zone })
  )
})
