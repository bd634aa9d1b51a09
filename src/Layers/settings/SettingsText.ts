import * as fs from "node:fs/promises"
import { SettingsError, type SettingsProblem } from "../../Domain/settings/SettingsProblem.ts"
import type { RawSettings } from "../../Domain/toml/RawSettings.ts"
import type { Timer } from "../concurrency/Timer.ts"
import { answerOf, SilentDisk } from "../files/DiskTurns.ts"
import { textFileAt, UnreadableFile } from "../files/SmallFile.ts"
import { NotToml, tomlData } from "../toml/TomlData.ts"

/** A settings file, valid or not. An absent one has an empty text. */
export interface SettingsFileText {
  readonly path: string
  readonly found: boolean
  readonly text: string
  /** Why the file must not decide what runs, with the fix. */
  readonly distrust?: string
}

/** A settings file that is valid TOML. */
export interface SettingsText extends SettingsFileText {
  /** The parsed text; integers beyond 2^53 - 1 are bigints, which the form refuses. */
  readonly raw: RawSettings
}

/** With `mustExist` the absence of a file is an error: the user named it. */
interface Wanted {
  readonly mustExist: boolean
}

const refused = (problem: SettingsProblem) => new SettingsError({ problems: [problem] })

const withData = (file: SettingsFileText): SettingsText | SettingsError => {
  const raw = tomlData(file.text, "large")
  if (!(raw instanceof NotToml)) return { ...file, raw }
  const { at, because } = raw
  const hint = because === "invalid value" ? " (text must stand in quotes)" : ""
  const why = because === undefined ? "" : `: ${because}${hint}`
  return refused({ file: file.path, ...at, reason: `this is not valid TOML${why}` })
}

/** Parses a text as if it were the content of that file. */
export const parsedSettings = (path: string, text: string): SettingsText | SettingsError =>
  withData({ path, found: true, text })

/** Reads the text of the file at an absolute path. It need not be valid TOML. */
export const settingsFileText = async (
  timer: Timer,
  path: string,
  { mustExist }: Wanted
): Promise<SettingsFileText | SettingsError> => {
  const file = await textFileAt(timer, path, "everyByte", path)
  if (file instanceof UnreadableFile) {
    const { absent, reason } = file
    if (absent && !mustExist) return { path, found: false, text: "" }
    const advice = absent ? ". Write it, or leave --config out to use the defaults" : ""
    return refused({ file: path, reason: `${reason}${advice}` })
  }
  const { distrust, text } = file
  return { path, found: true, text, ...(distrust === undefined ? {} : { distrust }) }
}

/** Reads and parses the file at an absolute path. */
export const readSettings = async (
  timer: Timer,
  path: string,
  wanted: Wanted
): Promise<SettingsText | SettingsError> => {
  const file = await settingsFileText(timer, path, wanted)
  if (file instanceof SettingsError) return file
  return file.distrust === undefined ? withData(file) : refused({ file: path, reason: file.distrust })
}

/**
 * Whether a file exists that the defaults depend on: a worker's executable, a Cargo.toml. A file on a disk that does not
 * answer counts as there: the start of the worker says what is wrong. `asker` names the subject that asks.
 */
export const fileExists = async (timer: Timer, path: string, asker: string): Promise<boolean> => {
  const begin = (answer: (isThere: boolean) => void) =>
    void fs.access(path).then(
      () => answer(true),
      () => answer(false)
    )
  const found = await answerOf(timer, { asker, path: () => path, begin })
  return found instanceof SilentDisk || found
}
