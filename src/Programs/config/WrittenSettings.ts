import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { type Reader, writtenText } from "../../Domain/config/ChangesText.ts"
import type { ConfigWritten } from "../../Domain/config/SettingsData.ts"
import { defaultOf } from "../../Domain/settings/SettingKeys.ts"
import { valueTextAt } from "../../Layers/toml/TomlEdit.ts"
import { sayDone } from "../Answer.ts"
import type { OpenSettings } from "./OpenSettings.ts"

/** A text that was accepted, or would be without a dry run. */
export interface Written {
  /** The file as it was before. */
  readonly open: OpenSettings
  readonly written: ConfigWritten
}

const watching = "watch_config"

const watchesByDefault = defaultOf(watching) === true

/** The reader of the written file, as far as this command knows. */
export const readerOf = Effect.fnUntraced(function* (
  { options }: Pick<Invocation, "options">,
  { current, through }: Pick<OpenSettings, "current" | "through">
) {
  if (through === "file") return options.config === undefined ? "nobody" : "unknown"
  // Until it reloads, the daemon follows the `watch_config` of the former text.
  const watches = yield* Effect.orElseSucceed(valueTextAt(current.text, [watching]), () => undefined)
  return (watches === undefined ? watchesByDefault : watches === "true") ? "watching daemon" : "daemon"
})

/**
 * Prints what was written, or would be, and the command that applies it. A daemon compares with the settings in force,
 * so there may be changes that were written earlier: `isMeant` selects those of this command.
 */
export const sayWritten = Effect.fnUntraced(function* (
  invocation: Invocation,
  done: Written,
  isMeant?: (key: string) => boolean
) {
  const { written } = done
  const message = written.written ? "Settings written" : "This is a dry run: nothing was written"
  const reader: Reader = yield* readerOf(invocation, done.open)
  yield* sayDone(invocation, { message, data: written }, writtenText(written, reader, isMeant))
})
