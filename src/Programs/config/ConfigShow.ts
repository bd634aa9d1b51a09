import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { isSecretSetting } from "../../Domain/config/SecretSettings.ts"
import { printable } from "../../Domain/text/Printable.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { maskedToml } from "../../Layers/toml/TomlMask.ts"
import { sayJson } from "../Answer.ts"
import { Refused } from "../Refused.ts"
import { openSettings } from "./OpenSettings.ts"

/** `autopilotd config show`: the settings file, byte for byte but for its secrets. */
export const configShow = Effect.fnUntraced(function* (invocation: Invocation) {
  const { err, file } = yield* CommandOutput
  const { current } = yield* openSettings(invocation)
  const { path } = current
  const message = current.found
    ? `These are the settings in ${path}`
    : `There is no ${path}: all settings have their defaults`
  const text = yield* Effect.mapError(maskedToml(current.text, isSecretSetting), ({ at }) => {
    const where = at === undefined ? "" : ` (line ${at.line})`
    return new Refused({
      reason:
        `${path} is not valid TOML${where}, so its secrets cannot be masked, and it is not printed. ` +
        `Find the mistake with: autopilotd config check`,
      code: "settings_invalid"
    })
  })
  if (invocation.options.json) {
    return yield* sayJson(invocation.verb, { success: true, message, data: { ...current, text } })
  }
  yield* file(text)
  if (!current.found) yield* err(`${printable(message)}.\n`)
})
