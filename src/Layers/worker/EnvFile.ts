import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { inPlainCode } from "../concurrency/PlainCode.ts"
import type { FileStamps } from "../files/FileStamps.ts"
import { type EnvFileError, type EnvFileReading, envFileAt } from "./EnvFileText.ts"

/** Reads the worker's env file. */
export class EnvFile extends Context.Tag("EnvFile")<
  EnvFile,
  {
    /**
     * Reads a file, as `envFileAt` does. One with the same one of `stamps` as at the last reading is not read again.
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
        const read = inPlainCode((timer) => envFileAt(timer, path, { asker, mustExist }))
        return Effect.tap(read, (reading) => {
          if (stamp !== undefined) known.set(key, { stamp, reading })
        })
      })
  }
})
