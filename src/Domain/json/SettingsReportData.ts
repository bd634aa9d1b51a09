import * as Schema from "effect/Schema"
import { ConfigProblem } from "../config/SettingsData.ts"
import { Count, field, perhaps } from "../Wire.ts"

const text = (description: string) => field(Schema.String, description)

const MaskedValue = Schema.Struct({
  name: text("The name of the variable"),
  characters: field(Count, "The length of its value, which is never shown")
})

const ReportedSetting = Schema.Struct({
  key: text("The key in the file"),
  value: perhaps(Schema.Unknown, "The value in force. Absent without a value and a default"),
  text: text("The value as shown to a user, or what applies without one"),
  source: text("Where it is set")
})

const settings = (description: string) => field(Schema.Array(ReportedSetting), description)
const variables = (description: string) => field(Schema.Array(MaskedValue), description)

const worker = {
  worker_command: field(
    Schema.NullOr(
      Schema.Struct({
        argv: field(Schema.Array(Schema.String), "Its command line"),
        source: text("Where it is set")
      })
    ),
    "The command of the worker; null without one"
  ),
  env_file: text("The env file"),
  env_file_variables: variables("The variables that it sets"),
  warnings: field(Schema.Array(Schema.String), "What is doubtful about it")
}

/** The data of `config check`. */
export const ConfigCheckData = Schema.Struct({
  started_with: perhaps(Schema.String, "How the running daemon was started. Absent when it was not asked"),
  settings_file: text("The settings file"),
  settings_file_found: field(Schema.Boolean, "False when there is none: the defaults hold"),
  project: text("The project of the following fields"),
  settings: settings("All its settings"),
  env: variables("The variables of `[env]`"),
  ...worker,
  projects: field(
    Schema.Array(
      Schema.Struct({
        project: text("The name of the project"),
        autostart: field(Schema.Boolean, "Whether the daemon starts it when the daemon starts"),
        overrides: settings("Settings of its table and of the command line. Empty for the top level"),
        env: variables("Variables that it does not inherit"),
        ...worker,
        worker_problem: perhaps(Schema.String, "Why no worker can be started")
      })
    ),
    "Every project in the order of the file"
  )
})

/** The data of `config get`: one setting, or those of a table. */
export const ConfigGetData = Schema.Union(
  Schema.Struct({ project: text("The project"), ...ReportedSetting.fields }),
  Schema.Struct({ project: text("The project"), settings: settings("The settings of the table") })
)

/** The data of a refused `config set` and `config unset`. */
export const SettingRefusedData = Schema.Struct({
  problems: field(Schema.Array(ConfigProblem), "Each problem with its place in the present file")
})
