import * as Schema from "effect/Schema"
import { AgentName } from "../agent/AgentName.ts"
import { Count, perhaps } from "../Wire.ts"

const text = perhaps(Schema.String)
const count = perhaps(Count)

/** Work that goes on beside the agent's own: a command in the background, or a subagent. */
const AgentTaskData = Schema.Struct({ description: Schema.String, subagent: Schema.Boolean, since_ms: Count })

/** One window of the plan, such as `five_hour`. */
const AgentLimitData = Schema.Struct({
  name: Schema.String,
  /** 1000 is all; paid use beyond the plan is more. */
  used_per_mille: count,
  resets_at_ms: count
})

/**
 * What the agent of a running worker tells about itself. Each key is absent when it is not known, or does not apply.
 * Times are milliseconds since 1970.
 */
export const AgentData = Schema.Struct({
  name: perhaps(AgentName),
  session_id: text,
  model: text,
  /** The time of its first line. */
  since_ms: Count,
  /** The answers of the agent itself, as its `--max-turns` counts them. */
  turns: Count,
  /** Tool calls and answers, those of subagents included. */
  actions: Count,
  actions_last_minute: Count,
  actions_last_ten_minutes: Count,
  /** The tools that run, and the last call. */
  tools_running: count,
  last_tool: perhaps(
    Schema.Struct({
      name: Schema.String,
      input: text,
      at_ms: Count,
      ended_at_ms: count,
      failed: perhaps(Schema.Boolean)
    })
  ),
  last_answer: perhaps(Schema.Struct({ text: Schema.String, at_ms: Count })),
  /** Millionths of a US dollar, of this process alone. */
  cost_micro_usd: count,
  /** False when a part of the cost is estimated or not known. */
  cost_is_exact: perhaps(Schema.Boolean),
  /** The answers whose cost is an estimate. */
  answers_since_cost: count,
  input_tokens: count,
  output_tokens: count,
  cache_read_tokens: count,
  cache_creation_tokens: count,
  /** The tokens that the last answer has read, and the size of the context. */
  context_tokens: count,
  context_window_tokens: count,
  compactions: count,
  /** The subagents so far. */
  subagents: count,
  /** What goes on in the background. */
  tasks: perhaps(Schema.Array(AgentTaskData)),
  /** When the agent wakes up by itself. */
  wake_up_at_ms: count,
  denials: count,
  denied_tool: text,
  limits: perhaps(Schema.Array(AgentLimitData)),
  /** The retry of a request, until the next answer. */
  retry: perhaps(
    Schema.Struct({
      attempt: Count,
      of: count,
      status: count,
      error: text,
      since_ms: Count,
      next_at_ms: count
    })
  ),
  /** Why only a person helps: `permission`, `login` or `question`. */
  blocked: text,
  /** What it waits for inside of its process: `limit` or `api`. */
  waits: text,
  /** The time at which the agent finished, while its process stays. */
  finished_at_ms: count,
  /** Why it seems to make no progress, in words. */
  no_progress: text,
  /** The sentence about all this, without its subject. */
  situation: text,
  /** When it goes on by itself. */
  until_ms: count
})
export type AgentData = typeof AgentData.Type

/** What is left of the last run of an agent. The keys are those of `AgentData`. */
export const LastAgentData = Schema.Struct({
  name: perhaps(AgentName),
  session_id: text,
  model: text,
  turns: Count,
  cost_micro_usd: count,
  cost_is_exact: perhaps(Schema.Boolean),
  /** Why only a person helps: `permission`, `login` or `question`. */
  blocked: text
})
export type LastAgentData = typeof LastAgentData.Type
