import { type MetricRow, secondsOf, usdOf, workerRow, workerRows } from "./MetricFamily.ts"

/** The metrics of each project's agent. What it does not tell is absent. */
export const agentMetricRows: ReadonlyArray<MetricRow> = [
  workerRows(
    {
      name: "autopilotd_agent_actions_total",
      kind: "counter",
      help: "Actions of the agent since the start of the daemon: messages, and tool calls.",
      label: "kind"
    },
    ({ agent }) => [
      ["message", agent?.messages],
      ["tool", agent?.tool_calls]
    ]
  ),
  workerRow(
    {
      name: "autopilotd_agent_turns_total",
      kind: "counter",
      help: "Answers of the agent itself since the start of the daemon."
    },
    ({ agent }) => agent?.turns
  ),
  workerRows(
    {
      name: "autopilotd_agent_tokens_total",
      kind: "counter",
      help: "Tokens of the agent since the start of the daemon.",
      label: "kind"
    },
    ({ agent }) => [
      ["input", agent?.input_tokens],
      ["output", agent?.output_tokens],
      ["cache_read", agent?.cache_read_tokens],
      ["cache_creation", agent?.cache_creation_tokens]
    ]
  ),
  workerRow(
    {
      name: "autopilotd_agent_cost_usd_total",
      kind: "counter",
      unit: "usd",
      help: "Cost of the agent in US dollars since the start of the daemon; the last answers are an estimate."
    },
    ({ agent }) => usdOf(agent?.cost_micro_usd)
  ),
  workerRow(
    {
      name: "autopilotd_agent_work_cost_usd",
      kind: "gauge",
      unit: "usd",
      help: "Cost of the agent's present work in US dollars, over all its runs, also of earlier daemons."
    },
    ({ work_cost_micro_usd }) => usdOf(work_cost_micro_usd)
  ),
  workerRow(
    {
      name: "autopilotd_agent_budget_usd",
      kind: "gauge",
      unit: "usd",
      help: "Limit of the agent's present work in US dollars (max_budget)."
    },
    ({ budget_micro_usd }) => usdOf(budget_micro_usd)
  ),
  workerRows(
    {
      name: "autopilotd_agent_usage_limit_reset_time_seconds",
      kind: "gauge",
      unit: "seconds",
      help: "Time at which a window of the agent's plan begins anew, in seconds since 1970.",
      label: "limit"
    },
    ({ limits = [] }) => limits.map(({ name, resets_at_ms }) => [name, secondsOf(resets_at_ms)])
  ),
  workerRows(
    {
      name: "autopilotd_agent_info",
      kind: "gauge",
      help: "The model of the agent's present or last run, always 1.",
      label: "model"
    },
    ({ model }) => (model === undefined ? [] : [[model, 1]])
  )
]
