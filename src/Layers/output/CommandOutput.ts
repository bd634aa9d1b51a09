import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { harmlessText } from "../../Domain/text/Printable.ts"
import { isJournal, withPriority } from "./JournalStream.ts"
import { showsColour, terminalColumns } from "./TerminalColour.ts"

/** The reader has closed its pipe: `autopilotd logs | head -1`. */
class ReaderGone extends Data.TaggedError("ReaderGone")<{}> {}

/** The output of a command. A reader that closes its pipe (`autopilotd status | head -1`) is no error. */
export class CommandOutput extends Context.Tag("CommandOutput")<
  CommandOutput,
  {
    /** Writes text, which brings its own newlines. What could control a terminal is escaped. */
    readonly out: (text: string) => Effect.Effect<void>
    /** Writes the text of a file, byte for byte into a pipe or a file. */
    readonly file: (text: string) => Effect.Effect<void>
    /** Writes a part of an endless answer, and returns when there is room for more. Fails when the reader is gone. */
    readonly part: (bytes: Buffer) => Effect.Effect<void, ReaderGone>
    /** Writes an error message, with its priority in the journal. */
    readonly err: (text: string) => Effect.Effect<void>
    /** Standard output is a terminal that shows colours. */
    readonly colour: boolean
    /** Standard output is a terminal. */
    readonly isTerminal: boolean
    /** Its width; undefined without one. */
    readonly columns?: number | undefined
  }
>() {}

export const layer: Layer.Layer<CommandOutput> = Layer.sync(CommandOutput, () => {
  const writer = (stream: NodeJS.WriteStream) => {
    // EPIPE, or EIO on a closed terminal: there is no reader left.
    stream.on("error", () => {})
    return (text: string) =>
      Effect.async<void>((resume) => void stream.write(text, () => resume(Effect.void)))
  }
  const say = writer(process.stdout)
  const tell = writer(process.stderr)
  return {
    out: (text) => say(harmlessText(text)),
    file: (text) => say(process.stdout.isTTY ? harmlessText(text.replaceAll("\r\n", "\n")) : text),
    err: (text) => {
      const shown = harmlessText(text)
      return tell(isJournal(2) ? withPriority("error", shown) : shown)
    },
    part: (bytes) =>
      Effect.async((resume) => {
        process.stdout.write(bytes, (cause) => resume(cause ? new ReaderGone() : Effect.void))
      }),
    colour: showsColour(),
    isTerminal: process.stdout.isTTY,
    columns: terminalColumns()
  }
})
