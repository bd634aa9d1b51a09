import type * as HttpClient from "@effect/platform/HttpClient"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { freshState } from "../../Domain/notify/NotifyState.ts"
import { isAnythingHeld, notifyStep } from "../../Domain/notify/NotifyStep.ts"
import type { Followed } from "../../Domain/relay/Followed.ts"
import type { NotifySettings } from "../../Domain/settings/NotifySettings.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import { localZone } from "../../Layers/machine/TimeZone.ts"
import { deliver, notifyLedger } from "../../Layers/notify/Deliveries.ts"
import { loadNotifyState, saveNotifyState, setAsideNotifyState } from "../../Layers/notify/NotifiedUpTo.ts"
import { sendTo } from "../../Layers/notify/Sending.ts"
import { Following } from "../../Layers/relay/Following.ts"
import type { OutletReports } from "../../Layers/relay/OutletReports.ts"

/** Quiet hours and intervals end to this accuracy. */
const tick = "15 seconds"

const load = loadNotifyState.pipe(
  Effect.catchTag("NotifyStateError", ({ message }) =>
    Effect.logWarning(`What was told before is not known: ${message} Some of it may be told again.`).pipe(
      Effect.zipRight(setAsideNotifyState),
      Effect.as(freshState)
    )
  )
)

/**
 * Follows a daemon, and tells the channels of the settings what happens. Each notification is on the disk before it is
 * sent, and leaves it when it has arrived or is given up. Never ends.
 */
export const notifier = (
  settings: NotifySettings
): Effect.Effect<never, never, Following | AutopilotHome | OutletReports | HttpClient.HttpClient> =>
  Effect.gen(function* () {
    const following = yield* Following
    const home = yield* AutopilotHome
    const zone = yield* localZone
    const before = yield* load
    const ledger = yield* notifyLedger(before, (state) =>
      Effect.provideService(saveNotifyState(state), AutopilotHome, home)
    )
    const learn = (followed: Followed | undefined) =>
      Effect.flatMap(Clock.currentTimeMillis, (nowMs) =>
        ledger.change((state) => notifyStep(state, followed, { settings, nowMs, zone }))
      )
    const passTime = Effect.whenEffect(
      learn(undefined),
      Effect.map(SubscriptionRef.get(ledger.state), isAnythingHeld)
    )
    // What has waited for the relay to start, and the channels that the settings do not have any more.
    yield* learn(undefined)
    const channels = Object.entries(settings.to).map(([name, channel]) =>
      deliver(ledger, name, (notification) => sendTo(channel, notification, zone))
    )
    yield* Effect.all(
      [
        Stream.runForEach(following.from(before.cursor), learn),
        Effect.repeat(passTime, Schedule.spaced(tick)),
        ...channels
      ],
      { concurrency: "unbounded", discard: true }
    )
    return yield* Effect.never
  })
