import * as fs from "node:fs/promises"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { replaceFile } from "../files/AtomicFile.ts"
import { bindName, tryFlock } from "../files/KernelLock.ts"
import { readTextFile } from "../files/TextFile.ts"
import { AutopilotHome, HomeUnusable, homeId, prepare } from "./AutopilotHome.ts"

/** Another daemon of this home holds the lock. `pid` is undefined where it is unknown. */
export class AlreadyRunning extends Data.TaggedError("AlreadyRunning")<{
  readonly pid: number | undefined
  readonly root: string
}> {
  override get message() {
    return (
      `autopilotd is already running${this.pid === undefined ? "" : ` with pid ${this.pid}`} for ${this.root}. ` +
      "See `autopilotd status`; stop it with `autopilotd stop`."
    )
  }
}

/**
 * The lock that makes this process the only daemon of its home. The kernel releases it with the process, so that nothing
 * stale blocks a start. The PID file is only for users and the original's tools.
 */
export class InstanceLock extends Context.Tag("InstanceLock")<InstanceLock, { readonly homeId: string }>() {}

/** Identifies an existing file, also across containers and symbolic links. */
interface Identity {
  readonly dev: bigint
  readonly ino: bigint
}

/** Binds a name, also beside flock(1), so that a daemon without flock(1) notices this one. Returns whether it is bound. */
const bindIdentity = ({ dev, ino }: Identity): Effect.Effect<boolean, never, Scope.Scope> =>
  Effect.map(bindName(`autopilotd-${dev}-${ino}`), (taken) => taken === "held")

/** Reads the PID file, which may be stale. Undefined without a pid in it. */
export const readPidFile = (path: string): Effect.Effect<number | undefined> =>
  readTextFile(path).pipe(
    Effect.match({ onFailure: () => "", onSuccess: ({ text }) => text }),
    Effect.map((text) => (/^\s*[1-9][0-9]{0,9}\s*$/.test(text) ? Number(text) : undefined))
  )

/**
 * Whether a process has the lock file open, which tells the lock's owner from the process of a stale PID file. False for
 * other users' processes and for zombies, whose descriptors cannot be read.
 */
const hasOpen = async (pid: number, { dev, ino }: Identity): Promise<boolean> => {
  const folder = `/proc/${pid}/fd`
  for (const name of await fs.readdir(folder).catch(() => [])) {
    const found = await fs.stat(`${folder}/${name}`, { bigint: true }).catch(() => undefined)
    if (found?.dev === dev && found.ino === ino) return true
  }
  return false
}

/** The pid in the PID file, if that process owns the lock. */
const owner = (pidFile: string, lock: Identity): Effect.Effect<number | undefined> =>
  Effect.flatMap(readPidFile(pidFile), (pid) =>
    pid === undefined || pid === process.pid
      ? Effect.succeed(undefined)
      : Effect.map(
          Effect.promise(() => hasOpen(pid, lock)),
          (isOwner) => (isOwner ? pid : undefined)
        )
  )

/** Waits for an owner that has not written its PID file yet. */
const awaitOwner = (pidFile: string, lock: Identity): Effect.Effect<number | undefined> =>
  owner(pidFile, lock).pipe(
    Effect.filterOrFail((pid) => pid !== undefined),
    Effect.retry(Schedule.spaced("20 millis").pipe(Schedule.upTo("400 millis"))),
    Effect.orElseSucceed(() => undefined)
  )

/** An unknown owner may be exiting: the time for which a start waits for the lock. */
const retryLimit = "5 seconds"

const acquire = Effect.gen(function* () {
  const { lockFile, pidFile, root } = yield* AutopilotHome
  const attempt = <A>(act: () => Promise<A>) =>
    Effect.tryPromise({ try: act, catch: (cause) => HomeUnusable.from(lockFile, cause) })
  const file = yield* Effect.acquireRelease(
    attempt(() => fs.open(lockFile, "a", 0o600)),
    (file) => Effect.promise(() => file.close())
  )
  const identity = yield* attempt(() => file.stat({ bigint: true }))
  const once = Effect.gen(function* () {
    const taken = yield* tryFlock(file.fd)
    if (taken !== "taken" && (yield* bindIdentity(identity))) return
    const pid = yield* awaitOwner(pidFile, identity)
    // With the lock held, a daemon without flock(1) or a foreign process has the name. The latter is ignored.
    if (taken === "held" && pid === undefined) return
    return yield* new AlreadyRunning({ pid, root })
  })
  yield* Effect.retry(once, {
    while: ({ pid }) => pid === undefined,
    schedule: Schedule.upTo(Schedule.forever, retryLimit)
  })
})

const writePidFile = (path: string) =>
  Effect.acquireRelease(
    Effect.tryPromise({
      // Replaced as a whole: an earlier file may be read-only, readable by others, or a link to nowhere.
      try: () => replaceFile(path, `${process.pid}`),
      catch: (cause) => HomeUnusable.from(path, cause)
    }),
    () =>
      readPidFile(path).pipe(
        Effect.flatMap((pid) =>
          pid === process.pid ? Effect.promise(() => fs.rm(path, { force: true })) : Effect.void
        ),
        Effect.ignoreLogged
      )
  )

export const layer: Layer.Layer<InstanceLock, AlreadyRunning | HomeUnusable, AutopilotHome> = Layer.scoped(
  InstanceLock,
  Effect.gen(function* () {
    const home = yield* AutopilotHome
    yield* prepare
    yield* acquire
    yield* writePidFile(home.pidFile)
    return { homeId: yield* homeId }
  })
)
