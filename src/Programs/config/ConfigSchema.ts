import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { settingsSchema, settingsSchemaText } from "../../Domain/config/SettingsSchema.ts"
import { sayDone } from "../Answer.ts"

/** `autopilotd config schema`: the JSON Schema of daemon.toml. */
export const configSchema = (invocation: Invocation) =>
  sayDone(
    invocation,
    { message: "This is the JSON Schema of the settings file", data: settingsSchema() },
    settingsSchemaText()
  )
