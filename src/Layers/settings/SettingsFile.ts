import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { SettingsError } from "../../Domain/settings/SettingsProblem.ts"
import { inPlainCode, orFail } from "../concurrency/PlainCode.ts"
import { sha256Of } from "../files/Sha256.ts"
import { maxBytes } from "../files/SmallFile.ts"
import {
  type SettingsChange,
  SettingsNotWritten,
  type StaleSettings,
  settingsReplacement
} from "./SettingsReplacement.ts"
import {
  fileExists,
  parsedSettings,
  readSettings,
  type SettingsFileText,
  type SettingsText,
  settingsFileText
} from "./SettingsText.ts"

/** The text of a settings file, with the hash of its bytes in hexadecimal; that of the empty text when there is no file. */
interface HashedText extends SettingsFileText {
  readonly sha256: string
}

/** Reads and replaces daemon.toml. All paths are absolute. */
export class SettingsFile extends Context.Tag("SettingsFile")<
  SettingsFile,
  {
    /** Reads and parses the file. With `mustExist` its absence is an error: the user named it. */
    readonly read: (
      path: string,
      options: { readonly mustExist: boolean }
    ) => Effect.Effect<SettingsText, SettingsError>
    /** Reads the text of the file, which need not be valid TOML. */
    readonly text: (
      path: string,
      options: { readonly mustExist: boolean }
    ) => Effect.Effect<HashedText, SettingsError>
    /** Parses a text as if it were the content of that file. */
    readonly parsed: (path: string, text: string) => Effect.Effect<SettingsText, SettingsError>
    /** Replaces a file that has the expected hash, as `settingsReplacement` does. */
    readonly replace: (
      path: string,
      change: SettingsChange
    ) => Effect.Effect<void, StaleSettings | SettingsNotWritten>
    /**
     * True when a file exists that the defaults depend on: a worker's executable, a Cargo.toml. A file on a disk that
     * does not answer counts as there: the start of the worker says what is wrong. `asker` names the subject that asks.
     */
    readonly exists: (path: string, asker: string) => Effect.Effect<boolean>
  }
>() {}

/** Why a text cannot be written, because it could not be read back; undefined when it can. */
const unwritable = (text: string): string | undefined => {
  // With the u flag only those halves match that are not part of a pair.
  if (/\p{Surrogate}/u.test(text))
    return "was not written: the new text has half of a character in it (a lone surrogate). Remove that"
  if (Buffer.byteLength(text) > maxBytes)
    return "was not written: the new text is larger than 1 MiB. Shorten it"
  return undefined
}

export const layer: Layer.Layer<SettingsFile> = Layer.sync(SettingsFile, () => {
  const replace = settingsReplacement()
  return {
    read: (path, options) => inPlainCode((timer) => readSettings(timer, path, options)),
    text: (path, options) =>
      Effect.map(
        inPlainCode((timer) => settingsFileText(timer, path, options)),
        (file) => ({ ...file, sha256: sha256Of(file.text) })
      ),
    parsed: (path, text) => Effect.suspend(() => orFail(parsedSettings(path, text))),
    replace: (path, change) => {
      const reason = unwritable(change.text)
      return reason === undefined ? replace(path, change) : new SettingsNotWritten({ path, reason })
    },
    exists: (path, asker) => inPlainCode((timer) => fileExists(timer, path, asker))
  }
})
