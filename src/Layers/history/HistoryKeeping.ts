import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import { Concerns } from "./Concerns.ts"
import { HistoryStore } from "./HistoryStore.ts"

/** Tells the history how much it may keep: by the settings that it was built before, and whenever they change. */
export const layer: Layer.Layer<never, never, Concerns | HistoryStore | SettingsInForce> =
  Layer.scopedDiscard(
    Effect.gen(function* () {
      const { current } = yield* SettingsInForce
      const { keep } = yield* HistoryStore
      const concerns = yield* Concerns
      const followed = current.changes.pipe(
        Stream.map(({ history }) => history),
        Stream.changesWith(
          (one, other) => one.maxBytes === other.maxBytes && one.maxAgeDays === other.maxAgeDays
        )
      )
      yield* concerns.run(
        "history bounds",
        Stream.runForEach(followed, (history) => Effect.sync(() => keep(history)))
      )
    })
  )
