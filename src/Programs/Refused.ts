import * as Data from "effect/Data"
import * as Effect from "effect/Effect"

/** The daemon refused a request; `reason` is its sentence. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly reason: string
  /** The printed answer (`--json`) contains the reason already. */
  readonly isTold?: boolean
  /** The exit code of the command; by default that of any failure. */
  readonly code?: number
}> {
  override get message() {
    return this.reason
  }
}

interface Answer<A> {
  readonly success: boolean
  readonly message: string
  readonly data?: A | undefined
}

/** The data of an answer. Fails with the sentence of a daemon that refused. */
export const granted = <A>({ data, message, success }: Answer<A>): Effect.Effect<NonNullable<A>, Refused> =>
  success && data !== undefined && data !== null ? Effect.succeed(data) : new Refused({ reason: message })
