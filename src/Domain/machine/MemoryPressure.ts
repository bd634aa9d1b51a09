/**
 * The time since boot in which processes waited for memory, in microseconds. `some`: at least one process waited. `full`:
 * all runnable processes waited. https://docs.kernel.org/accounting/psi.html
 */
export interface PressureTotals {
  readonly someMicros: number
  readonly fullMicros: number
}

/** The totals at one moment, on the monotonic and on the wall clock. */
export interface PressureSample {
  readonly totals: PressureTotals
  readonly monotonicMs: number
  readonly wallMs: number
}

/** The shares of a window in which processes waited for memory, from 0 to 1. */
export interface MemoryPressure {
  readonly some: number
  readonly full: number
}

/** The current window: its first sample, and the pressure of the window before it. */
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
 * Parses `/proc/pressure/memory`; undefined for any other text:
 *
 *     some avg10=0.00 avg60=0.00 avg300=0.00 total=0
 *     full avg10=0.00 avg60=0.00 avg300=0.00 total=0
 *
 * The averages lag by 10 seconds and more, so only the totals are used.
 */
export const parsePressure = (text: string): PressureTotals | undefined => {
  const someMicros = totalOf(text, someLine)
  const fullMicros = totalOf(text, fullLine)
  return someMicros === undefined || fullMicros === undefined ? undefined : { someMicros, fullMicros }
}

/** In a shorter window a wait of a few milliseconds would look like an emergency. */
const shortestWindowMs = 40

/** A larger difference between the clocks means that one was set, or that the machine slept. */
const toleratedMs = (elapsedMs: number): number => 1000 + elapsedMs / 10

const share = (micros: number, elapsedMs: number): number => Math.min(1, micros / 1000 / elapsedMs)

/**
 * Ends the window at `sample` and begins the next one. There is no pressure for a window in which a clock jumped or the
 * machine was suspended, with a missing sample, or with totals that go backwards.
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
