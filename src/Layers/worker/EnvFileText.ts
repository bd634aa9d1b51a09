import { parseEnvFile } from "../../Domain/worker/EnvFileSyntax.ts"
import type { Timer } from "../concurrency/Timer.ts"
import { textFileAt, UnreadableFile } from "../files/SmallFile.ts"

/** The variables of an env file. The values are secrets: never show them. */
export interface EnvFileReading {
  readonly values: Readonly<Record<string, string>>
  /** Sentences without values about ignored lines and unsafe permissions. */
  readonly warnings: ReadonlyArray<string>
}

/** The env file cannot be read; the worker would start without its keys. */
export class EnvFileError extends Error {
  readonly _tag = "EnvFileError"
  readonly path: string
  /** Continues a sentence that begins with the path. */
  readonly reason: string

  constructor(path: string, reason: string) {
    super(`${path} ${reason}. The worker's environment comes from it.`)
    this.path = path
    this.reason = reason
  }
}

/**
 * Reads the env file at an absolute path. A missing one is empty, unless `mustExist`: the settings name it. `asker` is who
 * asks the disk.
 */
export const envFileAt = async (
  timer: Timer,
  path: string,
  { asker = path, mustExist }: { readonly asker?: string | undefined; readonly mustExist: boolean }
): Promise<EnvFileReading | EnvFileError> => {
  const file = await textFileAt(timer, path, "text", asker)
  if (file instanceof UnreadableFile) {
    const { absent, reason } = file
    if (absent && !mustExist) return { values: {}, warnings: [] }
    const advice = absent ? ", but the setting env_file names it: create it, or remove the setting" : ""
    return new EnvFileError(path, `${reason}${advice}`)
  }
  if (file.distrust !== undefined) return new EnvFileError(path, file.distrust)
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
}
