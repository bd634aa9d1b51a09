import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { serviceUnits } from "../../Domain/service/ServiceUnit.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { ServiceFiles } from "../../Layers/service/ServiceFiles.ts"
import { servicePlan } from "./ServicePlan.ts"

/** What systemd would be told. */
const commands = [
  "systemctl --user daemon-reload",
  ...serviceUnits.flatMap(({ name }) => [`systemctl --user enable ${name}`, `systemctl --user start ${name}`])
]

/** `autopilotd install --print`: what `install` would write and run. It changes nothing, and needs no systemd. */
export const installPrint = Effect.fnUntraced(function* ({ options }: Invocation) {
  const { out } = yield* CommandOutput
  const { unitFolders } = yield* ServiceFiles
  const { launcher, units } = yield* servicePlan(unitFolders[0])
  const files = [launcher, ...units].map(({ mode, path, text }) => ({ path, mode: mode.toString(8), text }))
  if (options.json) {
    const message = "This would be written and run. Nothing was changed"
    return yield* out(`${JSON.stringify({ success: true, message, files, commands })}\n`)
  }
  const parts = files.map(({ mode, path, text }) => `# ${path} (mode ${mode}):\n${text}`)
  yield* out(`${[...parts, `# Then:\n${commands.join("\n")}\n`].join("\n")}`)
})
