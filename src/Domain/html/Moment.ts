import { humanDuration } from "../text/Amounts.ts"
import { type Html, html } from "./Html.ts"

/** ISO 8601, for any number that a client or a file may hold. */
const iso = (atMs: number): string =>
  new Date(Number.isFinite(atMs) && Math.abs(atMs) <= 8.64e15 ? atMs : 0).toISOString()

/** A time of day. The browser shows it in its own zone, with UTC in its title. */
export const moment = (atMs: number, style: "time" | "day" = "time"): Html =>
  html`<time datetime="${iso(atMs)}" data-style="${style}">${iso(atMs)
    .slice(style === "time" ? 11 : 0, 19)
    .replace("T", " ")} UTC</time>`

/** `12:30 UTC`. Within an element with `data-at` the browser replaces it by its own time. */
export const utcMinute = (atMs: number): string => `${iso(atMs).slice(11, 16)} UTC`

/** A duration that grows: the browser counts it, so that the page does not change every second. */
export const since = (startMs: number, nowMs: number): Html =>
  html`<time class="num" data-since="${startMs}">${humanDuration(Math.max(0, nowMs - startMs))}</time>`

/** The time left until a moment, which the browser counts down. */
export const until = (dueMs: number, nowMs: number): Html =>
  html`<time class="num" data-until="${dueMs}">${humanDuration(Math.max(0, dueMs - nowMs))}</time>`
