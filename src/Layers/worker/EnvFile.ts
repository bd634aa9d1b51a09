import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { parseEnvFile } from "../../Domain/worker/EnvFileSyntax.ts"
import type { FileStamps } from "../files/FileStamps.ts"
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
     * who asks the disk. A file with the same one of `stamps` as at the last reading is not read again.
     */
    readonly read: (
      path: string,
      options: {
        readonly mustExist: boolean
        readonly asker?: string
        readonly stamps?: FileStamps | undefined
      }
    ) => Effect.Effect<EnvFileReading, EnvFileError>
  }
>() {}

const readAnew = Effect.fnUntraced(function* (path: string, asker: string | undefined, mustExist: boolean) {
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

export const layer: Layer.Layer<EnvFile> = Layer.sync(EnvFile, () => {
  /** The last reading of each file that could be read, with the stamp from before it. */
  const known = new Map<string, { readonly stamp: string; readonly reading: EnvFileReading }>()
  return {
    read: (path, { asker, mustExist, stamps }) =>
      Effect.suspend(() => {
        const key = `${mustExist} ${path}`
        const stamp = stamps?.get(path)
        const before = known.get(key)
        if (before !== undefined && before.stamp === stamp) return Effect.succeed(before.reading)
        known.delete(key)
        return Effect.tap(readAnew(path, asker, mustExist), (reading) => {
          if (stamp !== undefined) known.set(key, { stamp, reading })
        })
      })
  }
})
