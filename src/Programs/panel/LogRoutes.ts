import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { Html, html } from "../../Domain/html/Html.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { LogChoice, LogPosition } from "../../Domain/panel/LogChoice.ts"
import { makeLogRow } from "../../Domain/panel/LogRow.ts"
import { logEnd, logHere, logMark, logMessage, logSize } from "../../Domain/panel/LogView.ts"
import { harmlessText } from "../../Domain/text/Printable.ts"
import {
  type LogWindow,
  linesAfter,
  linesAround,
  linesBefore,
  newestLines
} from "../../Layers/panel/LogWindow.ts"
import { refused } from "../../Layers/panel/PanelServer.ts"
import { rawLine, wholeLog } from "../../Layers/panel/WholeLog.ts"
import { AskedProject, asked } from "./Asked.ts"
import { chosenProject } from "./ChosenProject.ts"

const headers = { "cache-control": "no-store" }

const rowsAnswer = (...content: ReadonlyArray<Html>) =>
  HttpServerResponse.text(html`${content}`.text, { contentType: "text/html; charset=utf-8", headers })

const project = Schema.optional(AskedProject)

const LogRequest = Schema.Struct({
  ...LogChoice.fields,
  project,
  /** Lines before a position, after one, or around a time in milliseconds since 1970; otherwise the newest. */
  before: Schema.optional(LogPosition),
  after: Schema.optional(LogPosition),
  at: Schema.optional(Schema.NumberFromString.pipe(Schema.between(0, 8.64e15)))
})
type LogRequest = typeof LogRequest.Type

const windowOf = (name: ProjectName, request: LogRequest) => {
  const row = makeLogRow(request)
  if (request.before !== undefined) return linesBefore(name, request.before, row)
  if (request.after !== undefined) return linesAfter(name, request.after, row)
  if (request.at !== undefined) return linesAround(name, request.at, row)
  return newestLines(name, row)
}

/** Where older lines begin, in words, unless the rows just go on. */
const topMark = ({ bytes, isCutShort, older, rows }: LogWindow, { after, before }: LogRequest) => {
  if (after !== undefined) return undefined
  if (older === undefined)
    return logMark(
      bytes === 0
        ? "The worker has printed nothing yet."
        : rows.length === 0 && before === undefined
          ? "No line matches."
          : "The log begins here."
    )
  return isCutShort ? logMark("Searched back to here: load older lines to go on.", older) : logEnd(older)
}

/** The rows of a window between what says where it begins and ends. */
export const windowRows = (window: LogWindow, request: LogRequest): ReadonlyArray<Html> => {
  const { isCutShort, newer, rows, rowsBefore } = window
  const top = topMark(window, request)
  return [
    ...(top === undefined ? [] : [top]),
    ...(request.at === undefined ? rows : [...rows.slice(0, rowsBefore), logHere, ...rows.slice(rowsBefore)]),
    ...(request.after !== undefined && isCutShort
      ? [logMark("Searched up to here: load newer lines to go on.")]
      : []),
    ...(newer === undefined ? [] : [logEnd(newer)])
  ]
}

/** The longest line that is stored has 256 KiB; more than one stands at a place only in a damaged file. */
const maxRaw = 300 * 1024

/** `GET /ui/log`: rows. `/ui/log/line?at=POSITION`: a line as it is stored. `/ui/log/download`: all of the log. */
export const logRoutes = HttpRouter.empty.pipe(
  HttpRouter.get(
    "/",
    Effect.gen(function* () {
      const request = yield* asked(LogRequest)
      const name = yield* chosenProject(request.project)
      const window = yield* windowOf(name, request)
      const size = new Html(logMessage("log-size", "innerHTML", [logSize(window.bytes, window.from)]))
      return rowsAnswer(...windowRows(window, request), size)
    }).pipe(
      Effect.catchTags({
        NoLogChosen: ({ message }) => Effect.succeed(rowsAnswer(logMark(message))),
        LogUnreadable: ({ message }) => Effect.succeed(rowsAnswer(logMark(message)))
      })
    )
  ),
  HttpRouter.get(
    "/line",
    Effect.gen(function* () {
      const { at, project: named } = yield* asked(Schema.Struct({ project, at: LogPosition }))
      const line = yield* rawLine(yield* chosenProject(named), at)
      return rowsAnswer(
        html`${line === undefined ? "This line is no longer kept." : harmlessText(line.slice(0, maxRaw))}`
      )
    }).pipe(
      Effect.catchTags({
        NoLogChosen: ({ message }) => Effect.succeed(rowsAnswer(html`${message}`)),
        LogUnreadable: ({ message }) => Effect.succeed(rowsAnswer(html`${message}`))
      })
    )
  ),
  HttpRouter.get(
    "/download",
    Effect.gen(function* () {
      const { project: named } = yield* asked(Schema.Struct({ project }))
      const name = yield* chosenProject(named)
      const context = yield* Effect.context<Stream.Stream.Context<ReturnType<typeof wholeLog>>>()
      return HttpServerResponse.stream(Stream.provideContext(wholeLog(name), context), {
        contentType: "text/plain; charset=utf-8",
        headers: { ...headers, "content-disposition": `attachment; filename="${name}.log"` }
      })
    }).pipe(Effect.catchTag("NoLogChosen", ({ message }) => Effect.succeed(refused(404, message))))
  )
)
