import * as fs from "node:fs/promises"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { SettingsError, type SettingsProblem } from "../../Domain/settings/SettingsProblem.ts"
import type { RawSettings } from "../../Domain/toml/RawSettings.ts"
import { askDisk } from "../files/PathQuestions.ts"
import { maxBytes, readTextFile, sha256Of } from "../files/TextFile.ts"
import { readData } from "../toml/TomlData.ts"
import {
  type SettingsChange,
  SettingsNotWritten,
  type StaleSettings,
  settingsReplacement
} from "./SettingsReplacement.ts"

/** A settings file, valid or not. An absent one has an empty text. */
interface SettingsFileText {
  readonly path: string
  readonly found: boolean
  readonly text: string
  /** The hash of the file's bytes, in hexadecimal; that of the empty text when there is no file. */
  readonly sha256: string
  /** Why the file must not decide what runs, with the fix. */
  readonly distrust?: string
}

/** A settings file that is valid TOML. */
export interface SettingsText extends SettingsFileText {
  /** The parsed text; integers beyond 2^53 - 1 are bigints, which the schema refuses. */
  readonly raw: RawSettings
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
    ) => Effect.Effect<SettingsFileText, SettingsError>
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

const refused = (problem: SettingsProblem) => new SettingsError({ problems: [problem] })

const parseText = (path: string, text: string): Effect.Effect<RawSettings, SettingsError> =>
  Effect.mapError(readData(text, "large"), ({ at, because }) => {
    const hint = because === "invalid value" ? " (text must stand in quotes)" : ""
    const why = because === undefined ? "" : `: ${because}${hint}`
    return refused({ file: path, ...at, reason: `this is not valid TOML${why}` })
  })

const parsed = (path: string, text: string) =>
  Effect.map(parseText(path, text), (raw) => ({ path, found: true, text, sha256: sha256Of(text), raw }))

const textOf = Effect.fnUntraced(function* (path: string, { mustExist }: { readonly mustExist: boolean }) {
  const file = yield* readTextFile(path, "everyByte").pipe(
    Effect.catchAll(({ absent, reason }) => {
      if (absent && !mustExist) return Effect.succeed(undefined)
      const advice = absent ? ". Write it, or leave --config out to use the defaults" : ""
      return refused({ file: path, reason: `${reason}${advice}` })
    })
  )
  if (file === undefined) return { path, found: false, text: "", sha256: sha256Of("") }
  return {
    path,
    found: true,
    text: file.text,
    sha256: file.sha256,
    ...(file.distrust === undefined ? {} : { distrust: file.distrust })
  }
})

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
    read: Effect.fnUntraced(function* (path, options) {
      const file = yield* textOf(path, options)
      if (file.distrust !== undefined) return yield* refused({ file: path, reason: file.distrust })
      return { ...file, raw: yield* parseText(path, file.text) }
    }),
    text: textOf,
    parsed,
    replace: (path, change) => {
      const reason = unwritable(change.text)
      return reason === undefined ? replace(path, change) : new SettingsNotWritten({ path, reason })
    },
    exists: (path, asker) =>
      askDisk(
        asker,
        path,
        Effect.promise(() =>
          fs.access(path).then(
            () => true,
            () => false
          )
        )
      ).pipe(Effect.orElseSucceed(() => true))
  }
})
