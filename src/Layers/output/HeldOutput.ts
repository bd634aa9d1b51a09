import type { Readable } from "node:stream"

/**
 * Keeps what a process prints before anything reads it. Node throws that away when the process has exited (`flushStdio` in
 * lib/internal/child_process.js), unless its stream has a listener for `readable`.
 */
export const holdOutput = (stream: Readable): void => void stream.on("readable", () => undefined)

/** Lets a held stream flow to its listeners for `data`, which are attached by now. */
export const releaseOutput = (stream: Readable): void => void stream.removeAllListeners("readable")
