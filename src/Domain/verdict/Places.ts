import { unnamed } from "../Project.ts"
import { unitCommandLine } from "../settings/SettingsMerge.ts"

/** Where the command of a worker and its limits are set: advice names the place that counts. */
export interface Places {
  readonly project: string
  /** The source of `worker_command`, as `config check` shows it. */
  readonly worker: string
  /** The sources of the limits, by key; absent for those that the worker's own arguments set. */
  readonly limits?: Readonly<Partial<Record<string, string>>> | undefined
}

const inUnit =
  "ExecStart= of the daemon's systemd unit (systemctl --user edit --full, then: systemctl --user restart)"

const inEnvironment = (source: string): string =>
  `${source.slice("environment ".length)} in the environment of the daemon, and start it again (autopilotd stop, then: autopilotd start --detach)`

/** The words after "Correct": the place of the worker's command, and the commands that bring a change into force. */
export const placeOfWorker = ({ project, worker }: Pick<Places, "project" | "worker">): string => {
  if (worker === unitCommandLine) return inUnit
  if (worker === "command line") {
    const name = project === unnamed ? "" : ` --project ${project}`
    return `the daemon's command line after -- (autopilotd stop, then: autopilotd start --detach${name} -- CMD ARGS)`
  }
  if (worker.startsWith("environment ")) return inEnvironment(worker)
  const table = /^file (\[.*\])$/.exec(worker)?.[1]
  return `worker_command${table === undefined ? "" : ` in ${table}`} (autopilotd config edit, then: autopilotd reload)`
}

/** Whether the worker starts with the daemon that a change of its place starts. */
export const startsWithDaemon = ({ worker }: Pick<Places, "worker">): boolean =>
  worker === unitCommandLine || worker === "command line" || worker.startsWith("environment ")

/** The words after "Raise": the place of a limit, and the commands that bring a change into force. */
export const placeOfLimit = (key: string, places: Places | undefined): string => {
  const inSettings = (option: string) =>
    `${key} (autopilotd config set${option} ${key} NUMBER, then: autopilotd reload)`
  // The budget of all projects stands at the top level.
  if (places === undefined || key === "budget.per_day") return inSettings("")
  const source = places.limits?.[key]
  if (source === undefined) return `it in ${placeOfWorker(places)}`
  if (source === "command line")
    return `--${key.replace("_", "-")} of the daemon's command line (autopilotd stop, then start it again with a higher one)`
  if (source.startsWith("environment ")) return inEnvironment(source)
  return inSettings(source.startsWith("file [") ? ` --project ${places.project}` : "")
}
