import type { Timer } from "../concurrency/Timer.ts"
import { textFileAt, UnreadableFile } from "../files/SmallFile.ts"

/** The file of a prompt gives none; the message says why. */
export class UnusablePrompt extends Error {
  readonly _tag = "UnusablePrompt"

  constructor(path: string, reason: string) {
    super(`its prompt cannot be read: ${path} ${reason}`)
  }
}

/** Reads the prompt in a file. One that others may write would say what the agent does as this user. */
export const promptAt = async (
  timer: Timer,
  path: string,
  asker: string
): Promise<string | UnusablePrompt> => {
  const file = await textFileAt(timer, path, "text", asker)
  if (file instanceof UnreadableFile) return new UnusablePrompt(path, file.reason)
  if (file.distrust !== undefined) return new UnusablePrompt(path, file.distrust)
  return file.text.trim() === "" ? new UnusablePrompt(path, "is empty") : file.text
}
