import * as Data from "effect/Data"

/** The daemon or the command refused to do it. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly reason: string
  /** The printed answer (`--json`) has the reason, so that standard error does not. */
  readonly isTold: boolean
}> {
  override get message() {
    return this.reason
  }
}
