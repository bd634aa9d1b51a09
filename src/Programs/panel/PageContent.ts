import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ProjectName } from "../../Domain/Project.ts"
import { bannerView, needsExplanation } from "../../Domain/panel/BannerView.ts"
import { ChartRange } from "../../Domain/panel/ChartView.ts"
import { controlsView } from "../../Domain/panel/ControlsView.ts"
import { type Fragment, html } from "../../Domain/panel/Html.ts"
import { projectNav } from "../../Domain/panel/ProjectNav.ts"
import { stateView, stateWords } from "../../Domain/panel/StateView.ts"
import { DaemonWatch } from "../../Layers/panel/DaemonWatch.ts"
import { explanationOf } from "../history/Why.ts"
import { chartContent } from "./ChartContent.ts"
import { historyContent } from "./HistoryContent.ts"

/** What a page shows: the query of its address. */
export const PageRequest = Schema.Struct({
  /** Absent: the selected project. */
  project: Schema.optional(ProjectName),
  /** The time range of the memory chart. Absent: one hour. */
  range: Schema.optional(ChartRange)
})
export type PageRequest = typeof PageRequest.Type

/** All pieces of a page that change, as they are now. */
export const pageContent = Effect.fnUntraced(function* (request: PageRequest) {
  const { project } = request
  const { look } = yield* DaemonWatch
  const sight = yield* look(project)
  const nowMs = yield* Clock.currentTimeMillis
  const status = sight._tag === "Running" ? sight.status : undefined
  const explanation = needsExplanation(sight)
    ? yield* Effect.option(explanationOf(status, project === undefined ? {} : { project }))
    : undefined
  const { headline, tone, word } = stateWords(sight)
  const name = status?.project ?? project ?? ""
  const fragments: ReadonlyArray<Fragment> = [
    { id: "projects", content: projectNav(sight, project) },
    {
      id: "banner",
      content: bannerView(sight, explanation?._tag === "Some" ? explanation.value : undefined)
    },
    { id: "daemon-status-content", content: stateView(sight, nowMs) },
    { id: "controls", content: controlsView(sight) },
    // Spoken by screen readers, so it changes only with the state.
    { id: "spoken-state", content: html`${name === "" ? headline : `${name}: ${headline}`}` },
    {
      id: "page-state",
      content: html`<span data-tone="${tone}" data-word="${word}" data-project="${name}"></span>`
    }
  ]
  return [...fragments, ...(yield* chartContent(request, sight)), ...(yield* historyContent(request))]
})
