import * as Option from "effect/Option"
import { isLoopback, relaySettingsOf } from "../relay/RelaySettings.ts"
import type { EffectiveSettings } from "../settings/EffectiveSettings.ts"
import { renderProblem, type SettingsError } from "../settings/SettingsProblem.ts"
import { withoutWorker } from "../settings/WorkerLookup.ts"
import { error, type Finding, fine, warning } from "./Finding.ts"

const about = "Settings"

/** Returns an error for each problem of the settings. */
export const settingsProblems = ({ problems }: Pick<SettingsError, "problems">): ReadonlyArray<Finding> =>
  problems.map((problem) => error(about, renderProblem(problem), "Run: autopilotd config edit"))

/** Warns of metrics that the network may read. */
const openEndpoint = (settings: EffectiveSettings): ReadonlyArray<Finding> => {
  const endpoint = relaySettingsOf(settings)?.endpoint
  return endpoint === undefined || endpoint.tokenFile !== undefined || isLoopback(endpoint.host)
    ? []
    : [
        warning(
          about,
          `metrics.listen lets other machines read the metrics on ${endpoint.host}, and no token is asked for.`,
          "Set metrics.token_file, or listen on 127.0.0.1"
        )
      ]
}

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
    ...openEndpoint(settings),
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
              "Run autopilotd init in the folder of the agent, or name the worker at each start: autopilotd start --detach -- CMD ARGS"
            )
      ]
    })
  ]
}
