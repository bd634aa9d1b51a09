/** The span of time that a chart shows, in milliseconds since 1970. */
export interface ChartSpan {
  readonly fromMs: number
  readonly toMs: number
}

/** Where the plot begins and ends, in hundredths of the height: marks stand above it, times below. */
export const plotTop = 9
export const plotBottom = 89

const fixed = (value: number, digits: number): string => String(Number(value.toFixed(digits)))

/** A place between 0 and `width`, also for a time outside of the span. */
export const acrossOf = ({ fromMs, toMs }: ChartSpan, atMs: number, width: number): string =>
  fixed(Math.min(Math.max((atMs - fromMs) / (toMs - fromMs), 0), 1) * width, width > 100 ? 1 : 2)

/** The vertical axis: grid lines at even amounts of memory. */
export interface MemoryAxis {
  readonly stepBytes: number
  readonly steps: number
}

/** Three or four steps of a power of two reach the greatest value. */
export const axisFor = (mostBytes: number): MemoryAxis => {
  const stepBytes = 2 ** Math.max(20, Math.ceil(Math.log2(Math.max(mostBytes, 1) / 4)))
  return { stepBytes, steps: Math.max(1, Math.ceil(mostBytes / stepBytes)) }
}

/** Hundredths of the height, as a number. */
export const heightOf = ({ stepBytes, steps }: MemoryAxis, bytes: number): number => {
  const share = Math.min(Math.max(bytes / (stepBytes * steps), 0), 1)
  return Number((plotTop + (1 - share) * (plotBottom - plotTop)).toFixed(2))
}

const minuteMs = 60_000
const steps = [1, 3, 10, 60, 240].map((minutes) => minutes * minuteMs)

/** Labels of times nearer to the edges than this share of the width would be cut. */
const edge = 0.045

/** The times below the chart: at most seven, at even times. */
export const timesOf = ({ fromMs, toMs }: ChartSpan): ReadonlyArray<number> => {
  const spanMs = toMs - fromMs
  const stepMs = steps.find((step) => spanMs / step <= 7) ?? spanMs
  const first = Math.ceil((fromMs + spanMs * edge) / stepMs) * stepMs
  const times: Array<number> = []
  for (let at = first; at <= toMs - spanMs * edge; at += stepMs) times.push(at)
  return times
}
