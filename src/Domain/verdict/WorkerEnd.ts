import type { AgentSeen } from "../agent/AgentSeen.ts"
import type { MemoryFigures } from "../memory/MemorySample.ts"
import type { TailLine } from "../output/OutputTail.ts"
import { humanDuration } from "../text/Amounts.ts"
import { describeExit, type WorkerExit } from "../tree/WorkerExit.ts"
import { describeOomKill, type OomKill } from "./OomKill.ts"
import type { LimitFigures } from "./OverLimit.ts"
import type { UsedLimit } from "./UsedLimit.ts"

/** The exit of a worker's leader. */
export interface WorkerEnd {
  readonly exit: WorkerExit
  readonly uptimeMs: number
  /** Absent without evidence of a kill by the kernel. */
  readonly oomKill?: OomKill | undefined
}

/** `exit code 3 after 5 seconds`, `killed by SIGKILL after 2 h 03 min; the kernel killed it because ...`. */
export const describeEnd = ({ exit, oomKill, uptimeMs }: WorkerEnd): string => {
  const kill = oomKill === undefined ? "" : `; ${describeOomKill(oomKill)}`
  return `${describeExit(exit)} after ${humanDuration(uptimeMs)}${kill}`
}

/** The figures of a worker that was inactive for too long. */
export interface Stall {
  readonly quietMs: number
  readonly limitMs: number
  /** The tool that the agent waited for. */
  readonly tool: string | undefined
}

/** Why the daemon killed a worker, where the verdict needs more than a sentence. */
export type KillReason =
  | { readonly _tag: "Limit"; readonly figures: LimitFigures }
  | { readonly _tag: "Memory"; readonly figures: MemoryFigures }
  | { readonly _tag: "Stall"; readonly stall: Stall }
  | { readonly _tag: "Budget"; readonly usage: UsedLimit }
  /** The agent had finished, and waited for its background tasks for too long. */
  | { readonly _tag: "Linger" }
  /** A window of the plan has reached `agent.hold_at`. */
  | { readonly _tag: "Window" }

/** The evidence of a run that is complete once its process tree is gone; the exit itself is known earlier. */
export interface RunEvidence {
  /** From its standard output. */
  readonly agent: AgentSeen
  /** Its last lines, the newest last. */
  readonly tail: ReadonlyArray<TailLine>
  /** The highest sample of its process tree in bytes, swap included; undefined without a sample. */
  readonly peakMemoryBytes: number | undefined
  /** The time of the verdict, in milliseconds since 1970, and the worker's time zone. */
  readonly nowMs: number
  readonly timeZone: string
}
