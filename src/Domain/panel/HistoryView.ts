import { type Html, html, nothing } from "../html/Html.ts"
import { icon } from "../html/Icons.ts"
import { moment } from "../html/Moment.ts"
import { humanBytes, humanDuration } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import { type RunEnd, reasonOfEnd, tagOf } from "./RunEnds.ts"

/** The rows of the card: what a night usually has, in the height of the memory chart. */
const shownEnds = 6

/** The rows that the full list gets at once. */
const pageOfEnds = 50

const maxReason = 240

/** A row. Its time leads to the lines of the log at that time. */
const rowOf = (end: RunEnd, style: "time" | "day"): Html => {
  const { atMs, peakBytes, project, ranMs } = end
  const { tone, word } = tagOf(end.verdict)
  const reason = printable(reasonOfEnd(end), maxReason)
  return html`<tr><td><a data-view href="/?project=${encodeURIComponent(project)}&at=${atMs}#log">${moment(atMs, style)}<span class="sr">: show the log</span></a></td>
<td><span class="tag ${tone}">${word}</span><span class="why">${reason}</span></td>
<td class="r">${ranMs === 0 ? "–" : humanDuration(ranMs)}${peakBytes !== undefined && html`<span class="why"><span class="sr">peak memory </span>${humanBytes(peakBytes)}</span>`}</td></tr>`
}

const noRows = html`<tr><td class="empty" colspan="3">No run has ended yet. Each end of the worker appears here, with its reason.</td></tr>`

const head = html`<thead><tr><th scope="col">Time</th><th scope="col">Reason</th><th scope="col" class="r">Ran for, peak</th></tr></thead>`

const tableOf = (rows: Html): Html => html`<table>${head}<tbody>${rows}</tbody></table>`

/** The newest ends of a project, for the card. A row cannot be sent alone: it is parsed outside of a table. */
export const historyTable = (newestFirst: ReadonlyArray<RunEnd>): Html =>
  tableOf(
    newestFirst.length === 0
      ? noRows
      : html`${newestFirst.slice(0, shownEnds).map((end) => rowOf(end, "time"))}`
  )

/** Why there is no history to show. */
export const historyProblem = (message: string): Html =>
  tableOf(html`<tr><td class="empty" colspan="3">${message}</td></tr>`)

/** A part of the full list, and below it the button for the next one. `skip` rows stand above it. */
export const historyPage = (newestFirst: ReadonlyArray<RunEnd>, skip: number): Html => {
  const next = skip + pageOfEnds
  const left = newestFirst.length - next
  if (newestFirst.length === 0) return noRows
  return html`${newestFirst.slice(skip, next).map((end) => rowOf(end, "day"))}${
    left > 0 &&
    html`<tr><td class="more" colspan="3"><button class="btn sm" type="button" id="history-more" hx-get="/ui/history/rows?skip=${next}" hx-target="closest tr" hx-swap="outerHTML">Show ${Math.min(left, pageOfEnds)} older (${left} left)</button></td></tr>`
  }`
}

/** The card, and the full list that its button opens: their frames, which hold no data. */
export const historyCard: Html = html`<section class="card history c4" aria-labelledby="history-title"><header><h2 id="history-title">Restart history</h2>
<button class="btn ghost sm push" type="button" popovertarget="history-list" hx-get="/ui/history/rows" hx-target="#history-all"><span class="num">All <span id="history-count"></span></span></button></header>
<div class="scroll" tabindex="0" role="group" aria-labelledby="history-title"><div class="livedata" id="history-rows">${tableOf(nothing)}</div></div></section>
<div id="history-list" class="sheet" popover role="dialog" aria-labelledby="history-list-title"><div class="card"><header><h2 id="history-list-title">All restarts</h2>
<button class="btn ghost sm push" type="button" popovertarget="history-list" popovertargetaction="hide" aria-label="Close" autofocus>${icon("close")}</button></header>
<div class="scroll" tabindex="0" role="group" aria-labelledby="history-list-title"><table>${head}<tbody id="history-all"></tbody></table></div></div></div>`
