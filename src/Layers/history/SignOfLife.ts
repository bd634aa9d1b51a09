import * as fs from "node:fs/promises"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { MinuteBeat } from "../concurrency/MinuteBeat.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { InstanceLock } from "../daemon/InstanceLock.ts"
import { lastSignOfLife } from "../daemon/LastSignOfLife.ts"
import { replaceFile } from "../files/AtomicFile.ts"
import { askDisk } from "../files/PathQuestions.ts"
import { errorCode, messageOf } from "../files/SystemError.ts"
import { MachineBoot } from "../machine/MachineBoot.ts"
import { Concerns } from "./Concerns.ts"
import { DaemonEvents } from "./DaemonEvents.ts"

const make = Effect.gen(function* () {
  yield* InstanceLock
  const { aliveFile, root } = yield* AutopilotHome
  const { publish } = yield* DaemonEvents
  const { bootedMs } = yield* MachineBoot
  const concerns = yield* Concerns
  const beat = yield* MinuteBeat
  const former = yield* lastSignOfLife
  if (former !== undefined) {
    const nowMs = yield* Clock.currentTimeMillis
    yield* publish({
      _tag: "DaemonVanished",
      pid: former.pid,
      lastSignMs: former.atMs,
      agoMs: Math.max(0, nowMs - former.atMs),
      withMachine: (yield* bootedMs) > former.atMs
    })
  }
  const attempt = (act: () => Promise<void>) =>
    Effect.catchAll(askDisk(root, aliveFile, Effect.tryPromise(act)), (failure) =>
      Effect.logDebug(
        `${aliveFile}: ${failure._tag === "SilentDisk" ? failure.message : messageOf(failure.error)}`
      )
    )
  const create = () => replaceFile(aliveFile, `${process.pid}\n`)
  yield* Effect.acquireRelease(attempt(create), () => attempt(() => fs.rm(aliveFile, { force: true })))
  const touch = async () => {
    const now = new Date()
    await fs.utimes(aliveFile, now, now).catch((cause: unknown) => {
      if (errorCode(cause) === "ENOENT") return create()
      throw cause
    })
  }
  // A quiet night has no events, so the daemon touches a file at each beat. No sync: it costs nothing on an idle disk.
  const isDue = yield* Effect.makeLatch(false)
  yield* beat.observe(() => void isDue.unsafeOpen())
  const touchWhenDue = isDue.await.pipe(Effect.zipRight(isDue.close), Effect.zipRight(attempt(touch)))
  yield* concerns.run("sign of life", Effect.forever(touchWhenDue))
})

/**
 * Leaves a sign of life, from which `why` and the next daemon know when this one was killed. Reports the end of the
 * previous one.
 */
export const layer: Layer.Layer<
  never,
  never,
  InstanceLock | MinuteBeat | AutopilotHome | DaemonEvents | MachineBoot | Concerns
> = Layer.scopedDiscard(make)
