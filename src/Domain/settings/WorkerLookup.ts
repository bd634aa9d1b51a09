import * as Either from "effect/Either"
import * as Option from "effect/Option"
import * as Struct from "effect/Struct"
import type { withGiven } from "../adapter/GivenOptions.ts"
import { aligned } from "../text/Table.ts"
import { listed } from "../text/TextLayout.ts"
import { keyPathText } from "../toml/KeyPath.ts"
import type { EffectiveProject, EffectiveSettings, WorkerToRun } from "./EffectiveSettings.ts"
import { optionNames } from "./SettingsMerge.ts"
import type { SettingsProblem } from "./SettingsProblem.ts"
import { argvOf, type WorkerCommand } from "./WorkerCommand.ts"

/** The places that may hold a worker when no worker command is set. */
export interface CommandFacts {
  /** Value of AUTOPILOT_WORKER_BINARY. */
  readonly environmentBinary: string | undefined
  /** `~/.autopilot/bin/autopilot` */
  readonly homeBinary: string
  readonly homeBinaryExists: boolean
  readonly workingDir: string
  readonly workingDirHasCargoToml: boolean
}

/** The only project has no worker. */
export class NoWorkerCommand extends Error {
  readonly _tag = "NoWorkerCommand"
  readonly homeBinary: string
  readonly workingDir: string

  constructor({ homeBinary, workingDir }: Pick<NoWorkerCommand, "homeBinary" | "workingDir">) {
    super()
    this.homeBinary = homeBinary
    this.workingDir = workingDir
  }

  override get message(): string {
    const choices = [
      ["autopilotd init", "writes the settings of an agent that works in this folder"],
      ["autopilotd start -- CMD ARGS", 'any command, for example: autopilotd start -- claude -p "..."'],
      ["[worker_command] in daemon.toml", 'type = "Claude", "Command", "Binary" or "Cargo"'],
      ["AUTOPILOT_WORKER_BINARY", "an environment variable: the path of an autopilot executable"],
      [this.homeBinary, "an autopilot executable put there"],
      [`${this.workingDir}/Cargo.toml`, "its autopilot package is run"]
    ] as const
    return [
      "There is no worker to start: no command was given, and none is set. Choose one of:",
      ...aligned(choices).map((line) => `  ${line}`)
    ].join("\n")
  }
}

/** A worker command and its source in words. */
export interface FoundWorker {
  readonly command: WorkerCommand
  readonly source: string
}

/** The first worker found when the settings name none. */
export const findWorker = (facts: CommandFacts): Either.Either<FoundWorker, NoWorkerCommand> => {
  if (facts.environmentBinary !== undefined)
    return Either.right({
      command: { _tag: "Binary", path: facts.environmentBinary, args: [] },
      source: "environment AUTOPILOT_WORKER_BINARY"
    })
  if (facts.homeBinaryExists)
    return Either.right({
      command: { _tag: "Binary", path: facts.homeBinary, args: [] },
      source: `default: ${facts.homeBinary} exists`
    })
  if (facts.workingDirHasCargoToml)
    return Either.right({
      command: { _tag: "Cargo", args: [] },
      source: `default: ${facts.workingDir} has a Cargo.toml`
    })
  return Either.left(new NoWorkerCommand({ homeBinary: facts.homeBinary, workingDir: facts.workingDir }))
}

/** The settings that a command of the user's own takes as options of its agent. */
const givenKeys = { model: "model", maxBudget: "max_budget", maxTurns: "max_turns" } as const

/**
 * A worker with its arguments. Options of the command line become those of the agent, also for a command of the user's
 * own (`pass`), or are refused: one that nothing follows must not be ignored. Those of other sources are defaults of all
 * projects.
 */
export const workerToRun = (
  worker: FoundWorker,
  settings: EffectiveProject["settings"],
  provenance: EffectiveProject["provenance"],
  pass: typeof withGiven
): Either.Either<WorkerToRun, ReadonlyArray<SettingsProblem>> => {
  const argv = argvOf(worker.command, settings)
  if (worker.command._tag !== "Command") return Either.right({ ...worker, argv })
  const given = Object.fromEntries(
    Struct.keys(givenKeys)
      .filter((key) => provenance.get(givenKeys[key]) === "command line")
      .map((key) => [key, settings[key]])
  )
  if (Object.keys(given).length === 0) return Either.right({ ...worker, argv })
  const passed = pass(argv, given)
  if (passed.unpassed.length === 0) return Either.right({ ...worker, argv: passed.argv })
  const where =
    provenance.get("worker_command") === "command line" ? "after --" : "in worker_command of the settings"
  return Either.left(
    passed.unpassed.map(({ option, reason }) => ({
      key: optionNames[givenKeys[option]] ?? option,
      reason: `${reason}. Leave it out, or write the program's own option into its command line, ${where}`
    }))
  )
}

interface ProjectWithoutWorker extends Pick<EffectiveProject, "project" | "isTopLevel"> {
  readonly reason: NoWorkerCommand
}

type Choice = readonly [what: string, meaning: string]

/** Beside tables, a top level without a worker is a project only because the command line addresses it. */
const choicesOf = ({ isTopLevel, project, reason }: ProjectWithoutWorker): ReadonlyArray<Choice> => [
  ...(isTopLevel
    ? ([
        ["autopilotd start -- CMD ARGS", `any command, for ${project}`],
        ["autopilotd start --project NAME", "if the options are meant for one of [projects.NAME]"]
      ] as const)
    : ([
        [
          `[${keyPathText(["projects", project])}.worker_command] in daemon.toml`,
          'type = "Claude", "Command", "Binary" or "Cargo"'
        ]
      ] as const)),
  [`${reason.workingDir}/Cargo.toml`, `the working folder of ${project}: its autopilot package is run`]
]

/** Some of several projects have no worker. */
export class ProjectsWithoutWorker extends Error {
  readonly _tag = "ProjectsWithoutWorker"
  readonly projects: readonly [ProjectWithoutWorker, ...ReadonlyArray<ProjectWithoutWorker>]

  constructor(projects: ProjectsWithoutWorker["projects"]) {
    super()
    this.projects = projects
  }

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

/** The error with which a start refuses settings that leave every project without a worker. */
export const withoutWorker = ({
  projects
}: Pick<EffectiveSettings, "projects">): Option.Option<NoWorkerCommand | ProjectsWithoutWorker> => {
  const missing = projects.flatMap(
    ({ isTopLevel, project, worker }): ReadonlyArray<ProjectWithoutWorker> =>
      Either.isLeft(worker) && worker.left._tag === "NoWorkerCommand"
        ? [{ project, isTopLevel, reason: worker.left }]
        : []
  )
  const [first, ...others] = missing
  if (first === undefined) return Option.none()
  return Option.some(
    projects.length === 1 && first.isTopLevel ? first.reason : new ProjectsWithoutWorker([first, ...others])
  )
}
