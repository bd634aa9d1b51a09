import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { html } from "../../Domain/html/Html.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { isProjectName } from "../../Domain/ProjectNameRules.ts"
import { LogFollow } from "../../Domain/panel/LogChoice.ts"
import { makeLogRow } from "../../Domain/panel/LogRow.ts"
import { linesSkipped, logEnd, logMark, logMessage } from "../../Domain/panel/LogView.ts"
import { DaemonWatch } from "../../Layers/panel/DaemonWatch.ts"
import { freshLines, newestLines } from "../../Layers/panel/LogWindow.ts"
import type { Page } from "../../Layers/panel/PageSocket.ts"
import { logSign } from "../../Layers/panel/WholeLog.ts"
import { chosenProject } from "./ChosenProject.ts"
import { windowRows } from "./LogRoutes.ts"
import type { PageRequest } from "./PageParts.ts"

/** No more than four messages a second: more would cost the browser more than a person can read. */
const interval = "250 millis"

const decode = Schema.decodeUnknownOption(Schema.parseJson(LogFollow))

/** The project whose log the page shows; it changes when another one is selected and the address names none. */
const shownProject = ({ project }: PageRequest) =>
  Effect.gen(function* () {
    const { look } = yield* DaemonWatch
    const sight = yield* look(project)
    const selected = sight._tag === "Running" ? sight.projects.selected : undefined
    return yield* chosenProject(project ?? (isProjectName(selected) ? selected : undefined))
  })

/** Sends what comes after the place where the rows of the page end, until the page says something else. */
const follow = ({ after, live, ...choice }: LogFollow, request: PageRequest, { send }: Page) =>
  Effect.gen(function* () {
    const row = makeLogRow(choice)
    let position = after
    let project: ProjectName | undefined
    let sign: string | undefined
    let count = 0
    const changed = (next: ProjectName) =>
      Effect.gen(function* () {
        const window = yield* newestLines(next, row)
        position = window.newer
        yield* send(logMessage("log-rows", "innerHTML", windowRows(window, choice)))
      })
    const added = (name: ProjectName) =>
      Effect.gen(function* () {
        const { isMoreSkipped, newer, rows, skipped } = yield* freshLines(name, position, row)
        position = newer ?? position
        count += rows.length + skipped
        if (!live && count > 0)
          yield* send(
            logMessage("log-new", "innerHTML", [
              html`+${count.toLocaleString("en")}<span class="sr"> new lines</span>`
            ])
          )
        if (!live || newer === undefined || rows.length + skipped === 0) return
        const mark =
          skipped === 0 ? [] : [logMark(`${linesSkipped(skipped, isMoreSkipped)}: the download has them`)]
        yield* send(logMessage("log-rows", "beforeend", [...mark, ...rows, logEnd(newer)]))
      })
    const look = Effect.gen(function* () {
      const name = yield* shownProject(request)
      if (project !== undefined && project !== name) yield* changed(name)
      project = name
      const next = yield* logSign(name)
      if (next === sign) return
      sign = next
      yield* added(name)
    }).pipe(
      // No worker has printed anything yet.
      Effect.catchTag("NoLogChosen", () => Effect.void)
    )
    yield* Effect.forever(Effect.zipRight(look, Effect.sleep(interval)))
  }).pipe(
    Effect.catchTag("LogUnreadable", ({ message }) =>
      send(logMessage("log-rows", "beforeend", [logMark(message)]))
    )
  )

/** Sends new lines of the worker to a page, as its filters want them. The newest message of the page says which. */
export const liveLog = (request: PageRequest, page: Page) =>
  Mailbox.toStream(page.received).pipe(
    Stream.filterMap(decode),
    Stream.flatMap((wanted) => Stream.fromEffect(follow(wanted, request, page)), { switch: true }),
    Stream.runDrain,
    Effect.zipRight(Effect.never)
  )
