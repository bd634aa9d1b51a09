/** Why there is no answer of a daemon. */
export type Unanswered =
  | { readonly _tag: "NotRunning" }
  | { readonly _tag: "AccessDenied" }
  | {
      readonly _tag: "Timeout"
      readonly waitedFor: "disk" | "connection" | "answer" | "rest of the answer"
      readonly waitedMs: number
    }
  /** `problem` continues a sentence that begins with `The answer`. */
  | { readonly _tag: "Unclear"; readonly problem: string }

const startAdvice = "Start it with: autopilotd start"

const timeoutText = (
  place: string,
  { waitedFor, waitedMs }: Extract<Unanswered, { readonly _tag: "Timeout" }>
): string =>
  waitedFor === "disk"
    ? `The disk of ${place} did not answer within ${waitedMs} ms, so the daemon could not be requested. ` +
      "Check that disk, or unmount it."
    : `The daemon at ${place} gave no ${waitedFor} within ${waitedMs} ms: ` +
      "it is suspended, or the machine is overloaded. Try again, or read its log."

/**
 * Why there is no answer, in sentences. `place` is the path of the daemon's socket, or the name of its machine; `advice` says
 * what to do where no daemon runs.
 */
export const unansweredText = (
  place: string,
  unanswered: Unanswered,
  advice: string = startAdvice
): string => {
  switch (unanswered._tag) {
    case "NotRunning":
      return `No daemon is listening on ${place}. ${advice}`
    case "AccessDenied":
      return (
        `This user may not use the control socket ${place}: the daemon belongs to another user. ` +
        "Run the command as that user, or set AUTOPILOT_HOME to the folder of your own daemon."
      )
    case "Timeout":
      return timeoutText(place, unanswered)
    case "Unclear":
      return (
        `The answer of the daemon at ${place} ${unanswered.problem}. ` +
        "Another program may be listening there, or a daemon of another version. Read its log."
      )
  }
}
