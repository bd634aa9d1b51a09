import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import { SettingsReload } from "./SettingsReload.ts"
import { SettingsWatch } from "./SettingsWatch.ts"

/** Reloads the settings when their file has changed, as long as `watch_config` is on. It restarts no worker. */
export const layer: Layer.Layer<
  never,
  never,
  Concerns | DaemonEvents | SettingsInForce | SettingsReload | SettingsWatch
> = Layer.scopedDiscard(
  Effect.gen(function* () {
    const { current } = yield* SettingsInForce
    const { reload } = yield* SettingsReload
    const { changes } = yield* SettingsWatch
    const concerns = yield* Concerns
    const events = yield* DaemonEvents
    const onFallback = (warning: string) => events.publish({ _tag: "SettingsDoubtful", warning })

    const watched = Stream.unwrap(
      Effect.map(SubscriptionRef.get(current), ({ settingsFile: { path, sha256 } }) =>
        changes(path, { knownSha256: sha256, onFallback })
      )
    )
    const whileWanted = current.changes.pipe(
      Stream.map(({ watchConfig }) => watchConfig),
      Stream.changes,
      Stream.flatMap((isWanted) => (isWanted ? watched : Stream.empty), { switch: true })
    )
    // A text that is refused has been told as an event; the next one may be right.
    const takeOver = Effect.ignore(reload({ by: "its file has changed", restart: false }))
    yield* concerns.run(
      "settings watch",
      Stream.runForEach(whileWanted, () => takeOver)
    )
  })
)
