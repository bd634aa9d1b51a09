import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type { ProjectName } from "../Project.ts"
import type { EffectiveProject, EffectiveSettings, NamedFile } from "../settings/EffectiveSettings.ts"
import { type ProjectsWithoutWorker, withoutWorker } from "../settings/ProjectsWithoutWorker.ts"
import type { Argv, NoWorkerCommand } from "../settings/WorkerCommand.ts"
import type { RestartPolicy } from "./RestartPolicy.ts"

/** One project's worker, as it is to be run. */
export interface WorkerPlan {
  readonly project: ProjectName
  readonly argv: Argv
  /** Absolute. */
  readonly cwd: string
  /** Read anew before every start, so that a rotated key works at the next one. */
  readonly envFile: NamedFile
  readonly envTable: Readonly<Record<string, string>>
  /** How long the tree may take to end after TERM. */
  readonly graceMs: number
}

/** One project to be supervised. */
export interface ProjectPlan extends WorkerPlan {
  readonly restart: RestartPolicy
  /** Whether a start of the daemon starts it. */
  readonly autostart: boolean
}

/** At least one, in the order in which they are shown; without a selection commands mean the first. */
export type ProjectPlans = readonly [ProjectPlan, ...ReadonlyArray<ProjectPlan>]

const planOf = ({ envFile, project, settings, worker }: EffectiveProject) =>
  Either.map(
    worker,
    ({ argv }): ProjectPlan => ({
      project,
      argv,
      cwd: settings.workingDir,
      envFile,
      envTable: settings.env,
      graceMs: settings.restart.stopGraceMs,
      restart: settings.restart,
      autostart: settings.autostart
    })
  )

/** What is supervised, in the order of the settings; the Left names the projects that have no worker. */
export const plansOf = (
  settings: EffectiveSettings
): Either.Either<ProjectPlans, NoWorkerCommand | ProjectsWithoutWorker> =>
  Either.gen(function* () {
    const missing = withoutWorker(settings)
    if (Option.isSome(missing)) return yield* Either.left(missing.value)
    const [first, ...rest] = settings.projects
    return [yield* planOf(first), ...(yield* Either.all(rest.map(planOf)))]
  })

const isSameTable = (left: Readonly<Record<string, string>>, right: Readonly<Record<string, string>>) =>
  Object.keys(left).length === Object.keys(right).length &&
  Object.entries(left).every(([name, value]) => right[name] === value)

/** The settings by which a worker that was started with one plan differs from what its next start would bring. */
export const settingsAwaited = (running: WorkerPlan, next: WorkerPlan): ReadonlyArray<string> => [
  ...(running.argv.length === next.argv.length && running.argv.every((word, at) => word === next.argv[at])
    ? []
    : ["worker_command"]),
  ...(running.cwd === next.cwd ? [] : ["working_dir"]),
  ...(isSameTable(running.envTable, next.envTable) ? [] : ["env"]),
  ...(running.envFile.path === next.envFile.path ? [] : ["env_file"])
]
