/**
 * How long processes have waited for memory since the machine was started, in microseconds: `some`: at least one of
 * them, `full`: all that had something to do at once. https://docs.kernel.org/accounting/psi.html
 */
export interface PressureTotals {
  readonly someMicros: number
  readonly fullMicros: number
}

/** The totals at one moment, on a clock that only goes forward and on the one that people read. */
export interface PressureSample {
  readonly totals: PressureTotals
  readonly monotonicMs: number
  readonly wallMs: number
}

/** The shares of the time of a window in which processes waited for memory, from 0 to 1. */
export interface MemoryPressure {
  readonly some: number
  readonly full: number
}

/** The time between two samples, as long as it goes on: where it began, and what the one before it has shown. */
export interface PressureWindow {
  readonly from: PressureSample | undefined
  readonly pressure: MemoryPressure | undefined
}

/** Before the first sample. */
export const noWindow: PressureWindow = { from: undefined, pressure: undefined }

const totalOf = (text: string, line: RegExp): number | undefined => {
  const micros = Number(line.exec(text)?.at(1))
  return Number.isSafeInteger(micros) ? micros : undefined
}

const someLine = /^some .*\btotal=([0-9]+)$/m
const fullLine = /^full .*\btotal=([0-9]+)$/m

/**
 * Reads `/proc/pressure/memory`; undefined when it is not one:
 *
 *     some avg10=0.00 avg60=0.00 avg300=0.00 total=0
 *     full avg10=0.00 avg60=0.00 avg300=0.00 total=0
 *
 * The averages lag behind by their 10 seconds and more, so only the totals are used.
 */
export const parsePressure = (text: string): PressureTotals | undefined => {
  const someMicros = totalOf(text, someLine)
  const fullMicros = totalOf(text, fullLine)
  return someMicros === undefined || fullMicros === undefined ? undefined : { someMicros, fullMicros }
}

/** In a shorter window one wait of a few milliseconds would look like an emergency. */
const shortestWindowMs = 40

/** Apart by more than this, one of the clocks was set, or the machine slept; clocks that are merely adjusted are not. */
const toleratedMs = (elapsedMs: number): number => 1000 + elapsedMs / 10

const share = (micros: number, elapsedMs: number): number => Math.min(1, micros / 1000 / elapsedMs)

/**
 * Ends the window at `sample` and begins the next one there. A window in which a clock jumped or the machine was
 * suspended shows nothing, nor does one without a sample at each end, or with totals that go backwards.
 */
export const nextWindow = (window: PressureWindow, sample: PressureSample | undefined): PressureWindow => {
  const { from } = window
  if (from === undefined || sample === undefined) return { from: sample, pressure: undefined }
  const elapsedMs = sample.monotonicMs - from.monotonicMs
  const someMicros = sample.totals.someMicros - from.totals.someMicros
  const fullMicros = sample.totals.fullMicros - from.totals.fullMicros
  const apartMs = Math.abs(sample.wallMs - from.wallMs - elapsedMs)
  if (apartMs > toleratedMs(elapsedMs) || elapsedMs < 0 || someMicros < 0 || fullMicros < 0) {
    return { from: sample, pressure: undefined }
  }
  if (elapsedMs < shortestWindowMs) return window
  return {
    from: sample,
    pressure: { some: share(someMicros, elapsedMs), full: share(fullMicros, elapsedMs) }
  }
}
