import * as Effect from "effect/Effect"
import { type Fragment, html } from "../../Domain/html/Html.ts"
import { historyProblem, historyTable } from "../../Domain/panel/HistoryView.ts"
import type { RunEnd } from "../../Domain/panel/RunEnds.ts"
import { RunHistory } from "../../Layers/panel/RunHistory.ts"

/** The ends of a project's runs, the newest first. */
export const endsOf = (
  project: string | undefined
): Effect.Effect<{ readonly ends: ReadonlyArray<RunEnd>; readonly problem?: string }, never, RunHistory> =>
  Effect.flatMap(RunHistory, ({ ends }) => ends).pipe(
    Effect.map((all) => ({
      ends: project === undefined ? all : all.filter((end) => end.project === project)
    })),
    Effect.catchAll(({ message: problem }) => Effect.succeed({ ends: [], problem }))
  )

/** The restart history of the project that the page shows. */
export const historyContent = (
  project: string | undefined
): Effect.Effect<ReadonlyArray<Fragment>, never, RunHistory> =>
  Effect.map(endsOf(project), ({ ends, problem }) => [
    {
      id: "history-rows",
      content: problem === undefined ? historyTable(ends) : historyProblem(problem)
    },
    { id: "history-count", content: html`${ends.length}` }
  ])
