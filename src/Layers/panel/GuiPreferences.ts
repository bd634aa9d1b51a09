import { join } from "node:path"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { decodeGuiSettings, type GuiSettings } from "../../Domain/panel/GuiSettings.ts"
import { SettingsError } from "../../Domain/settings/SettingsProblem.ts"
import { keyPathText } from "../../Domain/toml/KeyPath.ts"
import { AutopilotHome, prepare } from "../daemon/AutopilotHome.ts"
import { sha256Of } from "../files/Sha256.ts"
import { SettingsFile } from "../settings/SettingsFile.ts"
import type { SettingsText } from "../settings/SettingsText.ts"
import { setKey } from "../toml/TomlEdit.ts"
import { tomlPositions } from "../toml/TomlPositions.ts"

const pathOfHome = Effect.map(AutopilotHome, ({ root }) => join(root, "gui.toml"))

const settingsIn = Effect.fnUntraced(function* ({ path, raw, text }: SettingsText) {
  const decoded = decodeGuiSettings(raw)
  if (Either.isRight(decoded)) return decoded.right
  const find = yield* Effect.promise(() => tomlPositions(text))
  const error = new SettingsError({
    problems: decoded.left.map(({ path: key, ...problem }) => ({
      file: path,
      ...find(key),
      key: keyPathText(key.map(String)),
      ...problem
    }))
  })
  return yield* Effect.fail(error)
})

/** What the panel remembers, in gui.toml of the home. Without a file there are only defaults. */
export const guiPreferences: Effect.Effect<GuiSettings, SettingsError, SettingsFile | AutopilotHome> =
  Effect.gen(function* () {
    const { read } = yield* SettingsFile
    return yield* settingsIn(yield* read(yield* pathOfHome, { mustExist: false }))
  })

/** Remembers whether the panel starts the daemon. The rest of the file, comments included, stays. */
export const rememberAutoStart = (isAutoStart: boolean) =>
  Effect.gen(function* () {
    const { parsed, read, replace } = yield* SettingsFile
    const path = yield* pathOfHome
    const file = yield* read(path, { mustExist: false })
    const text = yield* setKey(file.text, ["gui", "auto_start"], String(isAutoStart))
    yield* settingsIn(yield* parsed(path, text))
    if (!file.found) yield* prepare
    yield* replace(path, { text, expectedSha256: sha256Of(file.text) })
  }).pipe(
    // Another window has written in between.
    Effect.retry({ while: ({ _tag }) => _tag === "StaleSettings", times: 5 })
  )
