import type { Readable } from "node:stream"

/** So much of a worker's output waits in memory before the worker is held up. */
export const maxWaitingBytes = 8 * 2 ** 20

const maxPauseMs = 1000

/** While a worker is held up nothing comes, and the disk has written all of it after a few milliseconds. */
const pauseStepMs = 4

/** Holds up a worker whose output nobody can store yet, once and for a second; then says when to drop. */
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
