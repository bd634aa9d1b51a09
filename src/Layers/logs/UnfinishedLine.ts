import { shortened } from "../../Domain/agent/AgentLine.ts"
import { lineAsShown } from "../../Domain/text/EscapeSequences.ts"

/** Output in the middle of a line pauses shorter than this; a worker that asks a question does not go on by itself. */
const quietMs = 1000

/** A line that grows bit by bit, such as a row of dots, is reported after 1, 2, 4 ... seconds without output. */
const longestQuietMs = 64_000

const maxLength = 300

/** The unfinished line of a stream, on which a worker may wait for an answer. */
interface UnfinishedLine {
  /** Notes output: whether a line has ended in it, and whether one is unfinished after it. */
  readonly onOutput: (hasEnded: boolean, isUnfinished: boolean) => void
  /** The line, when the stream has been quiet for a second. */
  readonly text: () => string | undefined
  readonly close: () => void
}

/** Reports the unfinished line to `onQuiet`. `rest` returns the bytes after the last newline, without secrets. */
export const watchUnfinishedLine = (rest: () => Buffer, onQuiet: (text: string) => void): UnfinishedLine => {
  let timer: NodeJS.Timeout | undefined
  let waitMs = quietMs
  let lastMs = performance.now()

  const current = (): string | undefined => {
    const text = shortened(lineAsShown(rest().toString("utf8")), maxLength)
    return text === "" ? undefined : text
  }

  const report = () => {
    timer = undefined
    waitMs = Math.min(2 * waitMs, longestQuietMs)
    const text = current()
    if (text !== undefined) onQuiet(text)
  }

  return {
    onOutput: (hasEnded, isUnfinished) => {
      lastMs = performance.now()
      if (hasEnded) waitMs = quietMs
      clearTimeout(timer)
      timer = isUnfinished ? setTimeout(report, waitMs).unref() : undefined
    },
    text: () => (performance.now() - lastMs < quietMs ? undefined : current()),
    close: () => clearTimeout(timer)
  }
}
