import * as Option from "effect/Option"
import type { EffectiveSettings } from "../settings/EffectiveSettings.ts"
import { renderProblem, type SettingsError } from "../settings/SettingsProblem.ts"
import { withoutWorker } from "../settings/WorkerLookup.ts"
import { error, type Finding, fine, warning } from "./Finding.ts"

const about = "Settings"

/** Returns an error for each problem of the settings. */
export const settingsProblems = ({ problems }: Pick<SettingsError, "problems">): ReadonlyArray<Finding> =>
  problems.map((problem) => error(about, renderProblem(problem), "Run: autopilotd config edit"))

/** Judges valid settings, which may still lack a worker. A running daemon then has it from its command line. */
export const settingsFindings = (
  settings: EffectiveSettings,
  { isRunning }: { readonly isRunning: boolean }
): ReadonlyArray<Finding> => {
  const { found, path } = settings.settingsFile
  const count = settings.projects.length
  const projects = count === 1 ? "" : `, ${count} projects`
  return [
    fine(
      about,
      found ? `${path} is valid${projects}.` : `${path} does not exist, so every setting has its default.`
    ),
    ...Option.match(withoutWorker(settings), {
      onNone: () => [],
      onSome: ({ message }) => [
        isRunning
          ? fine(
              about,
              "They name no worker: the running daemon has its command from its command line, and the next start needs it again."
            )
          : // The message lists many choices; two are enough here. A worker may come with each start.
            (found ? error : warning)(
              about,
              message.replace(/ Choose one of:.*/s, ""),
              "Set worker_command (autopilotd config edit), or name the worker at each start: autopilotd start --detach -- CMD ARGS"
            )
      ]
    })
  ]
}
