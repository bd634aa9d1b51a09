import type { AgentSeen } from "../agent/AgentSeen.ts"
import type { MemoryFigures } from "../memory/MemorySample.ts"
import type { TailLine } from "../output/OutputTail.ts"
import type { WorkerExit } from "../tree/WorkerExit.ts"
import type { OomKill } from "./OomKill.ts"
import type { LimitFigures } from "./OverLimit.ts"
import type { UsedLimit } from "./UsedLimit.ts"
import type { Stall } from "./WorkerEnd.ts"

/** All evidence about an exit. */
export interface ExitEvidence {
  readonly exit: WorkerExit
  readonly uptimeMs: number
  /** Why the daemon stopped it; undefined when it exited by itself. */
  readonly asked: string | undefined
  /** Set when the daemon killed it because it was inactive for too long. */
  readonly stall: Stall | undefined
  /** Set when the daemon killed it because it exceeded its memory limit. */
  readonly overLimit: LimitFigures | undefined
  /** Set when the daemon stopped it because a limit of spending was reached. */
  readonly usedUp?: UsedLimit | undefined
  /**
   * The daemon stopped it for a reason of its own: it had finished and waited for its background tasks for too long, or
   * a window of the plan has reached `agent.hold_at`.
   */
  readonly hasLingered?: boolean
  /** The machine's memory when the daemon killed it to free some. */
  readonly criticalMemory: MemoryFigures | undefined
  readonly oomKill: OomKill | undefined
  /** The state of the agent, from its standard output. */
  readonly agent: AgentSeen
  /** Its last lines, the newest last: 64 lines hold what Node prints when its heap is full. */
  readonly tail: ReadonlyArray<TailLine>
  /** Milliseconds since 1970. */
  readonly nowMs: number
  /** The machine's time zone (`Europe/Berlin`), for a time of day that names none. */
  readonly timeZone: string
}
