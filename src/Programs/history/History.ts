import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { timeRange } from "../../Domain/cli/SinceInstant.ts"
import { UsageError } from "../../Domain/cli/UsageError.ts"
import { eventCount, type HistoryQuestion, historyData, needed } from "../../Domain/history/HistoryData.ts"
import { historyText } from "../../Domain/history/HistoryText.ts"
import { HistoryReader } from "../../Layers/history/HistoryReader.ts"
import { localZone } from "../../Layers/machine/TimeZone.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { sayDone } from "../Answer.ts"
import { refuseUnknown } from "./KnownProject.ts"

/** The number of events without `-n` and `--since`. */
const defaultLimit = 20

/** `autopilotd history`: reads the events from the file, with or without a daemon. */
export const history = Effect.fnUntraced(function* (invocation: Invocation) {
  const { read } = yield* HistoryReader
  const { options } = invocation
  const { colour, columns } = yield* CommandOutput
  const nowMs = yield* Clock.currentTimeMillis
  const zone = yield* localZone
  const { sinceMs, untilMs } = yield* Either.mapLeft(
    timeRange(options, nowMs, zone),
    (problem) => new UsageError({ problem, help: "autopilotd history --help" })
  )
  const byDefault = sinceMs === undefined ? defaultLimit : Number.POSITIVE_INFINITY
  const question: HistoryQuestion = { sinceMs, untilMs, limit: options.lines ?? byDefault }
  const found = yield* read({
    ...needed(question, nowMs, zone),
    ...(options.project === undefined ? {} : { project: options.project })
  })
  yield* refuseUnknown(options.project, found.records)
  const data = historyData(found, question, nowMs, zone)
  yield* sayDone(
    invocation,
    { message: eventCount(data.records.length), data },
    historyText(found, question, { nowMs, zone, colour, columns, isLong: options.long })
  )
})
