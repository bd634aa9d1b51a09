/** Calls plain code after a delay. */
export interface Timer {
  /** Returns the function that cancels the call. */
  readonly after: (delayMs: number, act: () => void) => () => void
}

export const systemTimer: Timer = {
  after: (delayMs, act) => {
    const timer = setTimeout(act, delayMs)
    return () => clearTimeout(timer)
  }
}
