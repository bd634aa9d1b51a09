import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { chartView, defaultRange, rangeLinks, spanOf } from "../../Domain/chart/ChartView.ts"
import { healthMinutes, healthStrip } from "../../Domain/chart/HealthStrip.ts"
import type { Fragment } from "../../Domain/html/Html.ts"
import { isProjectName } from "../../Domain/ProjectNameRules.ts"
import type { DaemonSight } from "../../Domain/panel/DaemonSight.ts"
import { HistoryReader } from "../../Layers/history/HistoryReader.ts"
import { ChartSource } from "../../Layers/panel/ChartSource.ts"
import type { PageRequest } from "./PageParts.ts"

const hourMs = 3_600_000

/** Enough to know the state before the span. */
const beforeSpan = 200

/** More marks than a chart can show. */
const maxRecords = 5000

/** The memory chart and the strip of the last hour. They stay the same until there are new samples or events. */
export const chartContent = Effect.fnUntraced(function* (
  { project, range = defaultRange }: PageRequest,
  sight: DaemonSight
) {
  const source = yield* ChartSource
  const nowMs = yield* Clock.currentTimeMillis
  const selected = sight._tag === "Running" ? sight.projects.selected : undefined
  const name = project ?? (isProjectName(selected) ? selected : undefined)
  const span = spanOf(range, nowMs)
  const { read } = yield* HistoryReader
  // The history card says that the history cannot be read; the chart is drawn without marks.
  const records = yield* read({
    sinceMs: span.fromMs,
    atLeast: beforeSpan,
    limit: maxRecords,
    ...(name === undefined ? {} : { project: name })
  }).pipe(
    Effect.map((found) => found.records),
    Effect.orElseSucceed(() => [])
  )
  const { problem, samples } = yield* source.samples(span.toMs - span.fromMs)
  const lastHour = range === "1h" ? samples : (yield* source.samples(hourMs)).samples
  return [
    { id: "chart-ranges", content: rangeLinks(range, project) },
    { id: "memory-chart", content: chartView({ range, span, samples, records, project: name, problem }) },
    { id: "beats", content: healthStrip(healthMinutes(records, lastHour, name, nowMs)) }
  ] satisfies ReadonlyArray<Fragment>
})
