import { type LackingVariables, lackingText } from "../service/ServiceVariables.ts"
import { quoted } from "../text/Printable.ts"
import { error, type Finding, fine, warning } from "./Finding.ts"

/** The facts about a project's worker. */
export interface WorkerCheck {
  readonly project: string
  readonly command: string
  /** The reason why it could not be started; undefined when it could. */
  readonly problem: string | undefined
  /** What is not there at all: the working directory, or a program on the PATH. */
  readonly missing?: "folder" | "program" | undefined
  /** About the env file, without its values. */
  readonly envProblem: string | undefined
  readonly envWarnings: ReadonlyArray<string>
  /** Why a new work could not begin; undefined when it could. */
  readonly promptProblem: string | undefined
  /** The PATH on which the program was looked up. */
  readonly pathOf: "service" | "shell"
}

const about = "Worker"

/** What helps a worker that cannot be started, without a full stop. */
export const cureFor = ({ missing, pathOf }: Pick<WorkerCheck, "missing" | "pathOf">): string => {
  if (missing === "folder") return "Create it, or correct working_dir"
  if (missing === undefined) return "Fix that, or correct worker_command"
  return pathOf === "service"
    ? "Install it, or run autopilotd install in a shell that finds it, whose PATH the service then gets"
    : "Install it, or name it by its full path in worker_command"
}

const programFinding = (facts: WorkerCheck): Finding => {
  const { command, problem, project } = facts
  const name = quoted(command)
  return problem === undefined
    ? fine(about, `The program of ${quoted(project)}, ${name}, was found.`)
    : error(about, `${quoted(project)} cannot run ${name}: ${problem}.`, cureFor(facts))
}

/** Why a worker has nothing to do, without a full stop. */
export const unpromptedText = (project: string, problem: string): string =>
  `${quoted(project)} cannot begin a work: ${problem}`

const promptFinding = ({ project, promptProblem }: WorkerCheck): ReadonlyArray<Finding> =>
  promptProblem === undefined
    ? []
    : [
        error(
          about,
          `${unpromptedText(project, promptProblem)}.`,
          "Write the prompt into that file, or correct worker_command.prompt_file"
        )
      ]

/** Judges what a worker needs to start. */
export const workerFindings = (facts: WorkerCheck): ReadonlyArray<Finding> => [
  programFinding(facts),
  ...promptFinding(facts),
  ...(facts.envProblem === undefined
    ? []
    : [error("Env file", facts.envProblem, "Fix the file: the daemon does not start the worker without it")]),
  ...facts.envWarnings.map((text) => warning("Env file", `${text}.`, "Fix the file"))
]

/** Workers whose login or proxy is only in the shell of the user. */
export const lackingFinding = (lacking: LackingVariables): Finding => {
  const { fix, what } = lackingText(lacking)
  return warning("Env file", what, `To add it, run in this shell: ${fix}`)
}
