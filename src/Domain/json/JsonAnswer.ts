import type { ErrorCode } from "../control/ErrorCode.ts"
import { jsonText } from "../text/Printable.ts"
import { type TwinKeys, withTwins } from "./Twins.ts"

/** The answer of a command to a program (`--json`): every command has this one shape. */
export interface JsonAnswer {
  readonly success: boolean
  /** One sentence, or several. */
  readonly message: string
  /** The kind of error of an answer that is no success. */
  readonly code?: ErrorCode
  readonly data?: object | undefined
}

/** The commands whose data stood beside `message` before answers had one shape: there it still stands as well. */
const formerlyFlat: ReadonlySet<string> = new Set([
  "start",
  "run",
  "doctor",
  "init",
  "install",
  "uninstall",
  "config check",
  "config schema"
])

/** An answer as one line, ending in a newline. */
export const answerText = (
  { code, data, message, success }: JsonAnswer,
  keys: TwinKeys,
  command?: string
): string => {
  const told = data === undefined ? undefined : withTwins(data, keys)
  const answer = {
    success,
    message,
    ...(code === undefined ? {} : { code }),
    ...(told === undefined ? {} : { data: told })
  }
  const isFlat = command !== undefined && formerlyFlat.has(command)
  return `${jsonText(isFlat ? { ...answer, ...told, ...answer } : answer)}\n`
}
