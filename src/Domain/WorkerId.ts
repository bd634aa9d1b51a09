import type { ProjectName } from "./Project.ts"

/**
 * The environment variable by which a worker's processes are recognised wherever they have gone:
 * `<home id>:<project>:<uuid>`. The home id keeps two daemons of one user apart.
 */
export const variable = "AUTOPILOT_WORKER_ID"

/** The id of one start of a project's worker. */
export const workerId = (homeId: string, project: ProjectName, uuid: string): string =>
  `${homeId}:${project}:${uuid}`

/** How the environment entry of every worker of a home begins, or, with a project, of every worker of that. */
export const entryPrefix = (homeId: string, project?: ProjectName): string =>
  `${variable}=${homeId}:${project === undefined ? "" : `${project}:`}`
