import type { ErrorMeaning } from "../adapter/AgentAdapter.ts"
import type { AgentSeen } from "../agent/AgentSeen.ts"
import { resetAhead, resetTimeMs } from "../agent/UsageLimitReset.ts"
import { meaningOf, meaningOfName, meaningOfStatus, statusIn } from "./ErrorWords.ts"
import type { Verdict } from "./ExitVerdict.ts"

/** The state of the agent when it complained, the time, and the machine's time zone. */
interface Moment {
  readonly agent: AgentSeen
  readonly nowMs: number
  readonly timeZone: string
}

/** The answers of the agent, which its limit counts. The `num_turns` of a result counts the results of tools as well. */
export const turnsOf = ({ result, turns }: AgentSeen): number | undefined =>
  turns > 0 ? turns : result?.turns

export const outOfTurns = (agent: AgentSeen): Verdict => {
  const turns = turnsOf(agent)
  return { kind: "max-turns", ...(turns === undefined ? {} : { turns }) }
}

export const overBudget = ({ result }: AgentSeen, says: string | undefined): Verdict => ({
  kind: "budget",
  ...(result?.costUsd === undefined ? {} : { costUsd: result.costUsd }),
  ...(says === undefined ? {} : { says })
})

/** A message of the agent about why it cannot go on. */
export interface Complaint {
  readonly says: string
  readonly error?: string | undefined
  readonly status?: number | undefined
}

/** Whether the plan's usage limit is reached. A refusal without a time comes from a server that is busy. */
export const isRejected = ({ rateLimit }: AgentSeen): boolean =>
  rateLimit?.status === "rejected" && rateLimit.resetsAtMs !== undefined && !rateLimit.isUsingOverage

const meaningOfComplaint = (
  { error, says, status }: Complaint,
  agent: AgentSeen
): ErrorMeaning | undefined => {
  const words = meaningOf(says)
  if (words !== undefined) return words
  if (error === "rate_limit" || status === 429) return isRejected(agent) ? "usage-limit" : "overloaded"
  const named = error === undefined ? undefined : meaningOfName(error)
  return named ?? (status === undefined ? undefined : meaningOfStatus(status))
}

export const usageLimit = (says: string, { agent, nowMs, timeZone }: Moment): Verdict => {
  const told = isRejected(agent) ? resetAhead(agent.rateLimit?.resetsAtMs, nowMs) : undefined
  const resetAtMs = told ?? resetTimeMs(says, nowMs, timeZone)
  return { kind: "usage-limit", says, ...(resetAtMs === undefined ? {} : { resetAtMs }) }
}

/** The verdict for a complaint whose meaning is known. */
export const verdictFor = (meaning: ErrorMeaning, { says, status }: Complaint, e: Moment): Verdict => {
  switch (meaning) {
    case "usage-limit":
      return usageLimit(says, e)
    case "overloaded":
      return { kind: "overloaded", says, ...(status === undefined ? {} : { status }) }
    case "budget":
      return overBudget(e.agent, says)
    case "max-turns":
      return outOfTurns(e.agent)
    default:
      return { kind: meaning, says }
  }
}

/** The verdict for a complaint; undefined when its meaning is unknown. */
export const byComplaint = (complaint: Complaint, e: Moment): Verdict | undefined => {
  const told = { ...complaint, status: complaint.status ?? statusIn(complaint.says) }
  const meaning = meaningOfComplaint(told, e.agent)
  return meaning === undefined ? undefined : verdictFor(meaning, told, e)
}
