import { Settings } from "../settings/Settings.ts"
import { fieldsIn } from "../toml/Form.ts"
import { formOf } from "../toml/FormOf.ts"

/**
 * The description of each setting and of each table of settings by its key. They stand apart from the form of the settings,
 * because the daemon shows none.
 */
export const settingDescriptions = (): Readonly<Record<string, string>> =>
  Object.fromEntries(
    fieldsIn(formOf(Settings.ast)).flatMap(([key, { description }]) =>
      description === undefined ? [] : [[key, description]]
    )
  )
