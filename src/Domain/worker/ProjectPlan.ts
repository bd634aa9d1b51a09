import * as Either from "effect/Either"
import * as Option from "effect/Option"
import { claudeTelemetry } from "../adapter/ClaudeTelemetry.ts"
import type { ProjectName } from "../Project.ts"
import { type AgentPlan, agentPlanOf } from "../session/AgentPlan.ts"
import type { EffectiveProject, EffectiveSettings, NamedFile } from "../settings/EffectiveSettings.ts"
import { whyRefused } from "../settings/RefusedProjects.ts"
import { provenanceOf } from "../settings/SettingsMerge.ts"
import type { InvalidProject } from "../settings/SettingsProblem.ts"
import type { Argv } from "../settings/WorkerCommand.ts"
import { type NoWorkerCommand, type ProjectsWithoutWorker, withoutWorker } from "../settings/WorkerLookup.ts"
import type { Places } from "../verdict/Places.ts"
import type { RestartPolicy } from "./RestartPolicy.ts"

/** How to run the worker of a project. */
export interface WorkerPlan {
  readonly project: ProjectName
  readonly argv: Argv
  /** Absolute. */
  readonly cwd: string
  /** Read before every start, so a rotated key takes effect with the next one. */
  readonly envFile: NamedFile
  readonly envTable: Readonly<Record<string, string>>
  /** Variables that the worker has unless its environment has others. */
  readonly envDefaults?: Readonly<Record<string, string>>
  /** The grace period between SIGTERM and SIGKILL. */
  readonly graceMs: number
  /** Absent for a worker whose agent is unknown. */
  readonly agent?: AgentPlan | undefined
}

/** How to run one run of a worker. */
export interface RunPlan extends WorkerPlan {
  /** What it gets on standard input. */
  readonly prompt?: AgentPlan["prompt"]
}

/** How to supervise a project. */
export interface ProjectPlan extends WorkerPlan {
  /** Why its settings allow no start, with what helps; undefined where they do. Its command line is then empty. */
  readonly refusal?: string
  readonly places?: Places
  readonly restart: RestartPolicy
  /** The worker starts with the daemon. */
  readonly autostart: boolean
}

/** In the order of the settings. Commands without a project apply to the first until a user selects another one. */
export type ProjectPlans = readonly [ProjectPlan, ...ReadonlyArray<ProjectPlan>]

const frameOf = ({ envFile, project, settings }: EffectiveProject) => ({
  project,
  cwd: settings.workingDir,
  envFile,
  envTable: settings.env,
  graceMs: settings.restart.stopGraceMs,
  restart: settings.restart,
  autostart: settings.autostart
})

/** The variables of an agent's own telemetry, where it is wanted. */
const telemetryOf = ({ agent }: { readonly agent?: AgentPlan | undefined }, project: EffectiveProject) =>
  agent?.adapter.name === "claude" && project.settings.metrics.agent
    ? { envDefaults: claudeTelemetry(project.project) }
    : {}

const planOf = (project: EffectiveProject) =>
  Either.map(project.worker, ({ argv, command, source }): ProjectPlan => {
    const agent = agentPlanOf(command, argv, project.settings)
    return {
      ...frameOf(project),
      ...agent,
      ...telemetryOf(agent, project),
      places: {
        project: project.project,
        worker: source,
        limits: Object.fromEntries(
          // A command has the limits of its work among its own arguments.
          ["max_budget_per_day", ...(command._tag === "Command" ? [] : ["max_budget", "max_turns"])].map(
            (key) => [key, provenanceOf(project, key)]
          )
        )
      }
    }
  })

/** The plans of all projects; Left when projects have no worker command, or mistakes in their table. */
export const plansOf = (
  settings: EffectiveSettings
): Either.Either<ProjectPlans, NoWorkerCommand | ProjectsWithoutWorker | InvalidProject> =>
  Either.gen(function* () {
    const missing = withoutWorker(settings)
    if (Option.isSome(missing)) return yield* Either.left(missing.value)
    const [first, ...rest] = settings.projects
    return [yield* planOf(first), ...(yield* Either.all(rest.map(planOf)))]
  })

const planOrRefusal = (project: EffectiveProject): ProjectPlan =>
  Either.getOrElse(planOf(project), (reason) => ({
    ...frameOf(project),
    argv: [""],
    refusal: whyRefused({ ...project, reason })
  }))

/** The plans of all projects, with the refusal of those that cannot start; Left when no project can. */
export const usablePlansOf = (
  settings: EffectiveSettings
): Either.Either<ProjectPlans, NoWorkerCommand | ProjectsWithoutWorker> => {
  const missing = withoutWorker(settings)
  if (Option.isSome(missing) && settings.projects.every(({ worker }) => Either.isLeft(worker)))
    return Either.left(missing.value)
  const [first, ...rest] = settings.projects
  return Either.right([planOrRefusal(first), ...rest.map(planOrRefusal)])
}

const isSameTable = (left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>) =>
  Object.keys(left).length === Object.keys(right).length &&
  Object.entries(left).every(([name, value]) => right[name] === value)

/** The settings that a running worker lacks until its next start. */
export const settingsAwaited = (running: WorkerPlan, next: WorkerPlan): ReadonlyArray<string> => [
  ...(running.argv.length === next.argv.length && running.argv.every((word, at) => word === next.argv[at])
    ? []
    : ["worker_command"]),
  ...(running.cwd === next.cwd ? [] : ["working_dir"]),
  ...(isSameTable(running.envTable, next.envTable) ? [] : ["env"]),
  ...(isSameTable(running.envDefaults ?? {}, next.envDefaults ?? {}) ? [] : ["metrics.agent"]),
  ...(running.envFile.path === next.envFile.path ? [] : ["env_file"])
]
