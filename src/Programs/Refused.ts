import * as Data from "effect/Data"

/** What was asked for did not come about, in the daemon's own words. */
export class Refused extends Data.TaggedError("Refused")<{
  readonly reason: string
  /** It stands in the answer that was printed (`--json`), so it is not said again. */
  readonly isTold: boolean
}> {
  override get message() {
    return this.reason
  }
}
