import * as Effect from "effect/Effect"
import type { EffectiveSettings } from "../../Domain/settings/EffectiveSettings.ts"
import { mistakesIn } from "../../Domain/settings/RefusedProjects.ts"
import { SettingsError } from "../../Domain/settings/SettingsProblem.ts"
import { inPlainCode } from "../concurrency/PlainCode.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { tomlPositions } from "../toml/TomlPositions.ts"
import { loadInPlainCode, type SettingsSources } from "./SettingsLoading.ts"
import type { SettingsText } from "./SettingsText.ts"

/** Loads the settings in force, as `loadInPlainCode` does. */
export const loadUsable = (
  sources: SettingsSources,
  candidate?: SettingsText
): Effect.Effect<EffectiveSettings, SettingsError, AutopilotHome> =>
  Effect.flatMap(AutopilotHome, (home) =>
    inPlainCode((timer) => loadInPlainCode(sources, { timer, home, positions: tomlPositions }, candidate))
  )

/** The same, but for any mistake a failure. */
export const loadSettings = (
  sources: SettingsSources,
  candidate?: SettingsText
): Effect.Effect<EffectiveSettings, SettingsError, AutopilotHome> =>
  Effect.filterOrElse(
    loadUsable(sources, candidate),
    (settings) => mistakesIn(settings).length === 0,
    (settings) => Effect.fail(new SettingsError({ problems: mistakesIn(settings) }))
  )
