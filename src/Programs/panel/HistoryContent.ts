import * as Effect from "effect/Effect"
import { type Fragment, html } from "../../Domain/html/Html.ts"
import { historyProblem, historyTable } from "../../Domain/panel/HistoryView.ts"
import { type RunEnd, runEndsIn } from "../../Domain/panel/RunEnds.ts"
import { HistoryReader } from "../../Layers/history/HistoryReader.ts"

/** The ends of a project's runs, the newest first. */
export const endsOf = (
  project: string | undefined
): Effect.Effect<{ readonly ends: ReadonlyArray<RunEnd>; readonly problem?: string }, never, HistoryReader> =>
  Effect.flatMap(HistoryReader, ({ read }) => read({})).pipe(
    Effect.map(({ records }) => ({
      ends: runEndsIn(records)
        .filter((end) => project === undefined || end.project === project)
        .toReversed()
    })),
    Effect.catchAll(({ message: problem }) => Effect.succeed({ ends: [], problem }))
  )

/** The restart history of the project that the page shows. */
export const historyContent = (
  project: string | undefined
): Effect.Effect<ReadonlyArray<Fragment>, never, HistoryReader> =>
  Effect.map(endsOf(project), ({ ends, problem }) => [
    {
      id: "history-rows",
      content: problem === undefined ? historyTable(ends) : historyProblem(problem)
    },
    { id: "history-count", content: html`${ends.length}` }
  ])
