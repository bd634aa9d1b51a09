import { describeEvent } from "../history/DaemonEvent.ts"
import type { HistoryRecord } from "../history/HistoryRecord.ts"
import { type Html, html } from "../html/Html.ts"
import type { Tone } from "../html/Icons.ts"
import { utcMinute } from "../html/Moment.ts"
import type { SamplesData } from "../memory/SamplesData.ts"
import { printable } from "../text/Printable.ts"

/** How a minute was, and why. */
interface HealthMinute {
  readonly atMs: number
  readonly tone: Tone
  readonly text: string
}

const minuteMs = 60_000
const minutes = 60
const maxLength = 120

/** Rows of samples come this late at most. */
const latenessMs = 30_000

type Judged = Pick<HealthMinute, "tone" | "text">

/** The state that the worker is in from an event on. Undefined for an event that does not change it. */
const stateAfter = (record: HistoryRecord): Judged | undefined => {
  switch (record._tag) {
    case "WorkerStarted":
      return { tone: "ok", text: "running" }
    case "BackingOff":
      return { tone: "warn", text: "waiting to start again after a failure" }
    case "Waiting":
      return { tone: "warn", text: `waiting: ${record.why}` }
    case "GaveUp":
    case "PersonNeeded":
      return { tone: "bad", text: `down: ${record.reason}` }
    case "WorkerStopped":
      return { tone: "off", text: "stopped" }
    case "DaemonStarted":
    case "DaemonStopped":
      return { tone: "off", text: "no worker" }
    default:
      return undefined
  }
}

const harmless: ReadonlySet<string> = new Set(["done", "killed-by-us", "usage-limit", "overloaded"])

/** What an event says about its minute. Undefined for one that is nothing to worry about. */
const worryOf = (record: HistoryRecord): Judged | undefined => {
  const { level, text } = describeEvent(record)
  const isBad = level === "error" || (record._tag === "WorkerEnded" && !harmless.has(record.verdict.kind))
  if (isBad) return { tone: "bad", text }
  return level === "warning" ? { tone: "warn", text } : undefined
}

/** What the samples of a minute say about it. `isRunning` when a worker's process tree is in them. */
const memoryIn = (
  { at_ms: times, available_bytes: available, limits, trees }: SamplesData,
  project: string | undefined,
  atMs: number
): { readonly worry: Judged | undefined; readonly isRunning: boolean } | undefined => {
  const rows = times.flatMap((at, n) => (at >= atMs && at < atMs + minuteMs ? [n] : []))
  if (rows.length === 0) return undefined
  const least = Math.min(...rows.map((n) => available[n] ?? Number.POSITIVE_INFINITY))
  const limit = limits.findLast(({ at_ms }) => at_ms < atMs + minuteMs)
  const isBelow = (bytes: number | undefined): boolean => bytes !== undefined && least < bytes
  const isRunning = Object.entries(trees).some(
    ([name, column]) =>
      (project === undefined || name === project) && rows.some((n) => (column[n] ?? null) !== null)
  )
  if (isBelow(limit?.critical_bytes))
    return { worry: { tone: "bad", text: "memory was critical" }, isRunning }
  if (isBelow(limit?.low_bytes)) return { worry: { tone: "warn", text: "memory was low" }, isRunning }
  return { worry: undefined, isRunning }
}

const rank: ReadonlyArray<Tone> = ["bad", "warn", "ok", "off"]

/** The first of the worst. */
const worstOf = (judged: ReadonlyArray<Judged>): Judged | undefined =>
  judged.toSorted((one, other) => rank.indexOf(one.tone) - rank.indexOf(other.tone))[0]

/** The last hour of one project, minute by minute, the oldest first: from the history and from samples of that time. */
export const healthMinutes = (
  records: ReadonlyArray<HistoryRecord>,
  samples: SamplesData,
  project: string | undefined,
  nowMs: number
): ReadonlyArray<HealthMinute> => {
  const ours = records.filter(
    (record) => project === undefined || !("project" in record) || record.project === project
  )
  const firstMs = (Math.floor(nowMs / minuteMs) - minutes + 1) * minuteMs
  let state: Judged | undefined
  let next = 0
  return Array.from({ length: minutes }, (_, n) => {
    const atMs = firstMs + n * minuteMs
    const worries: Array<Judged> = []
    for (
      let record = ours[next];
      record !== undefined && record.at < atMs + minuteMs;
      record = ours[++next]
    ) {
      state = stateAfter(record) ?? state
      const worry = record.at >= atMs ? worryOf(record) : undefined
      if (worry !== undefined) worries.push(worry)
    }
    const memory = memoryIn(samples, project, atMs)
    if (memory?.worry !== undefined) worries.push(memory.worry)
    const isOver = atMs + minuteMs + latenessMs <= nowMs
    const base: Judged =
      memory === undefined && isOver && samples.at_ms.length > 0
        ? { tone: "off", text: "no daemon ran" }
        : (state ??
          (memory?.isRunning === true ? { tone: "ok", text: "running" } : { tone: "off", text: "no worker" }))
    const { text, tone } = worstOf([...worries, base]) ?? base
    return { atMs, tone, text: printable(text, maxLength) }
  })
}

/** Troubles that the text alternative names. */
const maxNamed = 5

const ago = (count: number): string =>
  count === 0 ? "now" : count === 1 ? "a minute ago" : `${count} minutes ago`

/** The strip of the last hour. */
export const healthStrip = (strip: ReadonlyArray<HealthMinute>): Html => {
  const count = (tone: Tone): number => strip.filter((minute) => minute.tone === tone).length
  const bad = strip.flatMap(({ text, tone }, n) =>
    tone === "bad" ? [`${ago(strip.length - 1 - n)}: ${text}`] : []
  )
  const label = [
    `Of the last ${strip.length} minutes ${count("ok")} were good, ${count("warn")} had warnings, ${count("bad")} had failures, and in ${count("off")} no worker ran.`,
    ...bad.slice(-maxNamed)
  ].join(" ")
  return html`<svg viewBox="0 0 ${strip.length * 10} 22" preserveAspectRatio="none" role="img" aria-label="${label}">${strip.map(
    ({ atMs, text, tone }, n) =>
      html`<rect class="${tone}" x="${n * 10 + 1.5}" y="${tone === "off" ? 8 : 0}" width="7" height="${tone === "off" ? 6 : 22}" rx="2.5"><title data-at="${atMs}">${utcMinute(atMs)} ${text}</title></rect>`
  )}</svg>`
}

/** The place of the strip: its frame, which holds no data. */
export const beatsStrip: Html = html`<div class="beats livedata"><span class="hide">Last 60 min</span><div id="beats"></div><span>now</span></div>`
