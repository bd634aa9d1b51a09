import type { Fact } from "../html/FactList.ts"
import { type HtmlValue, html } from "../html/Html.ts"
import { since, until } from "../html/Moment.ts"
import type { AgentData, LastAgentData } from "../status/AgentData.ts"
import {
  contextShareOf,
  contextWords,
  costWords,
  denialWords,
  openCommand,
  paceWords,
  tokenWords,
  windowName
} from "../status/AgentWords.ts"
import { counted } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"

type Limit = NonNullable<AgentData["limits"]>[number]

const none = "–"

const percent = (share: number): string => `${Math.floor(share * 100)} %`

/** The last tool: how long it runs, or how long ago it has ended. */
const toolNote = ({ last_tool: tool }: AgentData, nowMs: number): HtmlValue => {
  if (tool === undefined) return undefined
  if (tool.ended_at_ms === undefined) return html`for ${since(tool.at_ms, nowMs)}`
  return html`${tool.failed === true ? "failed " : ""}${since(tool.ended_at_ms, nowMs)} ago`
}

const limitText = ({ resets_at_ms: resetMs, used_per_mille: used }: Limit, nowMs: number): HtmlValue => [
  used === undefined ? "" : percent(used / 1000),
  resetMs !== undefined && html`${used === undefined ? "" : ", "}resets in ${until(resetMs, nowMs)}`
]

/** The window of the plan that is used most. */
const tightest = ({ limits = [] }: AgentData): Limit | undefined =>
  limits.toSorted((a, b) => (b.used_per_mille ?? 0) - (a.used_per_mille ?? 0))[0]

const nearly = 900

const limitFact = (agent: AgentData, nowMs: number): Fact => {
  const limit = tightest(agent)
  if (limit === undefined) return { label: "Usage limit", value: none }
  const { name, resets_at_ms: resetMs, used_per_mille: used } = limit
  return {
    label: "Usage limit",
    value: used === undefined ? none : percent(used / 1000),
    note: [windowName(name), resetMs !== undefined && html`, resets in ${until(resetMs, nowMs)}`],
    isBad: used !== undefined && used >= nearly
  }
}

/** What an agent does and costs, for the card of its worker. */
export const agentFacts = (agent: AgentData, nowMs: number): ReadonlyArray<Fact> => {
  const share = contextShareOf(agent)
  const tool = agent.last_tool
  return [
    { label: "Cost", value: costWords(agent) ?? none, note: counted(agent.turns, "turn") },
    { label: "Actions", value: agent.actions_last_minute, note: "in the last minute" },
    {
      label: "Last tool",
      value: tool === undefined ? none : printable(tool.name, 24),
      note: toolNote(agent, nowMs)
    },
    {
      label: "Context",
      value: share === undefined ? none : percent(share),
      note:
        agent.compactions === undefined
          ? undefined
          : `compacted ${agent.compactions === 1 ? "once" : `${agent.compactions} times`}`
    },
    limitFact(agent, nowMs),
    {
      label: "In the background",
      value: agent.tasks?.length ?? none,
      note: agent.tasks?.[0] === undefined ? undefined : printable(agent.tasks[0].description, 40)
    }
  ]
}

/** What the last run of an agent has done and cost, while none runs. */
export const lastAgentFacts = (last: LastAgentData): ReadonlyArray<Fact> => [
  { label: "Cost", value: costWords(last) ?? none, note: "of the last run" },
  { label: "Turns", value: last.turns, note: "of the last run" }
]

/** The last answer, and the session with the command that opens it by hand. */
export const agentLine = ({
  last_answer: answer,
  name,
  session_id: session
}: Pick<AgentData, "last_answer" | "name" | "session_id">): HtmlValue =>
  (answer !== undefined || session !== undefined) &&
  html`<p class="agent-line muted">${answer !== undefined && html`<span>${printable(answer.text, 200)}</span>`}${
    session !== undefined &&
    html`<code title="Opens the session by hand, while the worker is stopped">${openCommand(session, name)}</code>`
  }</p>`

type Row = readonly [label: string, value: HtmlValue]

const row = (label: string, value: HtmlValue): ReadonlyArray<Row> =>
  value === undefined ? [] : [[label, value]]

/** The rows of the small card; what is not known has none. */
export const agentRows = (agent: AgentData, nowMs: number): ReadonlyArray<Row> => {
  const tool = agent.last_tool
  const { retry } = agent
  return [
    ...row("Turns", agent.turns),
    ...row("Cost", costWords(agent)),
    ...row("Tokens", tokenWords(agent)),
    ...row("Actions", paceWords(agent, nowMs)),
    ...row("Context", contextWords(agent)),
    ...row(
      "Tool",
      tool === undefined
        ? undefined
        : html`<span title="${printable(tool.input ?? "", 200)}">${printable(tool.name, 40)}</span> ${toolNote(agent, nowMs)}`
    ),
    ...row("Answer", agent.last_answer && printable(agent.last_answer.text, 120)),
    ...row("Subagents", agent.subagents),
    ...(agent.tasks ?? []).flatMap(({ description, since_ms: sinceMs }) =>
      row("Background", html`${printable(description, 60)}, for ${since(sinceMs, nowMs)}`)
    ),
    ...row(
      "Wakes up",
      agent.wake_up_at_ms === undefined ? undefined : html`in ${until(agent.wake_up_at_ms, nowMs)}`
    ),
    ...row("Denied", denialWords(agent)),
    ...row(
      "API retry",
      retry === undefined
        ? undefined
        : html`${retry.status === undefined ? "no answer" : `status ${retry.status}`}, attempt ${retry.attempt}`
    ),
    ...(agent.limits ?? []).flatMap((limit) =>
      row(`Limit, ${windowName(limit.name)}`, limitText(limit, nowMs))
    )
  ]
}

/** The rows of the last run, while none runs. */
export const lastAgentRows = (last: LastAgentData): ReadonlyArray<Row> => [
  ...row("Turns", last.turns),
  ...row("Cost", costWords(last))
]
