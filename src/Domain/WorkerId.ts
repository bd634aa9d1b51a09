import type { ProjectName } from "./Project.ts"

/**
 * The environment variable that marks every process of a worker: `<home id>:<project>:<uuid>`. The home id tells two
 * daemons of one user apart.
 */
export const variable = "AUTOPILOT_WORKER_ID"

/** The id of one run of a project's worker. */
export const workerId = (homeId: string, project: ProjectName, uuid: string): string =>
  `${homeId}:${project}:${uuid}`

/** The prefix of the environment entries of all workers of a home, or of one project's. */
export const entryPrefix = (homeId: string, project?: ProjectName): string =>
  `${variable}=${homeId}:${project === undefined ? "" : `${project}:`}`

/** The uuid of the run in a worker's id. */
export const runOf = (id: string): string => id.slice(id.lastIndexOf(":") + 1)
