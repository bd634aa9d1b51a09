import * as Effect from "effect/Effect"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { type Reader, writtenText } from "../../Domain/config/ChangesText.ts"
import type { ConfigWritten } from "../../Domain/config/SettingsData.ts"
import { settingKeys } from "../../Domain/settings/SettingKeys.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { valueTextAt } from "../../Layers/toml/TomlEdit.ts"
import type { OpenSettings } from "./OpenSettings.ts"

/** A text that was accepted, or would be. */
export interface Written {
  /** The file as it was before. */
  readonly open: OpenSettings
  readonly written: ConfigWritten
}

const watching = "watch_config"

const watchesByDefault = settingKeys.some(({ default: value, key }) => key === watching && value === "true")

/** Who takes over the text that was written, as far as can be told from here. */
const readerOf = Effect.fnUntraced(function* (
  { options }: Invocation,
  { open: { current, through } }: Written
) {
  if (through === "file") return options.config === undefined ? "nobody" : "unknown"
  // The text before is what the daemon goes by until it has taken over the new one. A daemon does not watch for what
  // cannot be found there.
  const watches = yield* Effect.orElseSucceed(valueTextAt(current.text, [watching]), () => undefined)
  return (watches === undefined ? watchesByDefault : watches === "true") ? "watching daemon" : "daemon"
})

/**
 * Says what was written, or would be, and what it takes to apply. A daemon compares with what is in force, so that other
 * changes than the one that was meant may be among those, written before.
 */
export const sayWritten = Effect.fnUntraced(function* (
  invocation: Invocation,
  done: Written,
  isMeant?: (key: string) => boolean
) {
  const { written } = done
  const { out } = yield* CommandOutput
  if (invocation.options.json) {
    const message = written.written ? "Settings written" : "This is a dry run: nothing was written"
    return yield* out(`${JSON.stringify({ success: true, message, data: written })}\n`)
  }
  const reader: Reader = yield* readerOf(invocation, done)
  yield* out(writtenText(written, reader, isMeant))
})
