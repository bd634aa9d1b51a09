import * as Schema from "effect/Schema"
import { AgentContext, noContext } from "./AgentContext.ts"
import { AgentCost, noCost } from "./AgentCost.ts"
import { AgentDenials, noDenials } from "./AgentDenials.ts"
import { AgentRateLimit } from "./AgentLimits.ts"
import { AgentName } from "./AgentName.ts"
import { AgentPace } from "./AgentPace.ts"
import { AgentTasks, noTasks } from "./AgentTasks.ts"
import { AgentWork, noWork } from "./AgentWork.ts"

const AtMs = { atMs: Schema.Number }

/** A tool call without a result yet. */
export const ToolInFlight = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  /** The time of the call, from `nextAgent`. */
  sinceMs: Schema.Number,
  /** The message with the call. */
  message: Schema.optional(Schema.String),
  /** The tool call of the calling subagent; absent for the agent itself. */
  parent: Schema.optional(Schema.String),
  /** Its arguments, on one line. */
  input: Schema.optional(Schema.String),
  /** A number for its name and arguments; absent where they could not be read. */
  hash: Schema.optional(Schema.Number)
})
export type ToolInFlight = typeof ToolInFlight.Type

/** The final `result` object of a run. `text` is the answer or the error, shortened. */
export const AgentResult = Schema.Struct({
  ...AtMs,
  subtype: Schema.String,
  isError: Schema.Boolean,
  text: Schema.String,
  /** The turns of the whole run: a run has one result for each turn of its loop, such as when a background task ends. */
  turns: Schema.optional(Schema.Number),
  /** What this process has spent. */
  costUsd: Schema.optional(Schema.Number),
  durationMs: Schema.optional(Schema.Number),
  /** The HTTP status of the API's refusal. */
  apiErrorStatus: Schema.optional(Schema.Number),
  /** The end of the agent's loop: `completed`, `max_turns`, `blocking_limit` ... */
  terminalReason: Schema.optional(Schema.String)
})
export type AgentResult = typeof AgentResult.Type

/** A retry of a request to the API. It is no error: the agent continues. */
export const AgentRetry = Schema.Struct({
  ...AtMs,
  /** The time of the first retry since the last answer. */
  sinceMs: Schema.Number,
  attempt: Schema.Number,
  maxRetries: Schema.optional(Schema.Number),
  delayMs: Schema.optional(Schema.Number),
  /** The HTTP status; absent without an answer. */
  status: Schema.optional(Schema.Number),
  /** The agent's name for it, such as `overloaded`. It reports some 529 as `rate_limit`. */
  error: Schema.optional(Schema.String)
})
export type AgentRetry = typeof AgentRetry.Type

/** An error in place of an answer. */
export const AgentError = Schema.Struct({
  ...AtMs,
  text: Schema.String,
  /** The agent's name for it, such as `rate_limit` or `authentication_failed`. */
  error: Schema.optional(Schema.String),
  status: Schema.optional(Schema.Number)
})
export type AgentError = typeof AgentError.Type

/** The state of an agent by its output so far, folded by `nextAgent`. Its size is bounded, whatever the agent prints. */
export const AgentSeen = Schema.Struct({
  /** Recognised by its first line; it stays the same for the whole run. */
  agent: Schema.optional(AgentName),
  sessionId: Schema.optional(Schema.String),
  model: Schema.optional(Schema.String),
  /** The answers of the agent itself, without those of subagents. */
  turns: Schema.Int,
  /** The answer that further lines belong to, of an agent that names none. */
  openAnswer: Schema.optional(Schema.String),
  /** The end of the last run; absent while the agent works. */
  result: Schema.optional(AgentResult),
  /** The turns of all results so far. */
  resultTurns: Schema.optional(Schema.Number),
  rateLimit: Schema.optional(AgentRateLimit),
  /** Absent after the next answer. */
  retry: Schema.optional(AgentRetry),
  /** Absent after the next answer without an error. */
  error: Schema.optional(AgentError),
  /** In the order of their calls. */
  tools: Schema.Array(ToolInFlight),
  /** What the run has spent; read it by `spentOf`. */
  cost: AgentCost,
  /** Absent before the first line. */
  pace: Schema.optional(AgentPace),
  work: AgentWork,
  tasks: AgentTasks,
  denials: AgentDenials,
  context: AgentContext,
  /** The calls of subagents so far. */
  subagents: Schema.Int
})
export type AgentSeen = typeof AgentSeen.Type

/** The state before the first line, and of a worker that is no agent. */
export const noAgent: AgentSeen = {
  turns: 0,
  tools: [],
  cost: noCost,
  work: noWork,
  tasks: noTasks,
  denials: noDenials,
  context: noContext,
  subagents: 0
}

/** The state before the first line of a further run, which knows the prices and sizes that the run before has told. */
export const beforeNextRun = ({ context, cost }: AgentSeen): AgentSeen => ({
  ...noAgent,
  cost: { ...noCost, rates: cost.rates },
  context: { ...noContext, windows: context.windows }
})

/** The worker has printed lines of the stream. */
export const isAgent = (seen: AgentSeen): boolean =>
  seen.sessionId !== undefined || seen.result !== undefined || seen.turns > 0

/** The agent has answered everything it was asked: its last `result` is a success. */
export const hasSucceeded = ({ result }: AgentSeen): boolean =>
  result !== undefined && !result.isError && result.subtype === "success"

/**
 * The state at the end of an agent that the daemon stops. The stop ends the background tasks first, and a finished agent
 * that hears of their end begins another turn: its success stays.
 */
export const afterStop = (atStop: AgentSeen, atEnd: AgentSeen): AgentSeen =>
  hasSucceeded(atStop) ? { ...atEnd, result: atStop.result } : atEnd
