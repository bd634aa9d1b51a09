import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type { ProjectName } from "../../Domain/Project.ts"
import { isProjectName } from "../../Domain/ProjectNameRules.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import { readTextFile } from "../../Layers/files/TextFile.ts"
import { LogFiles } from "../../Layers/logs/LogFiles.ts"

/** There is no log, or several and none is named. */
class NoLogChosen extends Data.TaggedError("NoLogChosen")<{ readonly message: string }> {}

/** The named project, or the selected one by the daemon or its last selection, or the only one with a log. */
export const chosenProject = Effect.fnUntraced(function* (named: ProjectName | undefined) {
  if (named !== undefined) return named
  const { request } = yield* ControlClient
  const status = yield* Effect.option(request({ type: "Status" }))
  const current = Option.getOrUndefined(status)?.data?.project
  if (isProjectName(current)) return current
  const { logDir, selectedFile } = yield* AutopilotHome
  const selected = (yield* Effect.option(readTextFile(selectedFile))).pipe(
    Option.map(({ text }) => text.trim()),
    Option.getOrUndefined
  )
  if (isProjectName(selected)) return selected
  const [first, ...others] = yield* (yield* LogFiles).projects
  if (first === undefined)
    return yield* new NoLogChosen({ message: `There are no logs of workers in ${logDir} yet.` })
  if (others.length === 0) return first
  return yield* new NoLogChosen({
    message: `There are logs of several projects: ${[first, ...others].join(", ")}. Choose one of them.`
  })
})
