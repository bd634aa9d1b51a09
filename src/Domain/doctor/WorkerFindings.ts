import { quoted } from "../text/Printable.ts"
import { error, type Finding, fine, warning } from "./Finding.ts"

/** What was seen of one project's worker. */
export interface WorkerCheck {
  readonly project: string
  readonly command: string
  /** Why the system would not start it; undefined when it would. */
  readonly problem: string | undefined
  /** Of the env file, without any value of it. */
  readonly envProblem: string | undefined
  readonly envWarnings: ReadonlyArray<string>
  /** Whose PATH it was looked for on. */
  readonly pathOf: "service" | "shell"
}

const about = "Worker"

const programFinding = ({ command, pathOf, problem, project }: WorkerCheck): Finding => {
  const name = quoted(command)
  if (problem === undefined) return fine(about, `${quoted(project)} runs ${name}, which is there.`)
  const cure =
    pathOf === "service"
      ? "Install it, or run autopilotd install from a shell that finds it: the service has the PATH of then"
      : "Install it, or name it by its whole path in worker_command"
  return error(about, `${quoted(project)} cannot run ${name}: ${problem}.`, cure)
}

/** Of what the worker of a project needs to be started. */
export const workerFindings = (facts: WorkerCheck): ReadonlyArray<Finding> => [
  programFinding(facts),
  ...(facts.envProblem === undefined
    ? []
    : [error("Env file", facts.envProblem, "Without it the worker is not started")]),
  ...facts.envWarnings.map((text) => warning("Env file", `${text}.`, "Look at the file"))
]
