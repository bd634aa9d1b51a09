import { harmlessText } from "../../Domain/text/Printable.ts"
import { isJournal, withPriority } from "./JournalStream.ts"

const ignore = () => undefined

/** Writes to a stream. False when there is no reader left: EPIPE, or EIO on a closed terminal. */
export const written = (stream: NodeJS.WriteStream, bytes: string | Buffer): Promise<boolean> =>
  new Promise((resolve) => {
    // An error event without a listener would end the process.
    if (stream.listenerCount("error") === 0) stream.on("error", ignore)
    stream.write(bytes, (cause) => resolve(!cause))
  })

/** A message for standard error: harmless, and with its priority in the journal. */
export const errorText = (text: string): string => {
  const shown = harmlessText(text)
  return isJournal(2) ? withPriority("error", shown) : shown
}
