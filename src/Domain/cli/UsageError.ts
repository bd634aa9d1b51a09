interface Usage {
  /** One sentence. */
  readonly problem: string
  /** The command line that prints the help. */
  readonly help: string
}

/** An invalid command line: exit code 2. */
export class UsageError extends Error implements Usage {
  readonly _tag = "UsageError"
  readonly problem: string
  readonly help: string

  constructor({ help, problem }: Usage) {
    super(`${problem}\nTry: ${help}`)
    this.problem = problem
    this.help = help
  }
}
