import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ControlQuestion } from "../../Domain/control/ControlProtocol.ts"
import {
  defaultHistoryEvents,
  type HistoryData,
  historyData,
  needed
} from "../../Domain/history/HistoryData.ts"
import { HistoryReader, type HistoryUnreadable } from "../history/HistoryReader.ts"

/** What has happened, as the control socket tells it. */
export class HistoryReport extends Context.Tag("HistoryReport")<
  HistoryReport,
  {
    readonly last: (
      question: Extract<ControlQuestion, { readonly type: "History" }>
    ) => Effect.Effect<HistoryData, HistoryUnreadable>
  }
>() {}

/** The daemon must not hold a whole history in memory: restarts are counted among so many events. */
const maxRead = 5000

export const layer: Layer.Layer<HistoryReport, never, HistoryReader> = Layer.effect(
  HistoryReport,
  Effect.map(HistoryReader, ({ read }) => ({
    last: Effect.fnUntraced(function* ({ limit = defaultHistoryEvents, project, since_ms: sinceMs }) {
      const nowMs = yield* Clock.currentTimeMillis
      const zone = DateTime.zoneMakeLocal()
      const question = { sinceMs, limit }
      const found = yield* read({
        ...needed(question, nowMs, zone),
        limit: maxRead,
        ...(project === undefined ? {} : { project })
      })
      return historyData(found, question, nowMs, zone)
    })
  }))
)
