import { writeSync } from "node:fs"
import { harmlessText } from "../../Domain/text/Printable.ts"
import { errorCode } from "../files/SystemError.ts"
import { isJournal, withPriority } from "./JournalStream.ts"

const output = 1
const error = 2

/** Writes by Node's stream, which waits for a reader that is slow. */
const streamed = (stream: NodeJS.WriteStream, bytes: Buffer): Promise<boolean> =>
  new Promise((resolve) => {
    // An error event without a listener would end the process.
    if (stream.listenerCount("error") === 0) stream.on("error", () => undefined)
    stream.write(bytes, (cause) => resolve(!cause))
  })

/**
 * Writes to standard output or standard error. False when there is no reader left: EPIPE, or EIO on a closed terminal. Node's
 * streams of both write at once too, and it takes thirty modules to make one: only a pipe that does not wait needs them.
 */
const written = async (
  descriptor: typeof output | typeof error,
  given: string | Buffer
): Promise<boolean> => {
  let rest = Buffer.from(given)
  while (rest.length > 0) {
    try {
      rest = rest.subarray(writeSync(descriptor, rest))
    } catch (cause) {
      if (errorCode(cause) !== "EAGAIN") return false
      return streamed(descriptor === output ? process.stdout : process.stderr, rest)
    }
  }
  return true
}

/** Writes to standard output. False when there is no reader left. */
export const printed = (given: string | Buffer): Promise<boolean> => written(output, given)

/** Writes a message to standard error, harmless, and with its priority in the journal. */
export const reported = (text: string): Promise<boolean> => {
  const shown = harmlessText(text)
  return written(error, isJournal(error) ? withPriority("error", shown) : shown)
}
