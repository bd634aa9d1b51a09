import { type Html, html } from "../html/Html.ts"
import { icon } from "../html/Icons.ts"
import { humanBytes } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import type { LogPosition } from "./LogChoice.ts"

/** The card of the log: its frame, which holds no data. Rows come with `/ui/log` and over the WebSocket. */
export const logCard: Html = html`<section class="card c7 logs" id="log" aria-labelledby="log-title">
<input class="sr" type="checkbox" id="log-wrap" aria-label="Wrap long lines">
<header><h2 id="log-title">Worker log</h2>
<form class="tools" id="log-form" role="search" hx-get="/ui/log" hx-target="#log-rows" hx-trigger="submit,input delay:300ms,autopilotd:log,again" hx-sync="this:queue last">
<label class="field">${icon("search")}<span class="sr">Search the log</span><input type="search" name="q" placeholder="Search" maxlength="200" autocomplete="off" spellcheck="false"></label>
<select class="btn sm" name="level" aria-label="Level"><option value="">All levels</option><option value="warning">Warnings and errors</option><option value="error">Errors</option></select>
<select class="btn sm" name="stream" aria-label="Stream"><option value="">All lines</option><option value="out">Output</option><option value="err">Error output</option><option value="note">Starts and notes</option></select>
<label class="btn sm check"><input class="sr" type="checkbox" name="raw" value="1">Raw</label>
<label class="btn sm" for="log-wrap" aria-hidden="true">${icon("wrap")}Wrap</label>
<button class="btn sm" type="button" id="log-follow" aria-pressed="true">${icon("follow")}Follow<span class="num" id="log-new"></span></button></form></header>
<div class="log livedata" id="log-box" role="log" aria-live="off" aria-labelledby="log-title" tabindex="0">
<button class="btn ghost sm more" type="button" id="log-older" hx-get="/ui/log" hx-include="#log-form" hx-target="#log-rows" hx-swap="afterbegin" hx-sync="this:drop">Load older lines</button>
<div id="log-rows"></div>
<button class="btn ghost sm more" type="button" id="log-newer" hx-get="/ui/log" hx-include="#log-form" hx-target="#log-rows" hx-swap="beforeend" hx-sync="this:drop">Load newer lines</button></div>
<div class="foot"><span class="num muted" id="log-size"></span><label class="goto"><span>Go to</span><input class="btn sm" type="datetime-local" step="1" id="log-at"></label><button class="btn ghost sm" type="button" id="log-save">${icon("download")}Download</button></div></section>`

/** A line of the panel itself between the rows. Its position counts as that of a row. */
export const logMark = (text: string, position?: LogPosition): Html =>
  html`<div class="mark"${position !== undefined && html` data-c="${position}"`}>${text}</div>`

/** Nothing to see: it only says where the rows end, in lines that the page does not show. */
export const logEnd = (position: LogPosition): Html => html`<i hidden data-c="${position}"></i>`

/** The row at the time that was asked for. */
export const logHere: Html = html`<div class="mark here">The time you asked for</div>`

/** What is kept of the log. */
export const logSize = (bytes: number, from: string | undefined): Html =>
  html`${humanBytes(bytes)} kept${from !== undefined && html` since ${printable(from, 40)}`}`

/** New rows for a page that follows the log, or other content for one of its parts, as a message of htmx. */
export const logMessage = (
  id: string,
  how: "beforeend" | "innerHTML",
  content: ReadonlyArray<Html>
): string => html`<div id="${id}" hx-swap-oob="${how}">${content}</div>`.text

export const linesSkipped = (count: number, isMore: boolean): string =>
  `${isMore ? "More than " : ""}${count.toLocaleString("en")} line${count === 1 ? "" : "s"} skipped`
