import * as Option from "effect/Option"
import type { EffectiveSettings } from "../settings/EffectiveSettings.ts"
import { renderProblem, type SettingsError } from "../settings/SettingsProblem.ts"
import { withoutWorker } from "../settings/WorkerLookup.ts"
import { error, type Finding, fine } from "./Finding.ts"

const about = "Settings"

/** Returns an error for each problem of the settings. */
export const settingsProblems = ({ problems }: Pick<SettingsError, "problems">): ReadonlyArray<Finding> =>
  problems.map((problem) => error(about, renderProblem(problem), "Run: autopilotd config edit"))

/** Judges valid settings, which may still lack a worker. */
export const settingsFindings = (settings: EffectiveSettings): ReadonlyArray<Finding> => {
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
        // The message lists many choices; one is enough here.
        error(about, message.replace(/ Choose one of:.*/s, ""), "Set worker_command: autopilotd config edit")
      ]
    })
  ]
}
