import type { AgentSeen } from "../agent/AgentSeen.ts"
import type { TailLine } from "./ExitJudgement.ts"

/** What is known of a worker's life once nothing of it is left, beside how its leader ended. */
export interface LifeSeen {
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
