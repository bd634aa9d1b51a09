import * as Effect from "effect/Effect"
import { withGiven } from "../../Domain/adapter/GivenOptions.ts"
import type { EffectiveSettings } from "../../Domain/settings/EffectiveSettings.ts"
import type { SettingsError } from "../../Domain/settings/SettingsProblem.ts"
import { inPlainCode } from "../concurrency/PlainCode.ts"
import type { Timer } from "../concurrency/Timer.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { tomlPositions } from "../toml/TomlPositions.ts"
import { type LoadingWorld, loadFaultless, loadInPlainCode, type SettingsSources } from "./SettingsLoading.ts"
import type { SettingsText } from "./SettingsText.ts"

/** The world of a load in the whole program. */
export const loadingWorld = (timer: Timer, home: LoadingWorld["home"]): LoadingWorld => ({
  timer,
  home,
  positions: tomlPositions,
  withGiven
})

const loading =
  (load: typeof loadInPlainCode) =>
  (
    sources: SettingsSources,
    candidate?: SettingsText
  ): Effect.Effect<EffectiveSettings, SettingsError, AutopilotHome> =>
    Effect.flatMap(AutopilotHome, (home) =>
      inPlainCode((timer) => load(sources, loadingWorld(timer, home), candidate))
    )

/** Loads the settings in force, as `loadInPlainCode` does. */
export const loadUsable = loading(loadInPlainCode)

/** The same, but for any mistake a failure. */
export const loadSettings = loading(loadFaultless)
