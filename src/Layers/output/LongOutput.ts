import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { wantsPlain } from "./CommandOutput.ts"

/** The reader has closed its pipe: `autopilotd logs | head -1`. */
export class ReaderGone extends Data.TaggedError("ReaderGone")<{}> {}

/** Standard output for an endless answer. Fails when the reader is gone. */
export class LongOutput extends Context.Tag("LongOutput")<
  LongOutput,
  {
    /** Returns when there is room for more. */
    readonly write: (bytes: Buffer) => Effect.Effect<void, ReaderGone>
    readonly isTerminal: boolean
    readonly colour: boolean
  }
>() {}

export const layer: Layer.Layer<LongOutput> = Layer.sync(LongOutput, () => ({
  write: (bytes) =>
    Effect.async((resume) => {
      process.stdout.write(bytes, (cause) => resume(cause ? new ReaderGone() : Effect.void))
    }),
  isTerminal: process.stdout.isTTY,
  colour: process.stdout.isTTY && !wantsPlain()
}))
