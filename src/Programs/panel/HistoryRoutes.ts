import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { historyPage } from "../../Domain/panel/HistoryView.ts"
import { DaemonWatch } from "../../Layers/panel/DaemonWatch.ts"
import { AskedProject, asked } from "./Asked.ts"
import { endsOf } from "./HistoryContent.ts"

/** What the full list asks for. */
const RowsRequest = Schema.Struct({
  project: Schema.optional(AskedProject),
  /** The rows that it has already. */
  skip: Schema.optional(Schema.NumberFromString.pipe(Schema.nonNegative(), Schema.int()))
})

/** `GET /ui/history/rows?project=NAME&skip=N`: a part of the restart history. */
export const historyRoutes = HttpRouter.empty.pipe(
  HttpRouter.get(
    "/rows",
    Effect.gen(function* () {
      const { project, skip = 0 } = yield* asked(RowsRequest)
      const { look } = yield* DaemonWatch
      const sight = yield* look(project)
      const shown = project ?? (sight._tag === "Running" ? sight.projects.selected : undefined)
      const { ends } = yield* endsOf(shown)
      return HttpServerResponse.text(historyPage(ends, skip).text, {
        contentType: "text/html; charset=utf-8"
      })
    })
  )
)
