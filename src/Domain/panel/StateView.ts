import { type Fact, factList } from "../html/FactList.ts"
import { type Html, type HtmlValue, html } from "../html/Html.ts"
import { icon, iconOf, type Tone } from "../html/Icons.ts"
import { moment, since, until } from "../html/Moment.ts"
import type { StatusReply } from "../status/StatusData.ts"
import { stateWord } from "../status/WorkerSentence.ts"
import { counted, humanBytes } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import { agentFacts, agentLine, lastAgentFacts } from "./AgentView.ts"
import { type DaemonSight, startOf } from "./DaemonSight.ts"

const tones: Readonly<Record<string, Tone>> = {
  running: "ok",
  starting: "warn",
  stopping: "warn",
  restarting: "warn",
  waiting: "warn",
  failed: "bad",
  finished: "ok",
  stopped: "off"
}

/** The tone of a worker's state, also of a word that this version does not know. */
export const toneOf = (state: string): Tone => tones[state] ?? "warn"

const badness: Readonly<Record<Tone, number>> = { off: 0, ok: 1, warn: 2, bad: 3 }

/** The tone of the worst of several states. */
export const worstTone = (states: ReadonlyArray<string>): Tone =>
  states.map(toneOf).toSorted((one, other) => badness[other] - badness[one])[0] ?? "off"

/** The state in the words and colours of every place that shows it. */
export interface StateWords {
  readonly tone: Tone
  /** `Worker running`. */
  readonly headline: string
  /** `Running`, for the title of the window. */
  readonly word: string
}

const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`

const blocked: StateWords = { tone: "warn", headline: "Blocked on a person", word: "Blocked" }

/** What an agent is in, which says more than that its worker runs, or is stopped. */
const agentWord = ({
  agent,
  last_agent: last,
  worker_status: state
}: StatusReply): StateWords | undefined => {
  if (state === "stopped" && last?.blocked !== undefined) return blocked
  if (state !== "running" || agent === undefined) return undefined
  if (agent.blocked !== undefined) return blocked
  if (agent.waits !== undefined) return { tone: "warn", headline: "Agent waiting", word: "Waiting" }
  if (agent.finished_at_ms !== undefined) {
    return { tone: "ok", headline: "Agent finished, worker stays", word: "Finished" }
  }
  return agent.no_progress === undefined
    ? undefined
    : { tone: "warn", headline: "Agent makes no progress", word: "No progress" }
}

export const stateWords = (sight: DaemonSight): StateWords => {
  switch (sight._tag) {
    case "NotRunning":
      return { tone: "off", headline: "Daemon not running", word: "No daemon" }
    case "Unwell":
      return { tone: "bad", headline: "Daemon does not answer", word: "No answer" }
    case "Running": {
      if (sight.status === undefined) return { tone: "bad", headline: "No such project", word: "No project" }
      const state = printable(stateWord(sight.status), 40)
      return (
        agentWord(sight.status) ?? { tone: toneOf(state), headline: `Worker ${state}`, word: capital(state) }
      )
    }
  }
}

/** The model of a worker that takes `--model NAME`. */
export const modelIn = (command: ReadonlyArray<string> = []): string | undefined => {
  const at = command.indexOf("--model")
  return at === -1 ? undefined : command[at + 1]
}

const underline = (sight: DaemonSight): HtmlValue => {
  if (sight._tag === "NotRunning") return "No worker runs, and nothing restarts one"
  if (sight._tag === "Unwell") return printable(sight.reason, 400)
  const { problem, status } = sight
  if (status === undefined) return printable(problem ?? "", 400)
  const model = modelIn(status.worker_command)
  const isBetween =
    ["stopping", "restarting"].includes(status.worker_status) || agentWord(status) !== undefined
  const untilMs = status.agent?.until_ms
  return [
    printable(status.project ?? "", 80),
    model === undefined ? "" : ` · model ${printable(model, 40)}`,
    status.worker_pid === null ? "" : html` · pid <span class="num">${status.worker_pid}</span>`,
    isBetween && status.reason !== undefined && ` · ${printable(status.reason, 160)}`,
    isBetween && untilMs !== undefined && html`, until ${moment(untilMs)}`
  ]
}

const none = "–"

const memoryFact = (status: StatusReply, isUp: boolean): ReadonlyArray<Fact> => {
  const held = isUp ? status.worker_memory_bytes : undefined
  const { memory_level: level, worker_peak_memory_bytes: peak, worker_processes: count } = status
  const total = `of ${humanBytes(status.memory_total_bytes)}`
  return [
    {
      label: "Memory available",
      value: humanBytes(status.memory_available_bytes),
      note: level === undefined || level === "plentiful" ? total : `${level}, ${total}`,
      isBad: level === "critical"
    },
    {
      label: "Worker memory",
      value: held === undefined ? none : humanBytes(held),
      note: [
        held !== undefined && count !== undefined && counted(count, "process", "processes"),
        held !== undefined && peak !== undefined && `, peak ${humanBytes(peak)}`
      ]
    }
  ]
}

const factsOf = (status: StatusReply, startedMs: number | undefined, nowMs: number): ReadonlyArray<Fact> => {
  const isUp = startedMs !== undefined
  const due = status.next_start_at_ms
  const failures = status.consecutive_failures
  const isFailed = status.worker_status === "failed"
  return [
    {
      label: "Uptime",
      value: isUp ? since(startedMs, nowMs) : none,
      note: isUp && html`since ${moment(startedMs)}`
    },
    { label: "Restarts", value: status.total_restarts, note: "since daemon start" },
    {
      label: "Failures in a row",
      value: failures,
      isBad: isFailed && failures > 0
    },
    ...memoryFact(status, isUp),
    {
      label: "Next start",
      value: due === undefined ? none : until(due, nowMs),
      note: due === undefined ? isFailed && "when you act" : html`at ${moment(due)}`
    }
  ]
}

const stateLine = (tone: Tone, headline: string, below: HtmlValue): Html =>
  html`<div class="state ${tone}"><span class="state-ic">${icon(iconOf(tone))}</span>
<div><h1 id="state-title">${headline}</h1><p>${below}</p></div></div>`

/** Before the first message: as high as what follows, so that nothing moves. */
export const connectingView: Html = html`${stateLine("off", "Connecting", "Asking the daemon")}${factList(
  ["Uptime", "Restarts", "Failures in a row", "Memory available", "Worker memory", "Next start"].map(
    (label) => ({ label, value: none })
  )
)}`

/** The card about the worker: its state, and what is true of it now. Buttons stand beside it, outside of what changes. */
export const stateView = (sight: DaemonSight, nowMs: number): Html => {
  const { headline, tone } = stateWords(sight)
  const facts =
    sight._tag === "Running" && sight.status !== undefined ? factsOf(sight.status, startOf(sight), nowMs) : []
  const { agent, last_agent: last } = (sight._tag === "Running" ? sight.status : undefined) ?? {}
  return html`${stateLine(tone, headline, underline(sight))}${facts.length > 0 && factList(facts)}${
    agent !== undefined && html`${factList(agentFacts(agent, nowMs))}${agentLine(agent)}`
  }${last !== undefined && html`${factList(lastAgentFacts(last))}${agentLine(last)}`}`
}
