import * as Option from "effect/Option"
import type { EffectiveSettings } from "../settings/EffectiveSettings.ts"
import { withoutWorker } from "../settings/ProjectsWithoutWorker.ts"
import { renderProblem, type SettingsError } from "../settings/SettingsProblem.ts"
import { error, type Finding, fine } from "./Finding.ts"

const about = "Settings"

/** Of settings that cannot be used: each problem by itself. */
export const settingsProblems = ({ problems }: Pick<SettingsError, "problems">): ReadonlyArray<Finding> =>
  problems.map((problem) =>
    error(about, renderProblem(problem), "autopilotd config edit, which checks before it writes")
  )

/** Of settings that are valid. What to run may still be missing. */
export const settingsFindings = (settings: EffectiveSettings): ReadonlyArray<Finding> => {
  const { found, path } = settings.settingsFile
  const count = settings.projects.length
  const projects = count === 1 ? "" : `, ${count} projects`
  return [
    fine(about, found ? `${path} is valid${projects}.` : `There is no ${path}: the defaults hold.`),
    ...Option.match(withoutWorker(settings), {
      onNone: () => [],
      onSome: ({ message }) => [
        // The choices that follow are many lines; one of them is the cure here.
        error(about, message.replace(/ Choose one of:.*/s, ""), "Set worker_command: autopilotd config edit")
      ]
    })
  ]
}
