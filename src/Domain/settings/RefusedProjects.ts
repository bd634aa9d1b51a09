import * as Either from "effect/Either"
import { shellLine } from "../text/ShellLine.ts"
import { keyPathText } from "../toml/KeyPath.ts"
import type { EffectiveProject, EffectiveSettings } from "./EffectiveSettings.ts"
import { type InvalidProject, renderProblem, type SettingsProblem } from "./SettingsProblem.ts"
import type { NoWorkerCommand } from "./WorkerLookup.ts"

/** A project that cannot start with its settings. */
interface RefusedProject extends Pick<EffectiveProject, "project" | "isTopLevel"> {
  readonly reason: NoWorkerCommand | InvalidProject
}

type Projects = Pick<EffectiveSettings, "projects">

const refusedIn = ({ projects }: Projects): ReadonlyArray<RefusedProject> =>
  projects.flatMap(({ isTopLevel, project, worker }) =>
    Either.isLeft(worker) ? [{ project, isTopLevel, reason: worker.left }] : []
  )

/** The mistakes inside of the tables of projects. */
export const mistakesIn = (settings: Projects): ReadonlyArray<SettingsProblem> =>
  refusedIn(settings).flatMap(({ reason }) => (reason._tag === "InvalidProject" ? reason.problems : []))

const exampleWorker = '{ type = "Command", argv = ["my-agent"] }'

const command = (words: ReadonlyArray<string>): string => shellLine(["autopilotd", "config", "set", ...words])

/** The command that gives a project a worker. */
const setWorker = ({ isTopLevel, project }: Pick<EffectiveProject, "project" | "isTopLevel">): string =>
  command([...(isTopLevel ? [] : ["--project", project]), "worker_command", exampleWorker])

/** The end of the reason of a project that only other settings can start. */
export const thenReload = "then run: autopilotd reload"

/** Why a project cannot start and what helps, without a full stop. */
export const whyRefused = (refused: RefusedProject): string => {
  const { reason } = refused
  if (reason._tag === "NoWorkerCommand")
    return `it has no worker: set worker_command (${setWorker(refused)}), ${thenReload}`
  const [first, ...others] = reason.problems
  const more = others.length === 0 ? "" : ` (${others.length} more: autopilotd config check.)`
  return `its settings have a mistake: ${renderProblem(first)}${more} Correct it (autopilotd config edit), ${thenReload}`
}

const lacksWorker = (refused: RefusedProject): SettingsProblem => {
  const { isTopLevel, project } = refused
  const path = isTopLevel ? ["worker_command"] : ["projects", project, "worker_command"]
  const whole = command([
    keyPathText(path.slice(0, 2)),
    `{ working_dir = "DIR", worker_command = ${exampleWorker} }`
  ])
  const atOnce = isTopLevel ? "" : `, or the whole project at once (${whole})`
  return {
    key: keyPathText(path),
    reason: `is missing, and without it ${project} has no worker to start. Give it one (${setWorker(refused)})${atOnce}`
  }
}

/** A project of the top level may change its name. */
const isSame = (one: RefusedProject, other: RefusedProject): boolean =>
  one.isTopLevel ? other.isTopLevel : one.project === other.project

const sentence = ({ key, reason }: SettingsProblem): string => `${key} ${reason}`

/**
 * Why the projects that a new version of the settings keeps from starting cannot start. What was wrong before is no
 * reason to refuse a change beside it.
 */
export const newlyRefused = (before: Projects, after: Projects): ReadonlyArray<SettingsProblem> => {
  const earlier = refusedIn(before)
  return refusedIn(after).flatMap((refused): ReadonlyArray<SettingsProblem> => {
    const known = earlier.find((other) => isSame(refused, other))?.reason
    if (refused.reason._tag === "NoWorkerCommand") return known === undefined ? [lacksWorker(refused)] : []
    const old = new Set(known?._tag === "InvalidProject" ? known.problems.map(sentence) : [])
    return refused.reason.problems.some((problem) => !old.has(sentence(problem)))
      ? refused.reason.problems
      : []
  })
}
