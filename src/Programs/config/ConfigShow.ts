import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { printable } from "../../Domain/text/Printable.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { sayJson } from "../Answer.ts"
import { openSettings } from "./OpenSettings.ts"

/** `autopilotd config show`: the settings file, byte for byte. */
export const configShow = Effect.fnUntraced(function* (invocation: Invocation) {
  const { err, file } = yield* CommandOutput
  const { current } = yield* openSettings(invocation)
  const message = current.found
    ? `These are the settings in ${current.path}`
    : `There is no ${current.path}: all settings have their defaults`
  if (invocation.options.json) {
    return yield* sayJson(invocation.verb, { success: true, message, data: current })
  }
  yield* file(current.text)
  if (!current.found) yield* err(`${printable(message)}.\n`)
})
