import * as Data from "effect/Data"

/** A notification has not arrived. */
export class NotSent extends Data.TaggedError("NotSent")<{
  /** Continues a sentence that begins with the channel. Nothing secret is in it. */
  readonly reason: string
  /**
   * `retry`: it may arrive later. `give-up`: it never will. `off`: the receiver wants no more. `absent`: nobody is at the
   * desktop, which is no failure.
   */
  readonly next: "retry" | "give-up" | "off" | "absent"
}> {
  override get message(): string {
    return `${this.reason}.`
  }
}
