import * as Schema from "effect/Schema"
import { maxPid } from "../machine/ProcessEntry.ts"

const Identity = Schema.Struct({
  pid: Schema.Int.pipe(Schema.between(2, maxPid)),
  startTicks: Schema.NonNegativeInt
})

/**
 * Names processes of a worker for a later daemon. It finds them even if their environment cannot be read: after
 * `env -i`, in a program of another user, in one that is not dumpable.
 */
export const TreeTrace = Schema.Struct({
  /** Pids and start times count from one boot. */
  bootId: Schema.String,
  /** The leader, or the processes that survived SIGKILL. */
  processes: Schema.Array(Identity).pipe(Schema.maxItems(10_000))
})
export type TreeTrace = typeof TreeTrace.Type
