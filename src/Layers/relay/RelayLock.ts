import * as fs from "node:fs/promises"
import * as Effect from "effect/Effect"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { awaitFlock, tryFlock } from "../files/KernelLock.ts"
import { reasonOf } from "../files/SystemError.ts"

/** The open file of the lock, until the scope closes. Undefined where it cannot be made: then nothing is excluded. */
const lockFile = Effect.gen(function* () {
  const { relayLockFile } = yield* AutopilotHome
  return yield* Effect.acquireRelease(
    Effect.tryPromise(() => fs.open(relayLockFile, "a+", 0o600)).pipe(
      Effect.tapError(({ error }) =>
        Effect.logWarning(`The lock ${relayLockFile} cannot be opened: ${reasonOf(error)}`)
      ),
      Effect.orElseSucceed(() => undefined)
    ),
    (file) => Effect.promise(async () => file?.close())
  )
})

/**
 * Makes this process the only relay of its home, until the scope closes. Returns false when another one is. Where flock(1)
 * is missing, nothing is excluded: two relays tell everything twice, and harm nothing.
 */
export const tryRelayLock = Effect.gen(function* () {
  const file = yield* lockFile
  return file === undefined || (yield* tryFlock(file.fd)) !== "taken"
})

/** The same, but waits until the other one has ended. */
export const awaitRelayLock = Effect.gen(function* () {
  const file = yield* lockFile
  if (file !== undefined) yield* awaitFlock(file.fd)
})
