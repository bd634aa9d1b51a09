import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { HistoryFound, HistoryQuery } from "../../Domain/history/HistoryQuery.ts"
import { printable } from "../../Domain/text/Printable.ts"
import { makeMutex } from "../concurrency/Mutex.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { reasonOf } from "../files/SystemError.ts"
import { searchHistory } from "./HistorySearch.ts"

/** The history exists but cannot be read. */
export class HistoryUnreadable extends Data.TaggedError("HistoryUnreadable")<{
  readonly path: string
  readonly reason: string
}> {
  override get message() {
    return `The history in ${printable(this.path, 400)} cannot be read: ${this.reason}.`
  }
}

/** Reads the history, with or without a daemon. A missing file is an empty history. */
export class HistoryReader extends Context.Tag("HistoryReader")<
  HistoryReader,
  { readonly read: (query: HistoryQuery) => Effect.Effect<HistoryFound, HistoryUnreadable> }
>() {}

/** One search at a time: many at once would each hold the event loop for a block, and a status would wait for all. */
export const layer: Layer.Layer<HistoryReader, never, AutopilotHome> = Layer.effect(
  HistoryReader,
  Effect.gen(function* () {
    const { historyFile: path } = yield* AutopilotHome
    const inTurn = makeMutex()
    return {
      read: (query) =>
        Effect.tryPromise({
          try: () => searchHistory(path, query),
          catch: (cause) => new HistoryUnreadable({ path, reason: reasonOf(cause) })
        }).pipe(inTurn)
    }
  })
)
