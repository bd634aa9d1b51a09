import type { Readable } from "node:stream"

/** The bytes in memory above which reading pauses. */
export const maxWaitingBytes = 8 * 2 ** 20

const maxPauseMs = 1000

/** Short: during a pause the disk empties the queue within milliseconds. */
const pauseStepMs = 4

/** Pauses reading for one second in total while the disk is slow; after that, lines must be dropped. */
export const makeThrottle = (file: { readonly pendingBytes: () => number }) => {
  let pausedMs = 0
  const isFull = () => file.pendingBytes() > maxWaitingBytes
  return {
    mayStore: () => {
      if (!isFull()) pausedMs = 0
      return !isFull() || pausedMs < maxPauseMs
    },
    hold: (stream: Readable) => {
      if (!isFull() || pausedMs >= maxPauseMs) return
      stream.pause()
      const goOn = () => {
        clearInterval(timer)
        stream.off("close", goOn)
        stream.resume()
      }
      let lastMs = performance.now()
      const timer = setInterval(() => {
        const nowMs = performance.now()
        pausedMs += nowMs - lastMs
        lastMs = nowMs
        if (!isFull() || pausedMs >= maxPauseMs) goOn()
      }, pauseStepMs)
      stream.once("close", goOn)
    }
  }
}
