import * as Data from "effect/Data"

/**
 * A command line that cannot be understood: exit code 2. `problem` is what is wrong with it, `help` the command
 * line whose output helps.
 */
export class UsageError extends Data.TaggedError("UsageError")<{
  readonly problem: string
  readonly help: string
}> {
  override get message(): string {
    return `${this.problem}\nTry: ${this.help}`
  }
}
