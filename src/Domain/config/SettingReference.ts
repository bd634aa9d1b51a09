import { defaultOf, settingNotes } from "../settings/SettingKeys.ts"
import { tomlText } from "../toml/RawSettings.ts"
import { settingDescriptions } from "./DescriptionsShape.ts"

/** One row of the reference of settings. */
interface SettingKey {
  /** The name with its tables: `restart.max_backoff_ms`. */
  readonly key: string
  /** The default as TOML, or in words what applies when it is not set. */
  readonly default: string
  readonly description: string
}

/** The description of a setting or of a table of settings by its key. */
export const descriptionOf = (key: string): string | undefined => {
  const all = (descriptions ??= settingDescriptions())
  return Object.hasOwn(all, key) ? all[key] : undefined
}
let descriptions: ReturnType<typeof settingDescriptions> | undefined

/** The row that stands for all settings in `[projects.NAME]`: their keys are those of the top level. */
export const projectsKey: SettingKey = {
  key: "projects.NAME",
  default: "none",
  description: "One more project. It inherits the settings of the top level and overrides those that it sets."
}

/** Every setting with its default. */
export const settingKeys = (): ReadonlyArray<SettingKey> => [
  ...[...settingNotes].map(([key, { unset }]) => {
    const value = defaultOf(key)
    const byDefault = unset ?? (value === undefined ? "none" : tomlText(value))
    return { key, default: byDefault, description: descriptionOf(key) ?? "" }
  }),
  projectsKey
]
