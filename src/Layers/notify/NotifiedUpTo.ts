import * as fs from "node:fs/promises"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { freshState, type NotifyState } from "../../Domain/notify/NotifyState.ts"
import { notifyStateShape } from "../../Domain/notify/NotifyStateShape.ts"
import { textReader } from "../../Domain/Shape.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { replaceFile } from "../files/AtomicFile.ts"
import { messageOf } from "../files/SystemError.ts"
import { readTextFile } from "../files/TextFile.ts"

/** The state of the notifications cannot be read or written. */
export class NotifyStateError extends Data.TaggedError("NotifyStateError")<{
  readonly path: string
  readonly reason: string
}> {
  override get message(): string {
    return `${this.path} ${this.reason}.`
  }
}

const stateIn = textReader<NotifyState>(notifyStateShape)

/** The state as it is on the disk; a fresh one where nothing is saved yet. */
export const loadNotifyState: Effect.Effect<NotifyState, NotifyStateError, AutopilotHome> = Effect.flatMap(
  AutopilotHome,
  ({ notifyFile: path }) =>
    readTextFile(path).pipe(
      Effect.matchEffect({
        onFailure: ({ absent, reason }) =>
          absent ? Effect.succeed(freshState) : new NotifyStateError({ path, reason }),
        onSuccess: ({ text }) =>
          Effect.mapError(
            Effect.fromNullable(stateIn(text)),
            () => new NotifyStateError({ path, reason: "is not a state that this version has written" })
          )
      })
    )
)

/** Makes room for the next save, and keeps what is there for the user. */
export const setAsideNotifyState = Effect.flatMap(AutopilotHome, ({ notifyFile }) =>
  Effect.ignore(Effect.tryPromise(() => fs.rename(notifyFile, `${notifyFile}.unreadable`)))
)

/** Writes the state, whole or not at all. Returns when it is on the disk. */
export const saveNotifyState = (
  // A state is its own JSON: the type refuses one that would have to be encoded.
  state: typeof NotifyState.Encoded
): Effect.Effect<void, NotifyStateError, AutopilotHome> =>
  Effect.flatMap(AutopilotHome, ({ notifyFile: path }) =>
    Effect.tryPromise({
      try: () => replaceFile(path, `${JSON.stringify(state)}\n`),
      catch: (cause) => new NotifyStateError({ path, reason: `cannot be written: ${messageOf(cause)}` })
    })
  ).pipe(Effect.uninterruptible)
