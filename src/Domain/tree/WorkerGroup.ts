import * as Schema from "effect/Schema"
import type { ProjectName } from "../Project.ts"

/**
 * How the processes of a worker are kept track of: by its own cgroup, which no process leaves by forking, or by the
 * process tree alone.
 */
export const Containment = Schema.Literal("cgroup", "tree")
export type Containment = typeof Containment.Type

/** The leaf below the cgroup of the unit for the daemon itself: a cgroup with limited children may have no members. */
export const daemonGroup = "daemon"

/** The name of the cgroup of one run. It ends with the first eight letters of the uuid in the worker's id. */
export const groupName = (project: ProjectName, workerId: string): string =>
  `worker.${project}.${workerId.slice(workerId.lastIndexOf(":") + 1).slice(0, 8)}`

/** The project in the name of a worker's cgroup; undefined for any other name. */
export const projectOfGroup = (name: string): string | undefined =>
  /^worker\.([A-Za-z0-9][A-Za-z0-9._-]*)\.[0-9a-f]{8}$/.exec(name)?.[1]

/** Whether a cgroup or one below it has live processes, by its `cgroup.events`. Zombies do not count. */
export const isPopulated = (events: string): boolean => !/^populated 0$/m.test(events)
