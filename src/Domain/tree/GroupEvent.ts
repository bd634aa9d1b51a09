import * as Schema from "effect/Schema"
import { ProjectName } from "../Project.ts"
import type { Message } from "../text/Level.ts"

/** What does not work about the cgroups of workers. Nothing of it stops a worker. */
export const GroupEvent = Schema.Union(
  Schema.TaggedStruct("GroupsUnusable", { reason: Schema.String, consequence: Schema.String }),
  Schema.TaggedStruct("GroupNotMade", { project: ProjectName, reason: Schema.String }),
  /** `cgroup` is the folder where it should be. */
  Schema.TaggedStruct("WorkerOutsideGroup", {
    project: ProjectName,
    pid: Schema.Int,
    cgroup: Schema.String
  }),
  Schema.TaggedStruct("GroupNotRemoved", { cgroup: Schema.String, reason: Schema.String })
)
export type GroupEvent = typeof GroupEvent.Type

const byTree = "its processes are found by their descent and their environment alone"

/** As a person reads it in the log. */
export const describeGroup = (event: GroupEvent): Message => {
  switch (event._tag) {
    case "GroupsUnusable":
      return { level: "warning", text: `${event.reason}. ${event.consequence}` }
    case "GroupNotMade":
      return {
        level: "warning",
        text: `The worker has no cgroup of its own, ${byTree}: ${event.reason}`
      }
    case "WorkerOutsideGroup":
      return {
        level: "warning",
        text: `The worker (pid ${event.pid}) is not in its cgroup ${event.cgroup}: ${byTree}`
      }
    case "GroupNotRemoved":
      return {
        level: "warning",
        text: `The cgroup ${event.cgroup} is left behind: ${event.reason}. It is tried again before the next start`
      }
  }
}
