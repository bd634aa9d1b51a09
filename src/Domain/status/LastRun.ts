import * as Schema from "effect/Schema"
import { VerdictKind } from "../verdict/ExitVerdict.ts"
import { Count, MicroDollars, perhaps } from "../Wire.ts"
import type { WorkerState } from "../worker/WorkerState.ts"
import type { AgentData, LastAgentData } from "./AgentData.ts"

/** The end of the last run, and what the agent has used, for programs. */
export const lastRunFields = {
  last_verdict: perhaps(
    VerdictKind,
    "Why the last run ended, in one word: see [Exits](verdicts.md). Absent before the first end"
  ),
  last_exit_code: perhaps(Count, "The exit code of the last run. Absent where a signal ended it"),
  last_exit_signal: perhaps(Schema.String, "The signal that ended the last run, such as SIGKILL"),
  turns: perhaps(
    Count,
    "The answers of the agent in this run, or in the last one while none runs. Absent for a worker that is no agent"
  ),
  cost_micro_usd: perhaps(
    MicroDollars,
    "What this run, or the last one, has cost. Absent where the price is not known"
  )
}

/** The fields of the last run of a worker, and of its agent. */
export const lastRun = (
  { lastEnd }: Pick<WorkerState, "lastEnd">,
  agent: AgentData | LastAgentData | undefined
) => ({
  ...(lastEnd && {
    ...(lastEnd.verdict && { last_verdict: lastEnd.verdict }),
    ...(lastEnd.code !== undefined && { last_exit_code: lastEnd.code }),
    ...(lastEnd.signal && { last_exit_signal: lastEnd.signal })
  }),
  ...(agent && {
    turns: agent.turns,
    ...(agent.cost_micro_usd !== undefined && { cost_micro_usd: agent.cost_micro_usd })
  })
})
