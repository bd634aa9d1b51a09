import * as fs from "node:fs/promises"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { parse, TomlError } from "smol-toml"
import { SettingsError, type SettingsProblem } from "../../Domain/settings/SettingsProblem.ts"
import type { RawSettings } from "../../Domain/toml/RawSettings.ts"
import { maxBytes, readTextFile, sha256Of } from "../files/TextFile.ts"
import {
  type SettingsChange,
  SettingsNotWritten,
  type StaleSettings,
  settingsReplacement
} from "./SettingsReplacement.ts"

/** A settings file as it was found, whatever stands in it. One that is not there is empty. */
export interface SettingsFileText {
  readonly path: string
  readonly found: boolean
  readonly text: string
  /** Of the file's bytes, in hexadecimal; of the empty text when there is no file. */
  readonly sha256: string
}

/** A settings file that is valid TOML. */
export interface SettingsText extends SettingsFileText {
  /** The text, parsed; integers beyond 2^53 - 1 are bigints, for the schema to refuse. */
  readonly raw: RawSettings
}

/** Reads and replaces daemon.toml. All paths are absolute. */
export class SettingsFile extends Context.Tag("SettingsFile")<
  SettingsFile,
  {
    /** The file, parsed. With `mustExist` its absence is an error: a person named it. */
    readonly read: (
      path: string,
      options: { readonly mustExist: boolean }
    ) => Effect.Effect<SettingsText, SettingsError>
    /** The file's text, also where that is not valid TOML. */
    readonly text: (
      path: string,
      options: { readonly mustExist: boolean }
    ) => Effect.Effect<SettingsFileText, SettingsError>
    /** A text as if it stood in that file. */
    readonly parsed: (path: string, text: string) => Effect.Effect<SettingsText, SettingsError>
    /**
     * Puts the text in the place of a file with that hash, whole or not at all; the former file becomes `<path>.bak`.
     * A symbolic link stays, its target is replaced. Once the writing has begun it is not interrupted.
     */
    readonly replace: (
      path: string,
      change: SettingsChange
    ) => Effect.Effect<void, StaleSettings | SettingsNotWritten>
    /** Whether something is there that the defaults depend on: a worker's executable, a Cargo.toml. */
    readonly exists: (path: string) => Effect.Effect<boolean>
  }
>() {}

const refused = (problem: SettingsProblem) => new SettingsError({ problems: [problem] })

/** The parser's message without the excerpt that follows it: an excerpt may hold a secret of `env`. */
const syntaxProblem = (path: string, cause: unknown): SettingsProblem => {
  if (!(cause instanceof TomlError)) return { file: path, reason: "this is not valid TOML" }
  const what = cause.message.split("\n", 1)[0]?.replace(/^Invalid TOML document: /, "") ?? ""
  const hint = what === "invalid value" ? " (text must stand in quotes)" : ""
  return {
    file: path,
    line: cause.line,
    column: cause.column,
    reason: `this is not valid TOML: ${what}${hint}`
  }
}

const parseText = (path: string, text: string): Effect.Effect<RawSettings, SettingsError> =>
  Effect.try({
    try: () => parse(text, { integersAsBigInt: "asNeeded" }),
    catch: (cause) => refused(syntaxProblem(path, cause))
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
  return { path, found: true, text: file.text, sha256: file.sha256 }
})

/** Why a text cannot stand in a settings file, because nobody could read it back; undefined when it can. */
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
      return { ...file, raw: yield* parseText(path, file.text) }
    }),
    text: textOf,
    parsed,
    replace: (path, change) => {
      const reason = unwritable(change.text)
      return reason === undefined ? replace(path, change) : new SettingsNotWritten({ path, reason })
    },
    exists: (path) =>
      Effect.promise(() =>
        fs.access(path).then(
          () => true,
          () => false
        )
      )
  }
})
