import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { parseEnvFile } from "../../Domain/worker/EnvFileSyntax.ts"
import { readTextFile } from "../files/TextFile.ts"

/** The variables of an env file. The values are secrets: never show them. */
export interface EnvFileReading {
  readonly values: Readonly<Record<string, string>>
  /** Sentences without values about ignored lines and unsafe permissions. */
  readonly warnings: ReadonlyArray<string>
}

/** The env file cannot be read; the worker would start without its keys. */
class EnvFileError extends Data.TaggedError("EnvFileError")<{
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
    /**
     * Reads the file at an absolute path. A missing one is empty, unless `mustExist`: the settings name it. `asker` is
     * who asks the disk.
     */
    readonly read: (
      path: string,
      options: { readonly mustExist: boolean; readonly asker?: string }
    ) => Effect.Effect<EnvFileReading, EnvFileError>
  }
>() {}

export const layer: Layer.Layer<EnvFile> = Layer.succeed(EnvFile, {
  read: Effect.fnUntraced(function* (path, { asker, mustExist }) {
    const file = yield* readTextFile(path, "text", asker).pipe(
      Effect.catchAll(({ absent, reason }) => {
        if (absent && !mustExist) return Effect.succeed(undefined)
        const advice = absent ? ", but the setting env_file names it: create it, or remove the setting" : ""
        return new EnvFileError({ path, reason: `${reason}${advice}` })
      })
    )
    if (file === undefined) return { values: {}, warnings: [] }
    if (file.distrust !== undefined) return yield* new EnvFileError({ path, reason: file.distrust })
    const { problems, values } = parseEnvFile(file.text)
    return {
      values,
      warnings: [
        ...(file.readableByOthers
          ? [`Other users can read ${path}, which may hold secrets. Run: chmod 600 ${path}`]
          : []),
        ...problems.map(({ line, reason }) => `${path}:${line}: this line ${reason}`)
      ]
    }
  })
})
