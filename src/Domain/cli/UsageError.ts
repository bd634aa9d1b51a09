import * as Data from "effect/Data"

/** An invalid command line: exit code 2. `problem` is one sentence, `help` the command line that prints the help. */
export class UsageError extends Data.TaggedError("UsageError")<{
  readonly problem: string
  readonly help: string
}> {
  override get message(): string {
    return `${this.problem}\nTry: ${this.help}`
  }
}
