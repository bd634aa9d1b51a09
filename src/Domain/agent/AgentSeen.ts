import * as Schema from "effect/Schema"

const AtMs = { atMs: Schema.Number }

/** A tool that the agent has called and whose result has not come yet. */
export const ToolInFlight = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  /** When it was called: the time that `nextAgent` was told with the line. */
  sinceMs: Schema.Number,
  /** The message that has called it. */
  message: Schema.optional(Schema.String),
  /** The call of the subagent that has called it; absent where the agent itself has. */
  parent: Schema.optional(Schema.String)
})
export type ToolInFlight = typeof ToolInFlight.Type

/** The last word of a run: the `result` object. `text` is its answer, or what went wrong, shortened. */
export const AgentResult = Schema.Struct({
  ...AtMs,
  subtype: Schema.String,
  isError: Schema.Boolean,
  text: Schema.String,
  /** Of the whole run: a run has a result for each turn of its loop, such as when a background task ends. */
  turns: Schema.optional(Schema.Number),
  costUsd: Schema.optional(Schema.Number),
  durationMs: Schema.optional(Schema.Number),
  /** The HTTP status with which the API refused it. */
  apiErrorStatus: Schema.optional(Schema.Number),
  /** Why its loop ended, such as `completed`, `max_turns` or `blocking_limit`. */
  terminalReason: Schema.optional(Schema.String)
})
export type AgentResult = typeof AgentResult.Type

/** What the agent has last been told of its usage limit. */
export const AgentRateLimit = Schema.Struct({
  ...AtMs,
  /** `allowed`, `allowed_warning` or `rejected`. */
  status: Schema.String,
  /** Which limit, such as `five_hour` or `seven_day`. */
  type: Schema.optional(Schema.String),
  /** Milliseconds since 1970. */
  resetsAtMs: Schema.optional(Schema.Number),
  /** Beyond the limit it goes on with usage that is paid for. */
  isUsingOverage: Schema.Boolean
})
export type AgentRateLimit = typeof AgentRateLimit.Type

/** A request to the API that is tried again. It is no error: the agent goes on. */
export const AgentRetry = Schema.Struct({
  ...AtMs,
  attempt: Schema.Number,
  maxRetries: Schema.optional(Schema.Number),
  delayMs: Schema.optional(Schema.Number),
  /** The HTTP status; absent where there was no answer. */
  status: Schema.optional(Schema.Number),
  /** The agent's name for it, such as `overloaded`. A 529 has been seen under `rate_limit`. */
  error: Schema.optional(Schema.String)
})
export type AgentRetry = typeof AgentRetry.Type

/** An error that the agent has shown instead of an answer. */
export const AgentError = Schema.Struct({
  ...AtMs,
  text: Schema.String,
  /** The agent's name for it, such as `rate_limit` or `authentication_failed`. */
  error: Schema.optional(Schema.String),
  status: Schema.optional(Schema.Number)
})
export type AgentError = typeof AgentError.Type

/**
 * What an agent has said about itself on its output so far, as `nextAgent` reads it. It is of bounded size whatever
 * the agent prints. Times are the ones told with the lines.
 */
export const AgentSeen = Schema.Struct({
  sessionId: Schema.optional(Schema.String),
  model: Schema.optional(Schema.String),
  /** How many answers the agent itself has got; those of its subagents are not counted. */
  turns: Schema.Int,
  /** The answer that was last counted. */
  message: Schema.optional(Schema.String),
  /** How its last run ended; absent while it works. */
  result: Schema.optional(AgentResult),
  /** The turns of all results so far. */
  resultTurns: Schema.optional(Schema.Number),
  rateLimit: Schema.optional(AgentRateLimit),
  /** Absent once an answer has come. */
  retry: Schema.optional(AgentRetry),
  /** Absent once an answer has come that is none. */
  error: Schema.optional(AgentError),
  /** In the order of their calls. */
  tools: Schema.Array(ToolInFlight)
})
export type AgentSeen = typeof AgentSeen.Type

/** Before its first line, and of a worker that is no such agent. */
export const noAgent: AgentSeen = { turns: 0, tools: [] }

/** Whether it has shown itself as such an agent. */
export const isAgent = (seen: AgentSeen): boolean =>
  seen.sessionId !== undefined || seen.result !== undefined || seen.turns > 0
