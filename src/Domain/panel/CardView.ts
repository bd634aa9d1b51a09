import { adapters } from "../adapter/AgentAdapters.ts"
import type { AgentName } from "../agent/AgentName.ts"
import { type Html, type HtmlValue, html } from "../html/Html.ts"
import { moment, since, until } from "../html/Moment.ts"
import { openCommand } from "../status/AgentWords.ts"
import { dollars, humanBytes } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import { agentRows, lastAgentRows } from "./AgentView.ts"
import { type DaemonSight, startOf } from "./DaemonSight.ts"
import { type RunEnd, tagOf } from "./RunEnds.ts"
import { modelIn, stateWords } from "./StateView.ts"

type Row = readonly [label: string, value: HtmlValue]

const list = (rows: ReadonlyArray<Row>): Html =>
  html`<dl>${rows.map(([label, value]) => html`<div><dt>${label}</dt><dd>${value}</dd></div>`)}</dl>`

/** The memory in use, with the thresholds at which the daemon acts as the limits of its colours. */
const memoryBar = (
  availableBytes: number,
  totalBytes: number,
  lowBytes: number,
  criticalBytes: number
): Html =>
  html`<meter min="0" max="${totalBytes}" low="${totalBytes - lowBytes}" high="${totalBytes - criticalBytes}" optimum="0" value="${totalBytes - availableBytes}" aria-label="Memory in use"></meter>`

/** The card of the daemon: state, pid, uptime, restarts and memory, as small as they can be. */
export const daemonCard = (sight: DaemonSight, nowMs: number): Html => {
  const { headline, tone } = stateWords(sight)
  const title = html`<h2><span class="dot ${tone}"></span>${headline}</h2>`
  if (sight._tag === "NotRunning") return html`${title}<p class="muted">Nothing restarts the worker.</p>`
  if (sight._tag === "Unwell") return html`${title}<p class="muted">${printable(sight.reason, 300)}</p>`
  const { problem, status } = sight
  if (status === undefined) return html`${title}<p class="muted">${printable(problem ?? "", 300)}</p>`
  const startedMs = startOf(sight)
  const failures = status.consecutive_failures
  const due = status.next_start_at_ms
  const rows: ReadonlyArray<Row> = [
    ["Project", printable(status.project ?? "", 64)],
    ...(status.worker_pid === null ? [] : [["PID", status.worker_pid] as const]),
    ...(startedMs === undefined ? [] : [["Uptime", since(startedMs, nowMs)] as const]),
    ["Restarts", `${status.total_restarts}${failures === 0 ? "" : ` (${failures} failures in a row)`}`],
    ...(due === undefined ? [] : [["Next start", until(due, nowMs)] as const]),
    [
      "Memory",
      `${humanBytes(status.memory_available_bytes)} of ${humanBytes(status.memory_total_bytes)} free`
    ]
  ]
  const reason = status.worker_status === "running" ? undefined : status.reason
  return html`${title}${reason !== undefined && html`<p class="muted">${printable(reason, 300)}</p>`}${list(rows)}${memoryBar(
    status.memory_available_bytes,
    status.memory_total_bytes,
    status.memory_min_available_bytes ?? 0,
    status.memory_critical_threshold_bytes ?? 0
  )}`
}

const agentTitle = (name: AgentName | undefined): string =>
  name === undefined ? "Claude" : adapters[name].title

const valueAfter = (command: ReadonlyArray<string>, names: ReadonlyArray<string>): string | undefined => {
  const at = command.findIndex((word) => names.includes(word))
  return at === -1 ? undefined : command[at + 1]
}

/** The turns and the cost of a run, as far as its verdict knows them. */
const figuresOf = ({ verdict }: RunEnd): ReadonlyArray<Row> => [
  ...("turns" in verdict && verdict.turns !== undefined ? [["Turns", verdict.turns] as const] : []),
  ...("costUsd" in verdict && verdict.costUsd !== undefined
    ? [["Cost", dollars(verdict.costUsd)] as const]
    : [])
]

/**
 * The card of the agent: what it tells while it runs, and else its command line and the verdicts of its runs. What is not known is not shown.
 * `newestFirst` are the ends of the project's runs.
 */
export const agentCard = (sight: DaemonSight, newestFirst: ReadonlyArray<RunEnd>, nowMs: number): Html => {
  const status = sight._tag === "Running" ? sight.status : undefined
  const command = status?.worker_command ?? []
  const agent = status?.agent
  const known = agent ?? status?.last_agent
  const model = known?.model ?? modelIn(command)
  const session =
    known?.session_id ??
    valueAfter(command, ["--resume", "-r", "--session-id"]) ??
    newestFirst.find((end) => end.sessionId !== undefined)?.sessionId
  const name = known?.name ?? newestFirst.find((end) => end.agent !== undefined)?.agent
  const last = newestFirst[0]
  const told = newestFirst.find((end) => figuresOf(end).length > 0)
  const limit = newestFirst.find(({ verdict }) => verdict.kind === "usage-limit")?.verdict
  const resetMs = limit?.kind === "usage-limit" ? limit.resetAtMs : undefined
  const rows: ReadonlyArray<Row> = [
    ...(model === undefined ? [] : [["Model", printable(model, 60)] as const]),
    ...(session === undefined
      ? []
      : [
          [
            "Session",
            html`<code title="${openCommand(session, name)}">${printable(session, 40)}</code>`
          ] as const
        ]),
    ...(last === undefined
      ? []
      : [
          [
            "Last run",
            html`<span class="tag ${tagOf(last.verdict).tone}">${tagOf(last.verdict).word}</span> ${moment(last.atMs)}`
          ] as const
        ]),
    ...(agent !== undefined
      ? agentRows(agent, nowMs)
      : status?.last_agent !== undefined
        ? lastAgentRows(status.last_agent)
        : told === undefined
          ? []
          : figuresOf(told)),
    ...(resetMs !== undefined && resetMs > nowMs
      ? [["Usage limit", html`until ${moment(resetMs)}`] as const]
      : [])
  ]
  const { situation, until_ms: untilMs } = agent ?? {}
  return html`<h2>${agentTitle(known?.name)}</h2>${
    situation !== undefined &&
    html`<p class="muted">It ${printable(situation, 300)}${untilMs !== undefined && html`, until ${moment(untilMs)}`}</p>`
  }${rows.length === 0 ? html`<p class="muted">Nothing is known of a run yet.</p>` : list(rows)}`
}
