import * as Schema from "effect/Schema"
import type { ProjectName } from "../Project.ts"

/**
 * By what the processes of a worker are held together: its own cgroup, which nothing leaves by forking, or the tree of
 * its processes alone.
 */
export const Containment = Schema.Literal("cgroup", "tree")
export type Containment = typeof Containment.Type

/** Where the daemon itself lives, below the group of its unit: a group has either members or limited groups in it. */
export const daemonGroup = "daemon"

/** The name of the group of one life of a project's worker. The same eight letters begin the uuid in the worker's id. */
export const groupName = (project: ProjectName, workerId: string): string =>
  `worker.${project}.${workerId.slice(workerId.lastIndexOf(":") + 1).slice(0, 8)}`

/** The project of which a worker had the group with this name; undefined for what is no worker's. */
export const projectOfGroup = (name: string): string | undefined =>
  /^worker\.([A-Za-z0-9][A-Za-z0-9._-]*)\.[0-9a-f]{8}$/.exec(name)?.[1]

/** Whether anybody lives in a group or below it, by its `cgroup.events`. Zombies do not. */
export const isPopulated = (events: string): boolean => !/^populated 0$/m.test(events)
