import { commandsPage } from "../../Domain/cli/CommandsPage.ts"
import { exitCodeOf } from "../../Domain/cli/ExitCodes.ts"
import { manPage } from "../../Domain/cli/ManPage.ts"
import { settingsPage } from "../../Domain/config/SettingsPage.ts"
import { settingsSchemaText } from "../../Domain/config/SettingsSchema.ts"
import { jsonPage } from "../../Domain/json/JsonPage.ts"
import { metricsPage } from "../../Domain/metrics/MetricsPage.ts"
import { version } from "../Version.ts"

/** The files of the repository that `npm run docs` writes: their paths from its root, and their texts. */
export const generatedFiles: ReadonlyArray<readonly [path: string, text: string]> = [
  ["docs/commands.md", commandsPage()],
  ["docs/metrics.md", metricsPage()],
  ["docs/json.md", jsonPage(exitCodeOf)],
  ["docs/settings.md", settingsPage()],
  ["man/autopilotd.1", manPage(version)],
  ["schema/daemon.schema.json", settingsSchemaText()]
]
