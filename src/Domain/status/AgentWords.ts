import type { AgentName } from "../agent/AgentName.ts"
import { counted, humanDuration, ofMicroDollars } from "../text/Amounts.ts"
import { printable, quoted } from "../text/Printable.ts"
import type { AgentData, LastAgentData } from "./AgentData.ts"

/** `31,000`: digits in groups. */
const grouped = (figure: number): string => String(figure).replace(/\B(?=(\d{3})+$)/g, ",")

const joined = (parts: ReadonlyArray<string | undefined>): string | undefined => {
  const told = parts.filter((part) => part !== undefined)
  return told.length === 0 ? undefined : told.join(", ")
}

const ago = (atMs: number, nowMs: number): string => `${humanDuration(Math.max(0, nowMs - atMs))} ago`

/** `$0.42`, or `about $0.42` where a part is estimated; undefined when it is not known. */
export const costWords = ({
  cost_is_exact: isExact,
  cost_micro_usd: micro
}: Pick<AgentData, "cost_is_exact" | "cost_micro_usd">): string | undefined =>
  micro === undefined ? undefined : `${isExact === true ? "" : "about "}${ofMicroDollars(micro)}`

/** The cost, and which part of it is an estimate. */
const cost = (agent: AgentData): string | undefined => {
  const amount = costWords(agent)
  const { answers_since_cost: since } = agent
  if (amount === undefined) return undefined
  return since === undefined ? amount : `${amount}; ${counted(since, "answer")} estimated`
}

export const tokenWords = (agent: AgentData): string | undefined =>
  joined(
    (
      [
        [agent.input_tokens, "in"],
        [agent.output_tokens, "out"],
        [agent.cache_read_tokens, "read from the cache"],
        [agent.cache_creation_tokens, "written to it"]
      ] as const
    ).map(([figure, what]) => (figure === undefined ? undefined : `${grouped(figure)} ${what}`))
  )

/** Actions a minute: `3 in the last minute, 2.1 a minute in the last ten, 1.9 over the run`. */
export const paceWords = (agent: AgentData, nowMs: number): string => {
  const ageMinutes = Math.max(1, (nowMs - agent.since_ms) / 60_000)
  const rate = (actions: number, minutes: number) => String(Math.round((actions / minutes) * 10) / 10)
  const lately = agent.actions_last_ten_minutes
  return [
    `${agent.actions_last_minute} in the last minute`,
    ...(ageMinutes < 2 ? [] : [`${rate(lately, Math.min(10, ageMinutes))} a minute in the last ten`]),
    ...(ageMinutes <= 10 ? [] : [`${rate(agent.actions, ageMinutes)} over the run`])
  ].join(", ")
}

/** The last tool: `Bash "npm test", for 5 min 20 s`. */
const toolWords = ({ last_tool: tool }: AgentData, nowMs: number): string | undefined => {
  if (tool === undefined) return undefined
  const what = `${printable(tool.name, 60)}${tool.input === undefined ? "" : ` ${quoted(tool.input)}`}`
  if (tool.ended_at_ms === undefined) return `${what}, for ${humanDuration(Math.max(0, nowMs - tool.at_ms))}`
  return `${what}, ${tool.failed === true ? "failed" : "done"} ${ago(tool.ended_at_ms, nowMs)}`
}

const answerWords = ({ last_answer: answer }: AgentData, nowMs: number): string | undefined =>
  answer && `${printable(answer.text, 200)} (${ago(answer.at_ms, nowMs)})`

/** The used share of the context, from 0 to 1; undefined when it is not known. */
export const contextShareOf = (agent: AgentData): number | undefined => {
  const { context_tokens: tokens, context_window_tokens: window } = agent
  return tokens === undefined || window === undefined || window === 0
    ? undefined
    : Math.min(1, tokens / window)
}

export const contextWords = (agent: AgentData): string | undefined => {
  const { compactions, context_tokens: tokens, context_window_tokens: window } = agent
  const share = contextShareOf(agent)
  return joined([
    share === undefined || window === undefined
      ? tokens === undefined
        ? undefined
        : `${grouped(tokens)} tokens`
      : `${Math.round(share * 100)} % of ${grouped(window)} tokens`,
    compactions === undefined ? undefined : `compacted ${compactions === 1 ? "once" : `${compactions} times`}`
  ])
}

const windowNames: Readonly<Record<string, string>> = { five_hour: "5 hours", seven_day: "week" }

/** The name of a limit's window: `5 hours`, `week`, `week opus`. */
export const windowName = (name: string): string =>
  printable(
    windowNames[name] ??
      name
        .replace(/^seven_day_/, "week ")
        .replace(/^five_hour_/, "5 hours ")
        .replaceAll("_", " "),
    40
  )

const limits = ({ limits }: AgentData, nowMs: number): string | undefined =>
  joined(
    (limits ?? []).map(({ name, resets_at_ms: resets, used_per_mille: used }) => {
      const share = used === undefined ? "" : ` ${Math.floor(used / 10)} %`
      return `${windowName(name)}${share}${resets === undefined || resets <= nowMs ? "" : ` (resets in ${humanDuration(resets - nowMs)})`}`
    })
  )

const taskWords = ({ tasks, wake_up_at_ms: wakeUp }: AgentData, nowMs: number): string | undefined =>
  joined([
    ...(tasks ?? []).map(
      ({ description, since_ms: since, subagent }) =>
        `${subagent ? "subagent " : ""}${quoted(description)} for ${humanDuration(Math.max(0, nowMs - since))}`
    ),
    wakeUp === undefined || wakeUp <= nowMs ? undefined : `wakes up in ${humanDuration(wakeUp - nowMs)}`
  ])

export const denialWords = ({ denials, denied_tool: tool }: AgentData): string | undefined =>
  denials === undefined
    ? undefined
    : `${counted(denials, "call")}${tool === undefined ? "" : `, the last of ${printable(tool, 60)}`}`

const retry = ({ retry }: AgentData, nowMs: number): string | undefined => {
  if (retry === undefined) return undefined
  const answer = retry.status === undefined ? "no answer" : `status ${retry.status}`
  const of = retry.of === undefined ? "" : ` of ${retry.of}`
  const next =
    retry.next_at_ms === undefined || retry.next_at_ms <= nowMs
      ? ""
      : `, again in ${humanDuration(retry.next_at_ms - nowMs)}`
  return `${answer}: attempt ${retry.attempt}${of}${next}`
}

/** Formats a time in the zone of the user, as seen from now. */
export type ClockTime = (atMs: number, nowMs: number) => string

/** The reason for a worker's state, and until when its agent waits. */
export const reasonWords = (
  reason: string,
  agent: AgentData | undefined,
  { clockTime, nowMs }: { readonly clockTime: ClockTime; readonly nowMs: number }
): string => {
  const untilMs = agent?.until_ms
  return untilMs === undefined || untilMs <= nowMs
    ? reason
    : `${reason}, until ${clockTime(untilMs, nowMs)} (in ${humanDuration(untilMs - nowMs)})`
}

/** How each agent takes a session at a terminal. */
const opening: Readonly<Record<AgentName, string>> = {
  claude: "claude --resume",
  codex: "codex resume",
  gemini: "gemini --resume",
  opencode: "opencode -s",
  qwen: "qwen --resume"
}

/** The command that opens a session by hand. Records of older versions, which knew Claude Code only, name no agent. */
export const openCommand = (sessionId: string, name: AgentName = "claude"): string =>
  `${opening[name]} ${printable(sessionId, 80)}`

/** What an agent does, for a table: `12 turns, 3/min, $0.42, Bash for 5 minutes`. */
export const agentSummary = (agent: AgentData, nowMs: number): string => {
  const tool = agent.last_tool
  const parts = [
    counted(agent.turns, "turn"),
    `${agent.actions_last_minute}/min`,
    costWords(agent),
    tool === undefined || tool.ended_at_ms !== undefined
      ? undefined
      : `${printable(tool.name, 30)} for ${humanDuration(Math.max(0, nowMs - tool.at_ms))}`
  ]
  return joined(parts) ?? ""
}

/** What the last run of an agent has done, for a table: `12 turns, $0.42`. */
export const lastAgentSummary = (last: LastAgentData): string =>
  joined([counted(last.turns, "turn"), costWords(last)]) ?? ""

const session = ({ name, session_id: id }: LastAgentData, how: string): string | undefined =>
  id && `${printable(id, 80)} (${how}: ${openCommand(id, name)})`

/** The lines about the last run of an agent for a terminal. */
export const lastAgentWords = (
  last: LastAgentData
): ReadonlyArray<readonly [label: string, value: string | undefined]> => [
  ["Session", session(last, "open it by hand")],
  ["Last agent", lastAgentSummary(last)]
]

/** The lines about an agent for a terminal: label and value. Texts of the answer are untrusted. */
export const agentWords = (
  agent: AgentData,
  nowMs: number
): ReadonlyArray<readonly [label: string, value: string | undefined]> => [
  ["Model", agent.model && printable(agent.model, 80)],
  ["Session", session(agent, "while the worker is stopped")],
  ["Turns", String(agent.turns)],
  ["Actions", `${agent.actions}: ${paceWords(agent, nowMs)}`],
  ["Cost", cost(agent)],
  ["Tokens", tokenWords(agent)],
  ["Context", contextWords(agent)],
  ["Tool", toolWords(agent, nowMs)],
  ["Last answer", answerWords(agent, nowMs)],
  ["Subagents", agent.subagents === undefined ? undefined : String(agent.subagents)],
  ["Background", taskWords(agent, nowMs)],
  ["Denied", denialWords(agent)],
  ["Usage limits", limits(agent, nowMs)],
  ["API retry", retry(agent, nowMs)]
]
