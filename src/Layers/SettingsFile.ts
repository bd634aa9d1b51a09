import * as fs from "node:fs/promises"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { parse, TomlError } from "smol-toml"
import type { RawSettings } from "../Domain/RawSettings.ts"
import { SettingsError, type SettingsProblem } from "../Domain/SettingsProblem.ts"
import { readTextFile } from "./TextFile.ts"

/** A settings file as it was found. One that is not there is empty. */
export interface SettingsText {
  readonly path: string
  readonly found: boolean
  readonly text: string
  /** The text, parsed; integers beyond 2^53 - 1 are bigints, for the schema to refuse. */
  readonly raw: RawSettings
}

/** Reads daemon.toml. */
export class SettingsFile extends Context.Tag("SettingsFile")<
  SettingsFile,
  {
    /** The file at an absolute path. With `mustExist` its absence is an error: a person named it. */
    readonly read: (
      path: string,
      options: { readonly mustExist: boolean }
    ) => Effect.Effect<SettingsText, SettingsError>
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

export const layer: Layer.Layer<SettingsFile> = Layer.succeed(SettingsFile, {
  read: Effect.fnUntraced(function* (path, { mustExist }) {
    const file = yield* readTextFile(path).pipe(
      Effect.catchAll(({ absent, reason }) => {
        if (absent && !mustExist) return Effect.succeed(undefined)
        const advice = absent ? ". Write it, or leave --config out to use the defaults" : ""
        return refused({ file: path, reason: `${reason}${advice}` })
      })
    )
    if (file === undefined) return { path, found: false, text: "", raw: {} }
    return { path, found: true, text: file.text, raw: yield* parseText(path, file.text) }
  }),
  exists: (path) =>
    Effect.promise(() =>
      fs.access(path).then(
        () => true,
        () => false
      )
    )
})
