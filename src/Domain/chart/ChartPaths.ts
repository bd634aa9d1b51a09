import type { SamplesData } from "../memory/SamplesData.ts"
import { acrossOf, type ChartSpan, heightOf, type MemoryAxis, plotBottom } from "./ChartScale.ts"

/** The width of the box in which paths are drawn. */
export const pathWidth = 1000

/** A run of rows without a gap. A point has a time and an amount. */
type Segment = ReadonlyArray<readonly [atMs: number, bytes: number]>

/** The line of a column. It breaks where rows are missing, or have no amount. */
export const segmentsOf = (
  { at_ms: times, width_ms: width }: Pick<SamplesData, "at_ms" | "width_ms">,
  column: ReadonlyArray<number | null>
): ReadonlyArray<Segment> => {
  const segments: Array<Array<readonly [number, number]>> = []
  let lastMs = Number.NEGATIVE_INFINITY
  times.forEach((atMs, n) => {
    const bytes = column[n] ?? null
    if (bytes === null) return
    if (atMs - lastMs > width * 1.5) segments.push([])
    segments.at(-1)?.push([atMs + width / 2, bytes])
    lastMs = atMs
  })
  return segments
}

const pointOf = (span: ChartSpan, axis: MemoryAxis, [atMs, bytes]: Segment[number]): string =>
  `${acrossOf(span, atMs, pathWidth)},${heightOf(axis, bytes)}`

/** A single point is a line of no length, which a round cap makes visible. */
export const linePath = (segments: ReadonlyArray<Segment>, span: ChartSpan, axis: MemoryAxis): string =>
  segments
    .map(
      (segment) =>
        `M${segment.map((point) => pointOf(span, axis, point)).join("L")}${segment.length === 1 ? "h0" : ""}`
    )
    .join("")

/** The area between a line and the bottom. */
export const areaPath = (segments: ReadonlyArray<Segment>, span: ChartSpan, axis: MemoryAxis): string =>
  segments
    .map((segment) => {
      const [first, last] = [segment[0], segment.at(-1)].map((point) =>
        acrossOf(span, point?.[0] ?? 0, pathWidth)
      )
      return `${linePath([segment], span, axis)}V${plotBottom}H${first ?? last}Z`
    })
    .join("")

/** A threshold from change to change. With `isArea` everything below it. */
export const thresholdPath = (
  limits: SamplesData["limits"],
  bytesOf: (limit: SamplesData["limits"][number]) => number,
  span: ChartSpan,
  axis: MemoryAxis,
  isArea: boolean
): string =>
  limits
    .map((limit, n) => {
      const begin = acrossOf(span, n === 0 ? span.fromMs : limit.at_ms, pathWidth)
      const end = acrossOf(span, limits[n + 1]?.at_ms ?? span.toMs, pathWidth)
      const line = `M${begin},${heightOf(axis, bytesOf(limit))}H${end}`
      return isArea ? `${line}V${plotBottom}H${begin}Z` : line
    })
    .join("")
