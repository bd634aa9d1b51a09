import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { parseEnvFile } from "../../Domain/worker/EnvFileSyntax.ts"
import { readTextFile } from "../files/TextFile.ts"

/** The variables of an env file and what a person should know about it. The values are secrets: show them nowhere. */
export interface EnvFileReading {
  readonly values: Readonly<Record<string, string>>
  /** Sentences without any value: lines that were ignored, a file that others can read. */
  readonly warnings: ReadonlyArray<string>
}

/** The env file cannot be read, so the worker would start without its keys. */
export class EnvFileError extends Data.TaggedError("EnvFileError")<{
  readonly path: string
  /** Continues a sentence that begins with the path. */
  readonly reason: string
}> {
  override get message(): string {
    return `${this.path} ${this.reason}. The worker's environment comes from it.`
  }
}

/** Reads the worker's env file. */
export class EnvFile extends Context.Tag("EnvFile")<
  EnvFile,
  {
    /** The file at an absolute path. One that is absent sets nothing, unless `mustExist`: the settings name it. */
    readonly read: (
      path: string,
      options: { readonly mustExist: boolean }
    ) => Effect.Effect<EnvFileReading, EnvFileError>
  }
>() {}

export const layer: Layer.Layer<EnvFile> = Layer.succeed(EnvFile, {
  read: Effect.fnUntraced(function* (path, { mustExist }) {
    const file = yield* readTextFile(path).pipe(
      Effect.catchAll(({ absent, reason }) => {
        if (absent && !mustExist) return Effect.succeed(undefined)
        const advice = absent ? ", but env_file in the settings names it: write it, or remove env_file" : ""
        return new EnvFileError({ path, reason: `${reason}${advice}` })
      })
    )
    if (file === undefined) return { values: {}, warnings: [] }
    const { problems, values } = parseEnvFile(file.text)
    return {
      values,
      warnings: [
        ...(file.readableByOthers
          ? [`${path} can be read by other users and may hold secrets: chmod 600 ${path}`]
          : []),
        ...problems.map(({ line, reason }) => `${path}:${line}: this line ${reason}`)
      ]
    }
  })
})
