import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { type ErrorCode, knownCode } from "../Domain/control/ErrorCode.ts"

/** A command is not carried out, or not to its end; `reason` is the sentence about it. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly reason: string
  readonly code: ErrorCode
  /** What the answer to `--json` has beside the reason. */
  readonly data?: object | undefined
  /** Instead of that of the code. */
  readonly exitCode?: number
  /** The command has printed the reason already, or what says it. */
  readonly isTold?: boolean
}> {
  override get message() {
    return this.reason
  }
}

interface Reply<A> {
  readonly success: boolean
  readonly message: string
  readonly code?: string
  readonly data?: A | undefined
}

/** The data of a reply. Fails with the sentence of a daemon that refused. */
export const granted = <A>({
  code,
  data,
  message,
  success
}: Reply<A>): Effect.Effect<NonNullable<A>, Refused> =>
  success && data !== undefined && data !== null
    ? Effect.succeed(data)
    : new Refused({ reason: message, code: knownCode(code) })
