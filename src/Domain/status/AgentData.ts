import * as Schema from "effect/Schema"
import { AgentName } from "../agent/AgentName.ts"
import { Count, field, MicroDollars, Moment, perhaps } from "../Wire.ts"

const text = (description: string) => perhaps(Schema.String, description)
const count = (description: string) => perhaps(Count, description)
const time = (description: string) => perhaps(Moment, description)

/** Work that goes on beside the agent's own: a command in the background, or a subagent. */
const AgentTaskData = Schema.Struct({
  description: field(Schema.String, "What the agent calls it"),
  subagent: field(Schema.Boolean, "A subagent, not a command in the background"),
  since_ms: field(Moment, "Its beginning")
})

/** One window of the plan, such as `five_hour`. */
const AgentLimitData = Schema.Struct({
  name: field(Schema.String, "The name of the window, such as `five_hour`"),
  used_per_mille: count("1000 is all; paid use beyond the plan is more"),
  resets_at_ms: time("When the window begins anew")
})

const shared = {
  name: perhaps(AgentName, "The agent that the daemon knows it by"),
  session_id: text("The session, by which the agent continues"),
  model: text("The model that the agent names")
}

const cost = {
  cost_micro_usd: perhaps(MicroDollars, "What this process alone has cost"),
  cost_is_exact: perhaps(Schema.Boolean, "False when a part of the cost is estimated or not known")
}

const blocked = text("Why only a person helps: `permission`, `login` or `question`")
const turns = field(Count, "The answers of the agent itself, as its `--max-turns` counts them")

/**
 * What the agent of a running worker tells about itself. Each key is absent when it is not known, or does not apply.
 * Times are milliseconds since 1970.
 */
export const AgentData = Schema.Struct({
  ...shared,
  since_ms: field(Moment, "The time of its first line"),
  turns,
  actions: field(Count, "Tool calls and answers, those of subagents included"),
  actions_last_minute: field(Count, "Those of the last minute"),
  actions_last_ten_minutes: field(Count, "Those of the last ten minutes"),
  tools_running: count("The tools that run"),
  last_tool: perhaps(
    Schema.Struct({
      name: field(Schema.String, "The name of the tool"),
      input: text("What it was called with, shortened"),
      at_ms: field(Moment, "The time of the call"),
      ended_at_ms: time("The time of its result. Absent while it runs"),
      failed: perhaps(Schema.Boolean, "True for a call that has failed")
    }),
    "The last call of a tool"
  ),
  last_answer: perhaps(
    Schema.Struct({
      text: field(Schema.String, "What the agent has said, shortened"),
      at_ms: field(Moment, "The time of the answer")
    }),
    "The last answer in words"
  ),
  ...cost,
  answers_since_cost: count("The answers whose cost is an estimate"),
  input_tokens: count("The tokens that the answers have read, those of the cache left out"),
  output_tokens: count("The tokens that the answers have"),
  cache_read_tokens: count("The tokens that were read from the cache"),
  cache_creation_tokens: count("The tokens that were put into the cache"),
  context_tokens: count("The tokens that the last answer has read"),
  context_window_tokens: count("The size of the context"),
  compactions: count("How often the agent has shortened its context"),
  subagents: count("The subagents so far"),
  tasks: perhaps(Schema.Array(AgentTaskData), "What goes on in the background"),
  wake_up_at_ms: time("When the agent wakes up by itself"),
  denials: count("The tool calls that the permissions of the agent have denied"),
  denied_tool: text("The tool that was denied last"),
  limits: perhaps(Schema.Array(AgentLimitData), "The windows of the plan"),
  retry: perhaps(
    Schema.Struct({
      attempt: field(Count, "The number of this attempt"),
      of: count("The number of attempts until the agent gives up"),
      status: count("The HTTP status of the last attempt"),
      error: text("What went wrong, in the agent's words"),
      since_ms: field(Moment, "The time of the first attempt"),
      next_at_ms: time("The time of the next attempt")
    }),
    "The retry of a request, until the next answer"
  ),
  blocked,
  waits: text("What it waits for inside of its process: `limit` or `api`"),
  finished_at_ms: time("The time at which the agent finished, while its process stays"),
  no_progress: text("Why it seems to make no progress, in words"),
  situation: text("The sentence about all this, without its subject"),
  until_ms: time("When it goes on by itself")
})
export type AgentData = typeof AgentData.Type

/** What is left of the last run of an agent. The keys are those of `AgentData`. */
export const LastAgentData = Schema.Struct({ ...shared, turns, ...cost, blocked })
export type LastAgentData = typeof LastAgentData.Type
