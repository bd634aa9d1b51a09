import { humanDuration } from "../text/HumanDuration.ts"
import { describe as describeOomKill, type OomKill } from "./OomKill.ts"
import { describe as describeExit, type WorkerExit } from "../tree/WorkerExit.ts"

/** How a worker has ended: how its leader did, after how long, and what the kernel has killed of it. */
export interface WorkerEnd {
  readonly exit: WorkerExit
  readonly uptimeMs: number
  /** Absent when nothing speaks for it. */
  readonly oomKill?: OomKill | undefined
}

/** `exit code 3 after 5 seconds`, `killed by SIGKILL after 2 h 03 min; the kernel killed it because ...`. */
export const describe = ({ exit, oomKill, uptimeMs }: WorkerEnd): string => {
  const kill = oomKill === undefined ? "" : `; ${describeOomKill(oomKill)}`
  return `${describeExit(exit)} after ${humanDuration(uptimeMs)}${kill}`
}
