import * as Data from "effect/Data"

/** The daemon refused a request; `reason` is its sentence. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly reason: string
  /** The printed answer (`--json`) contains the reason already. */
  readonly isTold: boolean
}> {
  override get message() {
    return this.reason
  }
}
