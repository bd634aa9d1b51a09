import type { TableForm } from "../toml/Form.ts"
import { formOf } from "../toml/FormOf.ts"
import { Settings } from "./Settings.ts"

/** The form of the settings file. Its descriptions, which only documents and completion show, stand apart. */
export const settingsForm = (): TableForm =>
  JSON.parse(
    JSON.stringify(formOf(Settings.ast), (key, value: unknown) => (key === "description" ? undefined : value))
  )
