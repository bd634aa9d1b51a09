import type { Followed } from "../relay/Followed.ts"
import type { Channel, NotifySettings } from "../settings/NotifySettings.ts"
import type { Zone } from "../text/LocalTime.ts"
import { newsStep } from "./News.ts"
import { isWaiting, type NotifyRules, policyStep } from "./NotifyPolicy.ts"
import { type ChannelState, enqueued, type NotifyState, newChannel } from "./NotifyState.ts"

/** The rules of a channel: its own, else those of `[notify]`. */
const rulesOf = (channel: Channel, settings: NotifySettings, zone: Zone): NotifyRules => ({
  kinds: channel.kinds ?? settings.kinds,
  minIntervalMs: channel.min_interval_ms ?? settings.minIntervalMs,
  quietHours: channel.quiet_hours ?? settings.quietHours,
  quietExcept: channel.quiet_except ?? settings.quietExcept,
  zone
})

/** What surrounds a step. `nowMs` is in milliseconds since 1970. */
interface Surroundings {
  readonly settings: NotifySettings
  readonly nowMs: number
  readonly zone: Zone
}

/**
 * The state after what the relay has learnt, or after some time without anything. What is to be sent waits in the
 * channels of the settings; others are forgotten.
 */
export const notifyStep = (
  state: NotifyState,
  followed: Followed | undefined,
  { nowMs, settings, zone }: Surroundings
): NotifyState => {
  const [news, items] = followed === undefined ? [state.news, []] : newsStep(state.news, followed, zone)
  const channelAfter = (name: string, channel: Channel): ChannelState => {
    const rules = rulesOf(channel, settings, zone)
    return [undefined, ...items].reduce<ChannelState>((before, item) => {
      const [policy, told] = policyStep(rules, before.policy, item, nowMs)
      return enqueued({ ...before, policy }, told)
    }, state.channels[name] ?? newChannel)
  }
  return {
    ...state,
    ...(followed?._tag === "Event"
      ? { cursor: { daemon: followed.record.daemon, seq: followed.record.seq } }
      : {}),
    news,
    channels: Object.fromEntries(
      Object.entries(settings.to).map(([name, channel]) => [name, channelAfter(name, channel)])
    )
  }
}

/** Whether time alone can bring something to send. */
export const isAnythingHeld = ({ channels }: NotifyState): boolean =>
  Object.values(channels).some(({ policy }) => isWaiting(policy))
