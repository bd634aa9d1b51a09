import * as Data from "effect/Data"
import { quoted } from "../../Domain/text/Printable.ts"

/** The user has no home folder with an absolute path, and a command needs one. */
export class NoUserHome extends Data.TaggedError("NoUserHome")<{
  /** HOME as it is set; undefined when it is not set. */
  readonly configured: string | undefined
}> {
  override get message(): string {
    const cause =
      this.configured === undefined
        ? `HOME is not set, and the system knows no home of user ${process.getuid?.()}`
        : this.configured === ""
          ? "HOME is empty"
          : `HOME is ${quoted(this.configured)}, which is not an absolute path`
    return `There is no home folder: ${cause}. Set HOME to an absolute path; for the daemon's own files AUTOPILOT_HOME is enough.`
  }
}
