import * as Data from "effect/Data"

/** Nobody listens at the socket's path. */
export class NotRunning extends Data.TaggedError("NotRunning")<{ readonly path: string }> {
  override get message(): string {
    return `The daemon is not running: nobody listens at ${this.path}. Start it with: autopilotd start`
  }
}

/** The socket is there, but this user may not use it: the daemon is somebody else's. */
export class ControlAccessDenied extends Data.TaggedError("ControlAccessDenied")<{ readonly path: string }> {
  override get message(): string {
    return (
      `This user may not use the control socket ${this.path}: the daemon belongs to another user. ` +
      "Ask it as that user, or set AUTOPILOT_HOME to your own daemon's folder."
    )
  }
}

/** The daemon did not do its part in time. */
export class ControlTimeout extends Data.TaggedError("ControlTimeout")<{
  readonly path: string
  /** What was waited for. */
  readonly waitedFor: "connection" | "answer" | "rest of the answer"
  readonly waitedMs: number
}> {
  override get message(): string {
    return (
      `The daemon at ${this.path} is there but gave no ${this.waitedFor} within ${this.waitedMs} ms: ` +
      "it may be suspended, or the machine is overloaded. Try again, or look into its log."
    )
  }
}

/** What came back is no answer. */
export class ControlProtocolError extends Data.TaggedError("ControlProtocolError")<{
  readonly path: string
  /** Continues a sentence that begins with `The answer`. */
  readonly problem: string
}> {
  override get message(): string {
    return (
      `The answer of the daemon at ${this.path} ${this.problem}. ` +
      "Is something else listening there, or a daemon of another version? Its log may tell."
    )
  }
}

export type ControlClientError = NotRunning | ControlAccessDenied | ControlTimeout | ControlProtocolError
