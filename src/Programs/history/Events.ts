import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { timeRange } from "../../Domain/cli/SinceInstant.ts"
import { UsageError } from "../../Domain/cli/UsageError.ts"
import type { SubscriptionLine } from "../../Domain/control/Subscription.ts"
import { subscriptionText } from "../../Domain/control/SubscriptionText.ts"
import { projectOf } from "../../Domain/history/DaemonEvent.ts"
import { answering, needed } from "../../Domain/history/HistoryData.ts"
import type { HistoryRecord } from "../../Domain/history/HistoryRecord.ts"
import { noEvents } from "../../Domain/history/HistoryText.ts"
import { localConnection } from "../../Layers/control/ControlClient.ts"
import { subscribe } from "../../Layers/control/SubscriptionClient.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import { HistoryReader } from "../../Layers/history/HistoryReader.ts"
import { localZone } from "../../Layers/machine/TimeZone.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { Refused } from "../Refused.ts"
import { jsonLine } from "../TwinKeys.ts"

/** The number of events without `-n` and `--since`; a follower shows none by default. */
const defaultLimit = 20

const lineOf = ({ at, daemon: _daemon, seq: _seq, ...event }: HistoryRecord): SubscriptionLine => {
  const project = projectOf(event)
  return { type: "event", at, ...(project === undefined ? {} : { project }), event }
}

/** `autopilotd events`: the last events, and with --follow what the daemon sends to a subscriber. */
export const events = Effect.fnUntraced(function* ({ options }: Invocation) {
  const { follow = false, json = false, lines, project } = options
  const { socket } = yield* AutopilotHome
  const { read } = yield* HistoryReader
  const { colour, out, part } = yield* CommandOutput
  const zone = yield* localZone
  const nowMs = yield* Clock.currentTimeMillis
  const range = timeRange(options, nowMs, zone)
  if (typeof range === "string")
    return yield* Effect.fail(new UsageError({ problem: range, help: "autopilotd events --help" }))
  const { sinceMs, untilMs } = range

  const tell = (line: SubscriptionLine) => {
    const text = json
      ? line.type === "alive"
        ? ""
        : jsonLine(line)
      : subscriptionText(line, { colour, zone })
          .map((each) => `${each}\n`)
          .join("")
    return text === "" ? Effect.void : part(Buffer.from(text))
  }

  const earlier = Effect.gen(function* () {
    const isRange = sinceMs !== undefined || untilMs !== undefined
    const byDefault = isRange ? Number.POSITIVE_INFINITY : follow ? 0 : defaultLimit
    const question = { sinceMs, untilMs, limit: lines ?? byDefault }
    if (question.limit === 0) return
    const { records } = yield* read({
      ...needed(question, nowMs, zone),
      ...(project === undefined ? {} : { project })
    })
    const shown = answering(records, question)
    if (shown.length === 0 && !follow && !json) yield* out(`${noEvents(question, zone)}\n`)
    for (const record of shown) yield* tell(lineOf(record))
  })

  const later = Effect.gen(function* () {
    yield* Stream.runForEach(
      subscribe(localConnection(socket), project === undefined ? {} : { project }),
      tell
    )
    return yield* new Refused({
      reason:
        "The daemon sends no more events: it has stopped, or hangs. Its log says more: autopilotd logs --daemon",
      code: "no_daemon"
    })
  })

  yield* Effect.zipRight(earlier, follow ? later : Effect.void).pipe(
    Effect.catchTag("ReaderGone", () => Effect.void)
  )
})
