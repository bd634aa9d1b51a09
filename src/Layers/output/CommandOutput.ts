import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isJournal, withPriority } from "./JournalStream.ts"

/** Where a command's answer goes. A reader that has gone (`autopilotd status | head -1`) is not an error. */
export class CommandOutput extends Context.Tag("CommandOutput")<
  CommandOutput,
  {
    /** Text as it is: it brings its own newlines. */
    readonly out: (text: string) => Effect.Effect<void>
    /** What went wrong. In the journal it is found by its priority. */
    readonly err: (text: string) => Effect.Effect<void>
    /** Whether the answer may be coloured. */
    readonly colour: boolean
  }
>() {}

/** https://no-color.org: any value that is not empty. */
export const wantsPlain = (): boolean =>
  (process.env["NO_COLOR"] ?? "") !== "" || process.env["TERM"] === "dumb"

export const layer: Layer.Layer<CommandOutput> = Layer.sync(CommandOutput, () => {
  const writer = (stream: NodeJS.WriteStream) => {
    // EPIPE, or EIO on a terminal that was closed: nobody is left to tell.
    stream.on("error", () => {})
    return (text: string) =>
      Effect.async<void>((resume) => void stream.write(text, () => resume(Effect.void)))
  }
  const tell = writer(process.stderr)
  return {
    out: writer(process.stdout),
    err: (text) => tell(isJournal(2) ? withPriority("error", text) : text),
    colour: process.stdout.isTTY && !wantsPlain()
  }
})
