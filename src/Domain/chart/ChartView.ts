import * as Schema from "effect/Schema"
import type { HistoryRecord } from "../history/HistoryRecord.ts"
import { type Html, type HtmlValue, html } from "../html/Html.ts"
import { moment, utcMinute } from "../html/Moment.ts"
import type { SamplesData } from "../memory/SamplesData.ts"
import { humanBytes } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import { markCount, marksOf } from "./ChartMarks.ts"
import { areaPath, linePath, pathWidth, segmentsOf, thresholdPath } from "./ChartPaths.ts"
import { acrossOf, axisFor, type ChartSpan, heightOf, plotBottom, plotTop, timesOf } from "./ChartScale.ts"

/** The time ranges of the memory chart. */
export const ChartRange = Schema.Literal("15m", "1h", "6h", "24h")
export type ChartRange = typeof ChartRange.Type

const minuteMs = 60_000

interface RangeWords {
  readonly label: string
  /** In full, for a sentence. */
  readonly words: string
  readonly minutes: number
  /** How often samples of this range change, in milliseconds. */
  readonly stepMs: number
}

const ranges: Readonly<Record<ChartRange, RangeWords>> = {
  "15m": { label: "15 min", words: "15 minutes", minutes: 15, stepMs: 10_000 },
  "1h": { label: "1 hour", words: "hour", minutes: 60, stepMs: 10_000 },
  "6h": { label: "6 hours", words: "6 hours", minutes: 360, stepMs: minuteMs },
  "24h": { label: "24 hours", words: "24 hours", minutes: 1440, stepMs: minuteMs }
}

export const defaultRange: ChartRange = "1h"

/** The span of a range. It moves only when its samples do, so that the chart does not change in between. */
export const spanOf = (range: ChartRange, nowMs: number): ChartSpan => {
  const { minutes, stepMs } = ranges[range]
  const toMs = Math.ceil((nowMs + 1) / stepMs) * stepMs
  return { fromMs: toMs - minutes * minuteMs, toMs }
}

/** The card of the chart: its frame, which holds no data and keeps the focus while the chart in it changes. */
export const chartCard: Html = html`<section class="card c8 mem" aria-labelledby="mem-title"><header><h2 id="mem-title">Memory</h2><nav class="seg push" id="chart-ranges" aria-label="Time range"></nav></header>
<div class="chart livedata" id="memory-chart" tabindex="0" role="group" aria-label="Memory chart. The arrow keys read its values."></div><p class="sr" id="chart-said" aria-live="polite"></p></section>`

/** The links of the ranges. They keep their ids, so that the focus stays. */
export const rangeLinks = (range: ChartRange, project: string | undefined): Html =>
  html`${ChartRange.literals.map((one) => {
    const query = `${project === undefined ? "" : `project=${encodeURIComponent(project)}&`}range=${one}`
    return html`<a data-view href="/?${query}" id="range-${one}"${one === range && html` aria-current="true"`}>${ranges[one].label}</a>`
  })}`

/** What the chart is drawn of. */
interface ChartData {
  readonly range: ChartRange
  readonly span: ChartSpan
  readonly samples: SamplesData
  readonly records: ReadonlyArray<HistoryRecord>
  /** Its worker is shown by itself, and the others together. */
  readonly project: string | undefined
  /** Why there are no samples. */
  readonly problem?: string | undefined
}

type Column = ReadonlyArray<number | null>

const sumOf = (columns: ReadonlyArray<Column>, rows: number): Column =>
  Array.from({ length: rows }, (_, n) => {
    const held = columns.flatMap((column) => column[n] ?? [])
    return held.length === 0 ? null : held.reduce((sum, bytes) => sum + bytes, 0)
  })

const greatest = (column: Column): number =>
  column.reduce<number>((most, bytes) => Math.max(most, bytes ?? 0), 0)

/** GiB with two digits, for the crosshair. */
const gib = (bytes: number): string => (bytes / 2 ** 30).toFixed(2)

/** What the crosshair shows, row by row: time, available, held by the worker. */
const pointsOf = (
  { at_ms: times, available_bytes: available, width_ms: width }: SamplesData,
  own: Column
): string =>
  times
    .map((at, n) => {
      const held = own[n] ?? null
      return `${at + width / 2},${gib(available[n] ?? 0)},${held === null ? "" : gib(held)}`
    })
    .join(";")

/** The rows of the text alternative. */
const tableRows = 12

const tableOf = ({ at_ms: times, available_bytes: available }: SamplesData, own: Column): Html => {
  const each = Math.max(1, Math.ceil(times.length / tableRows))
  const starts = times.filter((_, n) => n % each === 0)
  return html`<table class="sr"><caption>Memory, part by part</caption><tr><th>From</th><th>Least available</th><th>Most held by the worker</th></tr>${starts.map(
    (at, part) => {
      const held = greatest(own.slice(part * each, (part + 1) * each))
      const least = Math.min(...available.slice(part * each, (part + 1) * each))
      return html`<tr><td>${moment(at)}</td><td>${humanBytes(least)}</td><td>${held === 0 ? "no worker" : humanBytes(held)}</td></tr>`
    }
  )}</table>`
}

/** More marks than these are short, so that they do not hide the chart. */
const manyMarks = 16

/** Thresholds nearer than this share of the height have their labels side by side. */
const labelGap = 7.5

const thresholdLabels = (low: number, critical: number, lowY: number, criticalY: number): Html => {
  const lowText = html`<tspan class="t-low">low ${humanBytes(low)}</tspan>`
  const criticalText = html`<tspan class="t-crit">critical ${humanBytes(critical)}</tspan>`
  const label = (y: number, text: Html): Html =>
    html`<text class="lab" x="100%" y="${(y - 1.6).toFixed(2)}%" text-anchor="end">${text}</text>`
  return criticalY - lowY < labelGap
    ? label(lowY, html`${lowText}<tspan dx="9"> </tspan>${criticalText}`)
    : html`${label(lowY, lowText)}${label(criticalY, criticalText)}`
}

const legend = (hasOthers: boolean): Html =>
  html`<div class="legend" aria-hidden="true"><span><i></i>Available</span><span><i class="rss"></i>Worker</span>${
    hasOthers && html`<span><i class="others"></i>Other workers</span>`
  }<span><i class="low"></i>Low: kills hogs</span><span><i class="crit"></i>Critical: restarts</span><span><i class="rs"></i>Restart</span><span><i class="kl"></i>Kill</span></div>`

const empty = ({ problem, range }: ChartData): Html =>
  html`<p class="muted">${
    problem === undefined
      ? `No daemon has kept samples of memory in the last ${ranges[range].words}. A new one has the first after ten seconds, in the long ranges after a minute.`
      : printable(problem, 400)
  }</p>`

/** A chart whose samples begin later than this share of its width says so. */
const lateShare = 0.35

/** The newest amount, as a point, and the time of the first sample where much of the chart is empty before it. */
const endsOfLine = (
  { at_ms: times, width_ms: width }: SamplesData,
  span: ChartSpan,
  y: number
): ReadonlyArray<HtmlValue> => {
  const [first = 0, last = 0] = [times[0], times.at(-1)].map((at) => (at ?? 0) + width / 2)
  const isLate = first - span.fromMs > (span.toMs - span.fromMs) * lateShare
  return [
    html`<circle class="now" cx="${acrossOf(span, last, 100)}%" cy="${y}%" r="3.5"/>`,
    isLate &&
      html`<svg x="${acrossOf(span, first, 100)}%" y="${y}%" overflow="visible"><text class="lab" x="-12" dy="4" text-anchor="end" data-at="${first}">${utcMinute(first)}: first sample</text></svg>`
  ]
}

/** The chart with its legend and its alternative as text. */
export const chartView = (data: ChartData): Html => {
  const { project, range, records, samples, span } = data
  const { at_ms: times, available_bytes: available, limits, trees } = samples
  const limit = limits.at(-1)
  const last = available.at(-1)
  if (limit === undefined || last === undefined) return empty(data)
  const columns = Object.entries(trees)
  const own = sumOf(
    columns.filter(([name]) => project === undefined || name === project).map(([, column]) => column),
    times.length
  )
  const others = project === undefined ? [] : columns.filter(([name]) => name !== project)
  const rest = sumOf(
    others.map(([, column]) => column),
    times.length
  )
  const hasOthers = greatest(rest) > 0
  const axis = axisFor(Math.max(...available, greatest(own), greatest(rest), limit.low_bytes * 1.2))
  const [lines, held, restLines] = [available, own, rest].map((column) => segmentsOf(samples, column))
  const found = marksOf(records, project, span)
  const [lowY, criticalY] = [heightOf(axis, limit.low_bytes), heightOf(axis, limit.critical_bytes)]
  const markBottom = found.marks.length > manyMarks ? plotTop + 4 : plotBottom
  const inPercent = (atMs: number): string => `${acrossOf(span, atMs, 100)}%`
  const grid = Array.from({ length: axis.steps + 1 }, (_, n) => n * axis.stepBytes)
  const path = (name: string, d: string): Html => html`<path class="${name}" d="${d}"/>`
  const sentence = `In the last ${ranges[range].words} at least ${humanBytes(Math.min(...available))} of memory was available, now ${humanBytes(last)} of ${humanBytes(limit.total_bytes)}. The worker held at most ${humanBytes(greatest(own))}. ${markCount(found)}.`
  return html`${legend(hasOthers)}<svg role="img" aria-labelledby="chart-title chart-desc" data-from="${span.fromMs}" data-to="${span.toMs}" data-points="${pointsOf(samples, own)}"><title id="chart-title">Memory in the last ${ranges[range].words}</title><desc id="chart-desc">${sentence}</desc>
${grid.map((bytes) => html`<line class="grid" x1="0" x2="100%" y1="${heightOf(axis, bytes)}%" y2="${heightOf(axis, bytes)}%"/>`)}
<svg width="100%" height="100%" viewBox="0 0 ${pathWidth} 100" preserveAspectRatio="none">${path(
    "zone",
    thresholdPath(limits, ({ critical_bytes: bytes }) => bytes, span, axis, true)
  )}${path("area", areaPath(lines ?? [], span, axis))}${hasOthers && path("others", linePath(restLines ?? [], span, axis))}${path("rss", linePath(held ?? [], span, axis))}${path(
    "low",
    thresholdPath(limits, ({ low_bytes: bytes }) => bytes, span, axis, false)
  )}${path(
    "crit",
    thresholdPath(limits, ({ critical_bytes: bytes }) => bytes, span, axis, false)
  )}${path("avail", linePath(lines ?? [], span, axis))}</svg>
${grid.slice(1).map((bytes) => html`<text class="lab" x="0" y="${(heightOf(axis, bytes) - 1.6).toFixed(2)}%">${humanBytes(bytes)}</text>`)}
${endsOfLine(samples, span, heightOf(axis, last))}
${thresholdLabels(limit.low_bytes, limit.critical_bytes, lowY, criticalY)}
${found.marks.map(
  ({ atMs, kind, text }) =>
    html`<svg class="mark ${kind}" x="${inPercent(atMs)}"><title data-at="${atMs}">${utcMinute(atMs)} ${text}</title><line class="hit" y2="${markBottom}%"/><line class="rs" y1="4%" y2="${markBottom}%"/><circle cy="4%" r="4.5"/></svg>`
)}
${timesOf(span).map(
  (at, n) =>
    html`<text data-at="${at}" x="${inPercent(at)}" y="98%" text-anchor="middle"${n % 2 === 1 && html` class="cut"`}>${utcMinute(at)}</text>`
)}
<line class="cross" y1="${plotTop}%" y2="${plotBottom}%"/><svg class="tip" y="${plotTop}%" width="268" height="26"><rect width="268" height="26" rx="6"/><text x="134" y="17" text-anchor="middle"></text></svg></svg>
<div class="sr">${tableOf(samples, own)}${
    found.marks.length > 0 &&
    html`<ul>${found.marks.slice(-tableRows).map(({ atMs, text }) => html`<li>${moment(atMs)} ${text}</li>`)}</ul>`
  }</div>`
}
