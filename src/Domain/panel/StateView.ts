import type { StatusReply } from "../status/StatusData.ts"
import { counted, humanBytes } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import type { DaemonSight } from "./DaemonSight.ts"
import { type Html, type HtmlValue, html } from "./Html.ts"
import { type Icon, icon } from "./Icons.ts"
import { since, until } from "./Moment.ts"

/** How well a state is, for colours; a word and an icon always say the same. */
export type Tone = "ok" | "warn" | "bad" | "off"

const tones: Readonly<Record<string, Tone>> = {
  running: "ok",
  starting: "warn",
  stopping: "warn",
  restarting: "warn",
  waiting: "warn",
  failed: "bad",
  stopped: "off"
}

/** The tone of a worker's state, also of a word that this version does not know. */
export const toneOf = (state: string): Tone => tones[state] ?? "warn"

const icons: Readonly<Record<Tone, Icon>> = { ok: "check", warn: "wait", bad: "alert", off: "off" }

/** The state in the words and colours of every place that shows it. */
export interface StateWords {
  readonly tone: Tone
  /** `Worker running`. */
  readonly headline: string
  /** `Running`, for the title of the window. */
  readonly word: string
}

const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`

export const stateWords = (sight: DaemonSight): StateWords => {
  switch (sight._tag) {
    case "NotRunning":
      return { tone: "off", headline: "Daemon not running", word: "No daemon" }
    case "Unwell":
      return { tone: "bad", headline: "Daemon does not answer", word: "No answer" }
    case "Running": {
      if (sight.status === undefined) return { tone: "bad", headline: "No such project", word: "No project" }
      const state = printable(sight.status.worker_status, 40)
      return { tone: toneOf(state), headline: `Worker ${state}`, word: capital(state) }
    }
  }
}

/** The model of a worker that takes `--model NAME`. */
const modelIn = (command: ReadonlyArray<string> = []): string | undefined => {
  const at = command.indexOf("--model")
  return at === -1 ? undefined : command[at + 1]
}

const underline = (sight: DaemonSight): HtmlValue => {
  if (sight._tag === "NotRunning") return "No worker runs, and nothing restarts one"
  if (sight._tag === "Unwell") return printable(sight.reason, 400)
  const { problem, status } = sight
  if (status === undefined) return printable(problem ?? "", 400)
  const model = modelIn(status.worker_command)
  return [
    printable(status.project ?? "", 80),
    model === undefined ? "" : ` · model ${printable(model, 40)}`,
    status.worker_pid === null ? "" : html` · pid <span class="num">${status.worker_pid}</span>`
  ]
}

/** What is true of the worker, label by label. */
interface Fact {
  readonly label: string
  readonly value: HtmlValue
  readonly note?: HtmlValue
  readonly isBad?: boolean
}

const none = "–"

const factsOf = (status: StatusReply, startedMs: number | undefined, nowMs: number): ReadonlyArray<Fact> => {
  const isUp = startedMs !== undefined
  const held = status.worker_memory_bytes
  const due = status.next_start_at_ms
  const level = status.memory_level
  return [
    {
      label: "Uptime",
      value: isUp ? since(startedMs, nowMs) : none
    },
    {
      label: "Restarts",
      value: status.total_restarts,
      note: "since the daemon started"
    },
    {
      label: "Failures in a row",
      value: status.consecutive_failures,
      isBad: status.worker_status === "failed"
    },
    {
      label: "Memory available",
      value: humanBytes(status.memory_available_bytes),
      note:
        level === undefined || level === "plentiful"
          ? `of ${humanBytes(status.memory_total_bytes)}`
          : `${level}, of ${humanBytes(status.memory_total_bytes)}`,
      isBad: level === "critical"
    },
    {
      label: "Worker memory",
      value: held === undefined || !isUp ? none : humanBytes(held),
      note:
        held === undefined || status.worker_processes === undefined || !isUp
          ? undefined
          : counted(status.worker_processes, "process", "processes")
    },
    {
      label: "Next start",
      value: due === undefined ? none : until(due, nowMs)
    }
  ]
}

/** The card about the worker: its state, and what is true of it now. Buttons stand beside it, outside of what changes. */
export const stateView = (sight: DaemonSight, nowMs: number): Html => {
  const { headline, tone } = stateWords(sight)
  const facts =
    sight._tag === "Running" && sight.status !== undefined
      ? factsOf(sight.status, sight.startedMs, nowMs)
      : []
  return html`<div class="state ${tone}"><span class="state-ic">${icon(icons[tone])}</span>
<div><h1 id="state-title">${headline}</h1><p>${underline(sight)}</p></div></div>
${
  facts.length > 0 &&
  html`<dl class="facts">${facts.map(
    ({ isBad, label, note, value }) =>
      html`<div><dt>${label}</dt><dd class="${isBad === true ? "t-bad" : ""}">${value}${note !== undefined && html` <small>${note}</small>`}</dd></div>`
  )}</dl>`
}`
}
