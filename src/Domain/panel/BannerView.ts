import type { Explanation } from "../history/Explanation.ts"
import { type Html, html, nothing } from "../html/Html.ts"
import { icon, iconOf } from "../html/Icons.ts"
import { printable } from "../text/Printable.ts"
import type { DaemonSight } from "./DaemonSight.ts"
import { stateWords } from "./StateView.ts"

const maxLength = 600

/** The command in a text such as `Start it now: autopilotd start-worker`, as one. */
const withCommand = (text: string): Html => {
  const at = text.indexOf(": autopilotd ")
  return at === -1 ? html`${text}` : html`${text.slice(0, at + 2)}<code>${text.slice(at + 2)}</code>`
}

/** What has happened stands out, why it has does not: it may be long. */
const withHeadline = (sentence: string): Html => {
  const at = sentence.indexOf(": ")
  return at === -1
    ? html`<strong>${sentence}</strong>`
    : html`<strong>${sentence.slice(0, at + 1)}</strong>${sentence.slice(at + 1)}`
}

/**
 * Above everything: why the worker does not run, and what helps. Nothing while it runs well. `explanation` is that of
 * `autopilotd why`.
 */
export const bannerView = (sight: DaemonSight, explanation: Explanation | undefined): Html => {
  if (explanation === undefined) return nothing
  const { tone } = stateWords(sight)
  const [first = "", ...rest] = explanation.sentences.map((sentence) => printable(sentence, maxLength))
  return html`<div class="alert ${tone}">${icon(iconOf(tone))}
<div><p>${withHeadline(first)} ${rest.join(" ")}</p>${
    explanation.advice.length > 0 &&
    html`<ul class="advice">${explanation.advice.map((step) => html`<li>${withCommand(printable(step, maxLength))}</li>`)}</ul>`
  }</div></div>`
}

/** A worker that starts again within this time needs no explanation, which would only make the page jump. */
const soonMs = 10_000

/** Whether the state needs an explanation above everything. */
export const needsExplanation = (sight: DaemonSight, nowMs: number): boolean => {
  if (sight._tag !== "Running") return sight._tag === "NotRunning"
  const { status } = sight
  if (status === undefined || ["running", "starting", "stopping"].includes(status.worker_status)) return false
  return !(status.worker_status === "restarting" && (status.next_start_at_ms ?? 0) < nowMs + soonMs)
}
