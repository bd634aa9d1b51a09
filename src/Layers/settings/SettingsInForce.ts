import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { EffectiveSettings } from "../../Domain/settings/EffectiveSettings.ts"
import type { SettingsError } from "../../Domain/settings/SettingsProblem.ts"
import type { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { MemoryReader } from "../machine/MemoryReader.ts"
import type { SettingsFile, SettingsText } from "./SettingsFile.ts"
import { loadUsable, type SettingsSources } from "./SettingsLoader.ts"

/** The settings in force. A layer that acts on one that can change follows `current`. */
export class SettingsInForce extends Context.Tag("SettingsInForce")<
  SettingsInForce,
  {
    readonly current: SubscriptionRef.SubscriptionRef<EffectiveSettings>
    /** Loads the settings of the present file, or of another text for it, as `loadUsable` does. Changes nothing. */
    readonly load: (candidate?: SettingsText) => Effect.Effect<EffectiveSettings, SettingsError>
  }
>() {}

/** Loads settings from these sources, on this machine. */
export const loader = (sources: SettingsSources) =>
  Effect.fnUntraced(function* (candidate?: SettingsText) {
    const { reading } = (yield* MemoryReader).read()
    const effectiveTotalBytes = reading === undefined ? {} : { effectiveTotalBytes: reading.totalBytes }
    return yield* loadUsable({ ...sources, ...effectiveTotalBytes }, candidate)
  })

export const layer = (
  sources: SettingsSources
): Layer.Layer<SettingsInForce, SettingsError, SettingsFile | AutopilotHome | MemoryReader> =>
  Layer.effect(
    SettingsInForce,
    Effect.gen(function* () {
      const context = yield* Effect.context<SettingsFile | AutopilotHome | MemoryReader>()
      const first = yield* loader(sources)()
      const load = loader({ ...sources, about: first.about })
      return {
        current: yield* SubscriptionRef.make(first),
        load: (candidate) => Effect.provide(load(candidate), context)
      }
    })
  )
