import * as Data from "effect/Data"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { aligned } from "../text/Table.ts"
import { listed } from "../text/Words.ts"
import { keyPathText } from "../toml/KeyPath.ts"
import type { EffectiveProject, EffectiveSettings } from "./EffectiveSettings.ts"
import { NoWorkerCommand } from "./WorkerCommand.ts"

/** A project that nothing says what to run for. */
interface ProjectWithoutWorker extends Pick<EffectiveProject, "project" | "isTopLevel"> {
  readonly reason: NoWorkerCommand
}

type Choice = readonly [what: string, meaning: string]

/** A top level beside tables is only a project because the command line speaks of it. */
const choicesOf = ({ isTopLevel, project, reason }: ProjectWithoutWorker): ReadonlyArray<Choice> => [
  ...(isTopLevel
    ? ([
        ["autopilotd start -- CMD ARGS", `any command, for ${project}`],
        ["autopilotd start --project NAME", "if the options are meant for one of [projects.NAME]"]
      ] as const)
    : ([
        [
          `[${keyPathText(["projects", project])}.worker_command] in daemon.toml`,
          'type = "Cargo", "Binary" or "Command"'
        ]
      ] as const)),
  [`${reason.workingDir}/Cargo.toml`, `the working folder of ${project}: its autopilot package is run`]
]

/** Of several projects some have no worker. One that is alone is told by `NoWorkerCommand` itself. */
export class ProjectsWithoutWorker extends Data.TaggedError("ProjectsWithoutWorker")<{
  readonly projects: readonly [ProjectWithoutWorker, ...ReadonlyArray<ProjectWithoutWorker>]
}> {
  override get message(): string {
    const [first, ...others] = this.projects
    const names = listed(this.projects.map(({ project }) => project))
    const choices: ReadonlyArray<Choice> = [
      ...this.projects.flatMap(choicesOf),
      ["[worker_command] in daemon.toml", "for each project that has none of its own"],
      ["AUTOPILOT_WORKER_BINARY", "an environment variable: the path of an autopilot executable, for all"],
      [first.reason.homeBinary, "an autopilot executable put there, for all"]
    ]
    return [
      `There is no worker to start for the project${others.length === 0 ? "" : "s"} ${names}: no command is set. Choose one of:`,
      ...aligned(choices).map((line) => `  ${line}`)
    ].join("\n")
  }
}

/** Why a start refuses these settings: something to supervise has no worker. */
export const withoutWorker = ({
  projects
}: Pick<EffectiveSettings, "projects">): Option.Option<NoWorkerCommand | ProjectsWithoutWorker> => {
  const missing = projects.flatMap(
    ({ isTopLevel, project, worker }): ReadonlyArray<ProjectWithoutWorker> =>
      Either.isLeft(worker) ? [{ project, isTopLevel, reason: worker.left }] : []
  )
  const [first, ...others] = missing
  if (first === undefined) return Option.none()
  return Option.some(
    projects.length === 1 && first.isTopLevel
      ? first.reason
      : new ProjectsWithoutWorker({ projects: [first, ...others] })
  )
}
