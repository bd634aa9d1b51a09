import type * as HttpClient from "@effect/platform/HttpClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { channelMessage, withoutSecrets } from "../../Domain/notify/ChannelMessage.ts"
import type { Notification } from "../../Domain/notify/Notification.ts"
import type { Channel } from "../../Domain/settings/NotifySettings.ts"
import type { Zone } from "../../Domain/text/LocalTime.ts"
import { hostName, OtherMachine } from "../machine/HostName.ts"
import { channelTarget } from "./ChannelTarget.ts"
import { runHook } from "./CommandHook.ts"
import { showNotice } from "./DesktopNotice.ts"
import { NotSent } from "./NotSent.ts"
import { sendRequest } from "./WebRequest.ts"

/** Sends a notification to a channel: one attempt, whose duration is limited. */
export const sendTo = (
  channel: Channel,
  notification: Notification,
  zone: Zone
): Effect.Effect<void, NotSent, HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const target = yield* channelTarget(channel)
    const nowMs = yield* Clock.currentTimeMillis
    const isElsewhere = (yield* OtherMachine) !== undefined
    const message = channelMessage(target, notification, { host: yield* hostName, isElsewhere, nowMs, zone })
    const sent =
      message._tag === "Request"
        ? sendRequest(message)
        : message._tag === "Show"
          ? showNotice(message)
          : runHook(message)
    yield* Effect.mapError(
      sent,
      ({ next, reason }) => new NotSent({ next, reason: withoutSecrets(reason, target) })
    )
  })
