import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { ChartRange } from "../../Domain/chart/ChartView.ts"
import { type Fragment, html, nothing } from "../../Domain/html/Html.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { allPieces, allWords } from "../../Domain/panel/AllView.ts"
import { bannerView, needsExplanation } from "../../Domain/panel/BannerView.ts"
import { agentCard, daemonCard } from "../../Domain/panel/CardView.ts"
import { controlsView, daemonControlsView } from "../../Domain/panel/ControlsView.ts"
import type { DaemonSight } from "../../Domain/panel/DaemonSight.ts"
import { hostsPieces } from "../../Domain/panel/HostsView.ts"
import { projectNav } from "../../Domain/panel/ProjectNav.ts"
import { PageKind } from "../../Domain/panel/Shell.ts"
import { type StateWords, stateView, stateWords } from "../../Domain/panel/StateView.ts"
import { tabView } from "../../Domain/panel/TabView.ts"
import { DaemonWatch } from "../../Layers/panel/DaemonWatch.ts"
import { HostsWatch } from "../../Layers/panel/HostsWatch.ts"
import { ServiceSight } from "../../Layers/panel/ServiceSight.ts"
import { explanationOf } from "../history/Why.ts"
import { AskedProject } from "./Asked.ts"
import { chartContent } from "./ChartContent.ts"
import { endsOf, historyContent } from "./HistoryContent.ts"

/** What a page shows: the query of its address. */
export const PageRequest = Schema.Struct({
  /** Absent: the full page. */
  page: Schema.optional(PageKind),
  /** Absent: the selected project. */
  project: Schema.optional(AskedProject),
  /** The time range of the memory chart. Absent: one hour. */
  range: Schema.optional(ChartRange)
})
export type PageRequest = typeof PageRequest.Type

/** Why the worker does not run, above everything. It stays the same until the state or the history changes. */
const bannerOf = Effect.fnUntraced(function* (sight: DaemonSight, project: ProjectName | undefined) {
  const status = sight._tag === "Running" ? sight.status : undefined
  const explanation = needsExplanation(sight, yield* Clock.currentTimeMillis)
    ? yield* explanationOf(status, project === undefined ? {} : { project }, {
        isLasting: true,
        service: sight._tag === "NotRunning" ? yield* (yield* ServiceSight).trouble : undefined
      }).pipe(
        // The history card says that the history cannot be read.
        Effect.option
      )
    : undefined
  return [
    {
      id: "banner",
      content: bannerView(sight, explanation?._tag === "Some" ? explanation.value : undefined)
    }
  ] satisfies ReadonlyArray<Fragment>
})

/** The state for screen readers, and for the title and the icon of the tab. It changes only with the state. */
const stateOfTab = ({ headline, tone, word }: StateWords, name: string): ReadonlyArray<Fragment> => [
  { id: "spoken-state", content: html`${name === "" ? headline : `${name}: ${headline}`}` },
  { id: "page-state", content: tabView({ tone, word }, name) }
]

/** The project that the page shows, as far as it is known without the daemon. */
const shownIn = (sight: DaemonSight, project: ProjectName | undefined): string | undefined =>
  sight._tag === "Running" ? (sight.status?.project ?? project ?? sight.projects.selected) : project

/** Pieces that become known together. */
type Part = Effect.Effect<
  ReadonlyArray<Fragment>,
  never,
  Effect.Effect.Context<ReturnType<typeof bannerOf | typeof chartContent | typeof historyContent>>
>

/**
 * All pieces of a page that change, as they are now, in parts: the state of the worker first, which must not wait for the
 * history.
 */
export const pageParts = Effect.fnUntraced(function* (
  request: PageRequest
): Effect.fn.Return<ReadonlyArray<Part>, never, DaemonWatch | HostsWatch> {
  const { page = "full", project } = request
  const { look } = yield* DaemonWatch
  const hosts = Effect.map((yield* HostsWatch).look, hostsPieces)
  const sight = yield* look(project)
  const nowMs = yield* Clock.currentTimeMillis
  const shown = shownIn(sight, project)
  const ofTab = stateOfTab(stateWords(sight), shown ?? "")
  switch (page) {
    case "full":
      return [
        Effect.succeed([
          { id: "projects", content: projectNav(sight, { name: project }) },
          { id: "daemon-status-content", content: stateView(sight, nowMs) },
          { id: "controls", content: controlsView(sight) },
          ...ofTab
        ]),
        hosts,
        bannerOf(sight, project),
        chartContent(request, sight),
        historyContent(shown)
      ]
    case "card":
      return [
        Effect.succeed([
          { id: "daemon-status-content", content: daemonCard(sight, nowMs) },
          { id: "controls", content: controlsView(sight) },
          ...ofTab
        ]),
        Effect.map(endsOf(shown), ({ ends }) => [
          { id: "agent-content", content: agentCard(sight, ends, nowMs) }
        ])
      ]
    case "all":
      return [
        Effect.succeed([
          { id: "projects", content: projectNav(sight, "all") },
          { id: "all-state", content: html`${allWords(sight).headline}` },
          { id: "controls", content: daemonControlsView(sight) },
          ...allPieces(sight, nowMs),
          ...stateOfTab(allWords(sight), "")
        ]),
        hosts,
        // With a daemon each project says its own reason.
        sight._tag === "Running"
          ? Effect.succeed([{ id: "banner", content: nothing }])
          : bannerOf(sight, undefined)
      ]
  }
})

/** All pieces of a page at once. */
export const pageContent = (request: PageRequest) =>
  Effect.flatMap(pageParts(request), (parts) =>
    Effect.map(Effect.all(parts), (fragments) => fragments.flat())
  )
