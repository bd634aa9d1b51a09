import type { AgentSeen } from "../agent/AgentSeen.ts"
import type { MemoryFigures } from "../memory/MemoryLook.ts"
import type { TailLine } from "../output/OutputTail.ts"
import { humanDuration } from "../text/Amounts.ts"
import { describeExit, type WorkerExit } from "../tree/WorkerExit.ts"
import { describeOomKill, type OomKill } from "./OomKill.ts"
import type { LimitFigures } from "./OverLimit.ts"

/** How a worker has ended: how its leader did, after how long, and what the kernel has killed of it. */
export interface WorkerEnd {
  readonly exit: WorkerExit
  readonly uptimeMs: number
  /** Absent when nothing speaks for it. */
  readonly oomKill?: OomKill | undefined
}

/** `exit code 3 after 5 seconds`, `killed by SIGKILL after 2 h 03 min; the kernel killed it because ...`. */
export const describeEnd = ({ exit, oomKill, uptimeMs }: WorkerEnd): string => {
  const kill = oomKill === undefined ? "" : `; ${describeOomKill(oomKill)}`
  return `${describeExit(exit)} after ${humanDuration(uptimeMs)}${kill}`
}
/** A worker that has done nothing for long. */

export interface Stall {
  readonly quietMs: number
  readonly limitMs: number
  readonly tool: string | undefined
}
/** For what the daemon has ended a worker, where the verdict on it must know more than a sentence. */

export type KillReason =
  | { readonly _tag: "Limit"; readonly figures: LimitFigures }
  | { readonly _tag: "Memory"; readonly figures: MemoryFigures }
  | { readonly _tag: "Stall"; readonly stall: Stall }
/** What is known of a worker's life once nothing of it is left, beside how its leader ended. */

export interface RunEvidence {
  /** What it has said on its output. */
  readonly agent: AgentSeen
  /** Its last lines, the last one last. */
  readonly tail: ReadonlyArray<TailLine>
  /** The most that its processes have held together, in bytes; undefined when they were never looked at. */
  readonly peakMemoryBytes: number | undefined
  /** Now, in milliseconds since 1970, and where. */
  readonly nowMs: number
  readonly timeZone: string
}
