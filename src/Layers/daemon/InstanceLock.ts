import * as fs from "node:fs/promises"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { makeInbox } from "../concurrency/Inbox.ts"
import { type Listen, makeListeners } from "../concurrency/Listeners.ts"
import { makeMutex } from "../concurrency/Mutex.ts"
import { removeAbandoned, replaceFile } from "../files/AtomicFile.ts"
import { isOnLocalDisk } from "../files/LocalDisk.ts"
import { askDisk } from "../files/PathQuestions.ts"
import { readTextFile } from "../files/TextFile.ts"
import { AutopilotHome, type HomePaths, HomeUnusable, prepare } from "./AutopilotHome.ts"
import { homeId, keepId } from "./HomeId.ts"
import { type HomeLock, hasOpen, holderOfRemoved, isListening, tryLock } from "./HomeLock.ts"
import { isWhole, lossesOf } from "./HomeLosses.ts"

/** Another daemon of this home holds the lock or answers. `pid` is undefined where it is unknown. */
export class AlreadyRunning extends Data.TaggedError("AlreadyRunning")<{
  readonly pid: number | undefined
  readonly root: string
}> {
  override get message() {
    return (
      `A daemon is already running${this.pid === undefined ? "" : ` with pid ${this.pid}`} for ${this.root}. ` +
      "See `autopilotd status`; stop it with `autopilotd stop`."
    )
  }
}

/** A change of the home, for the history. */
interface HomeNews {
  readonly _tag: "HomeMadeAgain" | "HomeNotMadeAgain" | "HomeIdChanged"
  readonly reason: string
}

/**
 * The lock that makes this process the only daemon of its home. The kernel releases it with the process, so that nothing
 * stale blocks a start. The PID file is only for users and the original's tools.
 */
export class InstanceLock extends Context.Tag("InstanceLock")<
  InstanceLock,
  {
    readonly homeId: string
    /** False where flock(1) is missing: a daemon of another network namespace may hold the home as well. */
    readonly isCertain: Effect.Effect<boolean>
    /**
     * Whether the home is still this daemon's; asked before every act that relies on it. A lock file that was removed is
     * made and locked again, with everything else that the daemon needs there.
     */
    readonly holds: Effect.Effect<boolean>
    /** Whether a home on a local disk is still this daemon's, told at once. False where only `holds` can tell. */
    readonly isHeldNow: () => boolean
    /** Whether the folders of the home are on disks of this machine, where a small call may be synchronous. */
    readonly isLocal: boolean
    /** Gives the home up, because another daemon is found in it. */
    readonly giveUp: Effect.Effect<void>
    /** Returns when another daemon has the home. */
    readonly lost: Effect.Effect<void>
    /** Whether that is known already. Asks no disk. */
    readonly isLost: Effect.Effect<boolean>
    /** Hears whenever the home was made again: what stood in it has to be written again. */
    readonly remade: Listen<[]>
    /** The home is made again also when this file of the state folder is removed. */
    readonly keep: (stateFile: string) => void
    readonly news: Effect.Effect<HomeNews>
  }
>() {}

/** Reads the PID file, which may be stale. Undefined without a pid in it. */
const readPidFile = (path: string): Effect.Effect<number | undefined> =>
  readTextFile(path).pipe(
    Effect.match({ onFailure: () => "", onSuccess: ({ text }) => text }),
    Effect.map((text) => (/^\s*[1-9][0-9]{0,9}\s*$/.test(text) ? Number(text) : undefined))
  )

/** The pid in the PID file, if that process owns the lock. */
const owner = (pidFile: string, lock: HomeLock["identity"]): Effect.Effect<number | undefined> =>
  Effect.flatMap(readPidFile(pidFile), (pid) =>
    pid === undefined || pid === process.pid
      ? Effect.succeed(undefined)
      : Effect.map(
          // The process of a stale PID file may be any, with files on any disk.
          askDisk(
            pidFile,
            `/proc/${pid}/fd`,
            Effect.promise(() => hasOpen(pid, lock))
          ).pipe(Effect.orElseSucceed(() => false)),
          (isOwner) => (isOwner ? pid : undefined)
        )
  )

/** The pid of the process that has the lock of a home. Undefined without one, and where it cannot be seen. */
export const lockOwner = (home: HomePaths): Effect.Effect<number | undefined> =>
  Effect.gen(function* () {
    const file = yield* Effect.promise(() => fs.stat(home.lockFile, { bigint: true }).catch(() => undefined))
    const found = file === undefined ? undefined : yield* owner(home.pidFile, file)
    return found ?? holderOfRemoved(home)
  })

/** Whether nobody has the lock of a home, asked of the kernel: that also holds for processes of other PID namespaces. */
export const isLockFree = (home: HomePaths): Effect.Effect<boolean> =>
  tryLock(home, () => Effect.succeed(true)).pipe(
    Effect.map(({ _tag }) => _tag === "Held"),
    Effect.scoped,
    // There is no lock in a home that was removed.
    Effect.orElseSucceed(() => true)
  )

/** Waits for an owner that has not written its PID file yet. */
const awaitOwner = (pidFile: string, lock: HomeLock["identity"]): Effect.Effect<number | undefined> =>
  owner(pidFile, lock).pipe(
    Effect.filterOrFail((pid) => pid !== undefined),
    Effect.retry(Schedule.spaced("20 millis").pipe(Schedule.upTo("400 millis"))),
    Effect.orElseSucceed(() => undefined)
  )

/** An unknown owner may be exiting: the time for which a start waits for the lock. */
const retryLimit = "5 seconds"

/**
 * Takes the lock of a home until the scope closes. A daemon whose lock file was removed holds a lock that nobody can see:
 * it answers on the socket, or has the removed file open.
 */
export const acquireLock = (
  home: HomePaths
): Effect.Effect<HomeLock, AlreadyRunning | HomeUnusable, Scope.Scope> =>
  Effect.gen(function* () {
    const parent = yield* Effect.scope
    const once = Effect.gen(function* () {
      const own = yield* Scope.fork(parent, ExecutionStrategy.sequential)
      const tried = yield* tryLock(home, (identity) =>
        Effect.map(awaitOwner(home.pidFile, identity), (pid) => pid === undefined)
      ).pipe(Scope.extend(own))
      if (tried._tag === "Taken") {
        const pid = yield* awaitOwner(home.pidFile, tried.identity)
        return yield* new AlreadyRunning({ pid, root: home.root })
      }
      const holder = holderOfRemoved(home)
      if (holder === undefined && !(yield* isListening(home.socket))) return tried.lock
      yield* Scope.close(own, Exit.void)
      return yield* new AlreadyRunning({ pid: holder, root: home.root })
    })
    return yield* Effect.retry(once, {
      while: (error) => error._tag === "AlreadyRunning" && error.pid === undefined,
      schedule: Schedule.upTo(Schedule.forever, retryLimit)
    })
  })

const writePidFile = ({ pidFile }: HomePaths) =>
  Effect.tryPromise({
    // Replaced as a whole: an earlier file may be read-only, readable by others, or a link to nowhere.
    try: async () => {
      // A power failure ends this process, too.
      await replaceFile(pidFile, `${process.pid}`, { isDurable: false })
      await removeAbandoned(pidFile)
    },
    catch: (cause) => HomeUnusable.from(pidFile, cause)
  })

/** A disk that does not answer keeps the file, which decides nothing, and delays no stop. */
const removePidFile = ({ pidFile, root }: HomePaths) =>
  readPidFile(pidFile).pipe(
    Effect.flatMap((pid) => {
      const remove = Effect.tryPromise(() => fs.rm(pidFile, { force: true }))
      return pid === process.pid ? askDisk(root, pidFile, remove) : Effect.void
    }),
    Effect.ignoreLogged
  )

/** A start that finds this daemon lets go of the lock within this time. */
const contestLimit = "5 seconds"

const make = Effect.gen(function* () {
  const home = yield* AutopilotHome
  const scope = yield* Effect.scope
  const isLost = yield* Deferred.make<void>()
  let hasLost = false
  const lose = Effect.suspend(() => {
    hasLost = true
    return Effect.asVoid(Deferred.succeed(isLost, undefined))
  })
  const news = makeInbox<HomeNews>()
  const remade = makeListeners<[]>()
  const inTurn = makeMutex()
  const stateFiles = new Set<string>()
  yield* prepare
  let own = yield* Scope.fork(scope, ExecutionStrategy.sequential)
  let lock = yield* Scope.extend(acquireLock(home), own)
  let lastTrouble = ""
  yield* Effect.acquireRelease(writePidFile(home), () =>
    Effect.suspend(() => (hasLost ? Effect.void : removePidFile(home)))
  )
  const { change, id } = yield* homeId(home)
  const folders = [home.root, home.stateDir]
  const isLocal = (yield* Effect.promise(() => Promise.all(folders.map(isOnLocalDisk)))).every(Boolean)
  if (change !== undefined) news.add({ _tag: "HomeIdChanged", reason: change })

  /** Locks the file that is at the path now. None while another process holds it. */
  const lockAgain = Effect.gen(function* () {
    const next = yield* Scope.fork(scope, ExecutionStrategy.sequential)
    const tried = yield* Scope.extend(
      tryLock(home, () => Effect.succeed(true)),
      next
    )
    if (tried._tag === "Taken") {
      yield* Scope.close(next, Exit.void)
      return yield* Effect.fail("taken" as const)
    }
    // The lock of a home that was moved away is kept: a daemon there would kill this daemon's workers.
    if (yield* lock.isRemoved) yield* Scope.close(own, Exit.void)
    own = next
    lock = tried.lock
  })

  const makeAgain = Effect.gen(function* () {
    const { isLockLost, missing } = yield* lossesOf(home, lock, stateFiles)
    // The writer of a file names it again.
    stateFiles.clear()
    yield* Effect.provideService(prepare, AutopilotHome, home)
    if (isLockLost) {
      const isHeld = yield* lockAgain.pipe(
        Effect.as(true),
        Effect.retry({
          while: (error) => error === "taken",
          schedule: Schedule.spaced("100 millis").pipe(Schedule.upTo(contestLimit))
        }),
        Effect.catchAll((error) => (error === "taken" ? Effect.succeed(false) : Effect.fail(error)))
      )
      if (!isHeld) return yield* lose
    }
    yield* writePidFile(home)
    yield* keepId(home, id)
    lastTrouble = ""
    const what =
      missing.length === 0 ? `${home.lockFile} was replaced` : `${missing.join(", ")} had been removed`
    news.add({ _tag: "HomeMadeAgain", reason: what })
    remade.tell()
  }).pipe(
    Effect.catchAll(({ message }) => {
      if (message === lastTrouble) return Effect.void
      lastTrouble = message
      return Effect.sync(() => news.add({ _tag: "HomeNotMadeAgain", reason: message }))
    }),
    // A lock is closed with the references of the fiber that has taken it. Those of an interrupted one would undo an interruption.
    Effect.forkDaemon,
    Effect.flatMap(Fiber.join),
    Effect.uninterruptible
  )

  return InstanceLock.of({
    homeId: id,
    isCertain: Effect.sync(() => lock.isCertain),
    holds: Effect.gen(function* () {
      if (hasLost) return false
      const { isLockLost, missing } = yield* lossesOf(home, lock, stateFiles)
      if (isLockLost || missing.length > 0) yield* makeAgain
      return !hasLost
    }).pipe(inTurn),
    isHeldNow: () => isLocal && !hasLost && isWhole(home, lock, stateFiles),
    isLocal,
    giveUp: lose,
    lost: Deferred.await(isLost),
    isLost: Effect.sync(() => hasLost),
    remade: remade.listen,
    keep: (stateFile) => void stateFiles.add(stateFile),
    news: news.take
  })
})

export const layer: Layer.Layer<InstanceLock, AlreadyRunning | HomeUnusable, AutopilotHome> = Layer.scoped(
  InstanceLock,
  make
)
