import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import type { SubscriptionLine } from "../../Domain/control/Subscription.ts"
import { subscriptionText } from "../../Domain/control/SubscriptionText.ts"
import { type HostProblem, hostPrefix, oneLine } from "../../Domain/fleet/FleetText.ts"
import { projectOf } from "../../Domain/history/DaemonEvent.ts"
import type { Followed } from "../../Domain/relay/Followed.ts"
import { localTime } from "../../Domain/text/LocalTime.ts"
import { styled } from "../../Domain/text/Style.ts"
import { ControlClient, layerOver } from "../../Layers/control/ControlClient.ts"
import { subscribe } from "../../Layers/control/SubscriptionClient.ts"
import { localZone } from "../../Layers/machine/TimeZone.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { follow, remoteRetryDelays } from "../../Layers/relay/Follow.ts"
import { jsonLine } from "../TwinKeys.ts"
import { fleetMembers, type Member, problemFrom } from "./FleetMembers.ts"

/** What a follower learns, as a line of a subscription or as a problem of its host. */
const lineOf = (followed: Followed): SubscriptionLine | HostProblem | undefined => {
  switch (followed._tag) {
    case "Unreachable":
      // The first failed attempt has been told with its reason.
      return undefined
    case "Connected":
      return {
        type: "snapshot",
        at: followed.atMs,
        status: followed.status,
        projects: followed.projects
      }
    case "Event": {
      const { at, daemon, seq, ...event } = followed.record
      const project = projectOf(event)
      return { type: "event", at, ...(project === undefined ? {} : { project }), daemon, seq, event }
    }
    case "Missed":
      return { code: "not_readable", reason: "Events are missing here: the history does not have them." }
    case "Vanished":
      return { code: "no_daemon", reason: "The daemon has vanished: it was killed, or it crashed." }
    case "Ended":
      return { code: "no_daemon", reason: "The daemon has stopped." }
  }
}

/** `autopilotd fleet watch`: the events of all hosts as they happen, each behind the name of its host. */
export const fleetWatch = Effect.fnUntraced(function* (invocation: Invocation) {
  const { colour, part } = yield* CommandOutput
  const zone = yield* localZone
  const members = yield* fleetMembers(invocation)
  const isJson = invocation.options.json === true

  const tell = (member: Member) => {
    const prefix = hostPrefix(member, members, colour)
    const problemLine = Effect.fnUntraced(function* ({ reason }: HostProblem) {
      const nowMs = yield* Clock.currentTimeMillis
      const text = oneLine(reason)
      return `${prefix}${localTime(nowMs, zone)} ${colour ? styled("error", text) : text}\n`
    })
    return Effect.fnUntraced(function* (line: SubscriptionLine | HostProblem) {
      const isProblem = "reason" in line
      const text = isJson
        ? jsonLine({ host: member.name, ...(isProblem ? line : { line }) })
        : isProblem
          ? yield* problemLine(line)
          : subscriptionText(line, { colour, zone })
              .flatMap((entry) => entry.split("\n"))
              .map((each) => `${prefix}${each}\n`)
              .join("")
      if (text !== "") yield* part(Buffer.from(text))
    })
  }

  const watch = Effect.fnUntraced(function* (member: Member) {
    const { request } = yield* ControlClient
    const say = tell(member)
    let isLost = false
    const lost = (problem: HostProblem) =>
      Effect.suspend(() => {
        if (isLost) return Effect.void
        isLost = true
        return say(problem)
      })
    const lines = subscribe(member.connection, {}).pipe(
      Stream.tapError((error) => Effect.orDie(lost(problemFrom(error))))
    )
    const followed = follow({
      lines,
      request,
      ...(member.remote === undefined ? {} : { retryDelays: remoteRetryDelays })
    })
    yield* Stream.runForEach(followed(undefined), (one) => {
      if (one._tag === "Connected") isLost = false
      // A daemon that is gone is told by this, not once more by the next attempt.
      if (one._tag === "Vanished" || one._tag === "Ended") isLost = true
      const line = lineOf(one)
      return line === undefined ? Effect.void : say(line)
    })
  })

  yield* Effect.forEach(members, (member) => Effect.provide(watch(member), layerOver(member.connection)), {
    concurrency: "unbounded",
    discard: true
  }).pipe(Effect.catchTag("ReaderGone", () => Effect.void))
})
