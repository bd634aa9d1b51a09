import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { harmlessText } from "../../Domain/text/Printable.ts"
import { printed, reported } from "./PlainOutput.ts"
import { isTerminal, showsColour, terminalColumns } from "./TerminalColour.ts"

/** The reader has closed its pipe: `autopilotd logs | head -1`. */
class ReaderGone extends Data.TaggedError("ReaderGone")<{}> {}

/** The output of a command. A reader that closes its pipe (`autopilotd status | head -1`) is no error. */
export class CommandOutput extends Context.Tag("CommandOutput")<
  CommandOutput,
  {
    /** Writes text, which brings its own newlines. What could control a terminal is escaped. */
    readonly out: (text: string) => Effect.Effect<unknown>
    /** Writes the text of a file, byte for byte into a pipe or a file. */
    readonly file: (text: string) => Effect.Effect<unknown>
    /** Writes a part of an endless answer, and returns when there is room for more. Fails when the reader is gone. */
    readonly part: (bytes: Buffer) => Effect.Effect<void, ReaderGone>
    /** Writes an error message, with its priority in the journal. */
    readonly err: (text: string) => Effect.Effect<unknown>
    /** Standard output is a terminal that shows colours. */
    readonly colour: boolean
    /** Standard output is a terminal. */
    readonly isTerminal: boolean
    /** Its width; undefined without one. */
    readonly columns?: number | undefined
  }
>() {}

export const layer: Layer.Layer<CommandOutput> = Layer.sync(CommandOutput, () => {
  const say = (bytes: string | Buffer) => Effect.promise(() => printed(bytes))
  return {
    out: (text) => say(harmlessText(text)),
    file: (text) => say(isTerminal() ? harmlessText(text.replaceAll("\r\n", "\n")) : text),
    err: (text) => Effect.promise(() => reported(text)),
    part: (bytes) => Effect.flatMap(say(bytes), (isRead) => (isRead ? Effect.void : new ReaderGone())),
    colour: showsColour(),
    isTerminal: isTerminal(),
    columns: terminalColumns()
  }
})
