import * as Effect from "effect/Effect"
import type { ChannelMessage } from "../../Domain/notify/ChannelMessage.ts"
import { NotSent } from "./NotSent.ts"
import { type ProgramEnd, runProgram } from "./ProgramRun.ts"

/** A server of notifications may hang, and notify-send waits for it without end. */
const limit = "5 seconds"

/**
 * The message of notify-send where there is no session of a desktop, or nobody in it who shows notifications: with a program such
 * as dunst installed, the bus starts it, and it fails without a display.
 */
const noDesktop =
  /could not connect|no such file or directory|cannot autolaunch|not provided by any \.service|StartServiceByName|ServiceUnknown|NameHasNoOwner|unable to connect|Failed to connect/i

const judged = ({ code, lastWords, signal }: ProgramEnd): Effect.Effect<void, NotSent> => {
  if (code === 0) return Effect.void
  if (noDesktop.test(lastWords))
    return new NotSent({ reason: `finds no desktop: ${lastWords}`, next: "absent" })
  const how = signal === null ? `exited with code ${code}` : `was killed by ${signal}`
  return new NotSent({
    reason: `does not work: notify-send ${how}${lastWords === "" ? "" : `: ${lastWords}`}`,
    next: "retry"
  })
}

/** Shows a notification on the desktop of the user. */
export const showNotice = ({
  argv
}: Extract<ChannelMessage, { readonly _tag: "Show" }>): Effect.Effect<void, NotSent> =>
  runProgram(argv, { env: { LC_ALL: "C.UTF-8" }, input: "", limit }).pipe(
    Effect.mapError(
      ({ code, reason }) =>
        new NotSent({
          reason:
            code === "ENOENT"
              ? "does not work: notify-send is not installed (package libnotify-bin or libnotify)"
              : `does not work: notify-send could not be started: ${reason}`,
          next: "retry"
        })
    ),
    Effect.flatMap((end) =>
      end === undefined
        ? new NotSent({
            reason: `does not work: the desktop has not answered notify-send within ${limit}`,
            next: "retry"
          })
        : judged(end)
    )
  )
