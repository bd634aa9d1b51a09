import * as Schema from "effect/Schema"
import { ProjectName } from "../Project.ts"
import type { Message } from "../text/Style.ts"

/** Problems with the cgroups of workers. None of them stops a worker. */
export const GroupEvent = Schema.Union(
  Schema.TaggedStruct("GroupsUnusable", { reason: Schema.String, consequence: Schema.String }),
  Schema.TaggedStruct("GroupNotMade", { project: ProjectName, reason: Schema.String }),
  /** `cgroup` is the folder in which the worker should be. */
  Schema.TaggedStruct("WorkerOutsideGroup", {
    project: ProjectName,
    pid: Schema.Int,
    cgroup: Schema.String
  }),
  Schema.TaggedStruct("GroupNotRemoved", { cgroup: Schema.String, reason: Schema.String })
)
export type GroupEvent = typeof GroupEvent.Type

const byTree = "the daemon finds its processes only by parent, session and environment"

/** The event as the log shows it. */
export const describeGroup = (event: GroupEvent): Message => {
  switch (event._tag) {
    case "GroupsUnusable":
      return { level: "warning", text: `${event.reason}. ${event.consequence}` }
    case "GroupNotMade":
      return {
        level: "warning",
        text: `The worker has no cgroup of its own: ${event.reason}. Until its next start ${byTree}`
      }
    case "WorkerOutsideGroup":
      return {
        level: "warning",
        text: `The worker (pid ${event.pid}) is not in its cgroup ${event.cgroup}: ${byTree}`
      }
    case "GroupNotRemoved":
      return {
        level: "warning",
        text: `The cgroup ${event.cgroup} could not be removed: ${event.reason}. The daemon tries again before the next start`
      }
  }
}
