import { type Fragment, type Html, type HtmlValue, html } from "../html/Html.ts"
import { icon, iconOf, type Tone } from "../html/Icons.ts"
import { since, until } from "../html/Moment.ts"
import type { ProjectRow } from "../status/ProjectsData.ts"
import { reasonBeside, stateWord } from "../status/WorkerSentence.ts"
import { humanBytes } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import { workerControlsView } from "./ControlsView.ts"
import type { DaemonSight } from "./DaemonSight.ts"
import { stateWords, toneOf, worstTone } from "./StateView.ts"

/** When each running worker started, in milliseconds since 1970. */
type Starts = ReadonlyMap<string, number>

const none = "–"

const fact = (label: string, value: HtmlValue, isBad = false): Html =>
  html`<div><dt>${label}</dt><dd class="${isBad ? "t-bad" : ""}">${value}</dd></div>`

const head = ({ name, ...row }: ProjectRow): Html => {
  const [state, reason] = [stateWord(row), reasonBeside(row)]
  const tone = toneOf(state)
  return html`<div class="state ${tone}"><span class="state-ic">${icon(iconOf(tone))}</span>
<div><h2><a href="/?project=${encodeURIComponent(name)}" id="open-${name}">${printable(name, 64)}</a></h2><p>${printable(state, 40)}</p></div></div>
<p class="reason">${reason === undefined ? "" : printable(reason, 300)}</p>`
}

const facts = (row: ProjectRow, starts: Starts, nowMs: number): Html => {
  const startedMs = starts.get(row.name)
  const due = row.next_start_at_ms
  return html`${fact("Uptime", startedMs === undefined ? none : since(startedMs, nowMs))}${fact(
    "Memory",
    row.memory_bytes === null ? none : humanBytes(row.memory_bytes)
  )}${fact("Restarts", row.total_restarts)}${fact(
    "Failures in a row",
    row.consecutive_failures,
    row.worker_status === "failed" && row.consecutive_failures > 0
  )}${fact("Next start", due === undefined ? none : until(due, nowMs))}${fact("Starts with the daemon", row.autostart ? "yes" : "no")}`
}

/** The pieces of one project, which change on their own: a press of a button must not meet a new button. */
const piecesOf = (row: ProjectRow, starts: Starts, nowMs: number): ReadonlyArray<Fragment> => [
  { id: `head-${row.name}`, content: head(row) },
  { id: `facts-${row.name}`, content: facts(row, starts, nowMs) },
  { id: `controls-${row.name}`, content: workerControlsView(row.name, row.worker_status) }
]

const cardOf = (pieces: ReadonlyArray<Fragment>): Html => {
  const [top, list, controls] = pieces
  return html`<article class="card project"><div class="livedata" id="${top?.id}">${top?.content}</div>
<dl class="livedata" id="${list?.id}">${list?.content}</dl><div class="controls" id="${controls?.id}">${controls?.content}</div></article>`
}

/** All projects side by side. */
export const allPieces = (sight: DaemonSight, nowMs: number): ReadonlyArray<Fragment> => {
  const rows = sight._tag === "Running" ? sight.projects.projects : []
  const starts = sight._tag === "Running" ? sight.starts : new Map<string, number>()
  const pieces = rows.map((row) => piecesOf(row, starts, nowMs))
  return [
    // Sent whole only when projects come or go: otherwise its pieces are.
    {
      id: "all-projects",
      key: rows.map(({ name }) => name).join(" "),
      content: html`${pieces.map(cardOf)}`
    },
    ...pieces.flat()
  ]
}

/** The state of all together: the worst one's colour, and how many are in each. */
export const allWords = (
  sight: DaemonSight
): { readonly tone: Tone; readonly headline: string; readonly word: string } => {
  if (sight._tag !== "Running") return stateWords(sight)
  const { projects } = sight.projects
  const states = projects.map(({ worker_status: state }) => state)
  const counts = [...new Set<string>(states)].map(
    (state) => `${states.filter((other) => other === state).length} ${state}`
  )
  return { tone: worstTone(states), headline: counts.join(", "), word: counts.join(", ") }
}
