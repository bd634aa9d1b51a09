import * as fs from "node:fs/promises"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type RunEnd, runEndsIn } from "../../Domain/panel/RunEnds.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { HistoryReader, type HistoryUnreadable } from "../history/HistoryReader.ts"

/** The ends of all runs that the history has. */
export class RunHistory extends Context.Tag("RunHistory")<
  RunHistory,
  {
    /** The newest first. Reads the file only when it has changed. */
    readonly ends: Effect.Effect<ReadonlyArray<RunEnd>, HistoryUnreadable>
  }
>() {}

/** Changes with every write to a file and when it is replaced. A missing file has a signature too. */
export const signatureOf = (path: string): Promise<string> =>
  fs.stat(path).then(
    ({ ino, mtimeMs, size }) => `${ino} ${size} ${mtimeMs}`,
    () => "none"
  )

export const layer: Layer.Layer<RunHistory, never, HistoryReader | AutopilotHome> = Layer.effect(
  RunHistory,
  Effect.gen(function* () {
    const { historyFile: path } = yield* AutopilotHome
    const { read } = yield* HistoryReader
    const turn = yield* Effect.makeSemaphore(1)
    let known: { readonly signature: string; readonly ends: ReadonlyArray<RunEnd> } | undefined

    const ends = Effect.gen(function* () {
      const signature = yield* Effect.promise(() => signatureOf(path))
      if (known?.signature === signature) return known.ends
      const { records } = yield* read({})
      known = { signature, ends: runEndsIn(records).toReversed() }
      return known.ends
    })
    // Many pages that ask at once wait for one read.
    return { ends: turn.withPermits(1)(ends) }
  })
)
