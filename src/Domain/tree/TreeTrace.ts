import * as Schema from "effect/Schema"

const Identity = Schema.Struct({
  pid: Schema.Int,
  startTicks: Schema.Int
})

/**
 * Names processes of a worker for a later daemon. It finds them even if their environment cannot be read: after
 * `env -i`, in a program of another user, in one that is not dumpable.
 */
export const TreeTrace = Schema.Struct({
  /** Pids and start times count from one boot. */
  bootId: Schema.String,
  /** The id of the home of that daemon. A copy of the home has the file, and not the worker. */
  homeId: Schema.String,
  /** The leader, or the processes that survived SIGKILL. */
  processes: Schema.Array(Identity)
})
export type TreeTrace = typeof TreeTrace.Type
