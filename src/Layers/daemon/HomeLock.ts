import { readdirSync, readlinkSync, realpathSync, statSync } from "node:fs"
import * as fs from "node:fs/promises"
import * as net from "node:net"
import { basename, dirname, join } from "node:path"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { bindName, tryFlock } from "../files/KernelLock.ts"
import { askDisk, isThere } from "../files/PathQuestions.ts"
import { errorCode } from "../files/SystemError.ts"
import { type HomePaths, HomeUnusable } from "./AutopilotHome.ts"

/** Identifies an existing file, also across containers and symbolic links. */
interface Identity {
  readonly dev: bigint
  readonly ino: bigint
}

const isSame = (a: Identity | undefined, b: Identity): boolean => a?.dev === b.dev && a.ino === b.ino

/** The lock of a home, held until the scope in which it was taken closes. */
export interface HomeLock {
  readonly identity: Identity
  /** False where flock(1) is missing: then only daemons of the same network namespace exclude each other. */
  readonly isCertain: boolean
  /** Whether the file has no name any more, so that nobody else can ever ask for this lock. */
  readonly isRemoved: Effect.Effect<boolean>
}

/** The outcome of one attempt. `taken` has the lock file that another process holds. */
type Attempt =
  | { readonly _tag: "Held"; readonly lock: HomeLock }
  | { readonly _tag: "Taken"; readonly identity: Identity }

/** Whether the lock file at the path is the one that is locked. Asks the disk. */
export const isAt = (lockFile: string, { identity }: Pick<HomeLock, "identity">): Promise<boolean> =>
  fs.stat(lockFile, { bigint: true }).then(
    (found) => isSame(found, identity),
    () => false
  )

/** The same, asked synchronously: for a local disk. Throws what the system says. */
export const isAtNow = (lockFile: string, { identity }: Pick<HomeLock, "identity">): boolean =>
  isSame(statSync(lockFile, { bigint: true }), identity)

/** Binds a name, also beside flock(1), so that a daemon without flock(1) notices this one. Returns whether it is bound. */
const bindIdentity = ({ dev, ino }: Identity): Effect.Effect<boolean, never, Scope.Scope> =>
  Effect.map(bindName(`autopilotd-${dev}-${ino}`), (taken) => taken === "held")

/**
 * Tries once to take the lock. `isForeign` says whether a name that is taken beside a free lock file belongs to a program
 * that is no daemon. A file that is removed between opening and locking excludes nobody, so the path is checked again.
 */
export const tryLock = (
  paths: HomePaths,
  isForeign: (identity: Identity) => Effect.Effect<boolean>
): Effect.Effect<Attempt, HomeUnusable, Scope.Scope> =>
  Effect.gen(function* () {
    const attempt = <A>(act: () => Promise<A>) =>
      Effect.tryPromise({ try: act, catch: (cause) => HomeUnusable.from(paths.lockFile, cause) })
    const parent = yield* Effect.scope
    for (;;) {
      const own = yield* Scope.fork(parent, ExecutionStrategy.sequential)
      const file = yield* Effect.acquireRelease(
        // For reading as well: a pipe in its place would otherwise wait for a reader.
        attempt(() => fs.open(paths.lockFile, "a+", 0o600)),
        (file) => Effect.promise(() => file.close())
      ).pipe(Scope.extend(own))
      const { dev, ino } = yield* attempt(() => file.stat({ bigint: true }))
      const identity = { dev, ino }
      const locked = yield* tryFlock(file.fd)
      const isBound = locked !== "taken" && (yield* Scope.extend(bindIdentity(identity), own))
      const lock: HomeLock = {
        identity,
        isCertain: locked === "held",
        isRemoved: Effect.promise(() =>
          file.stat().then(
            ({ nlink }) => nlink === 0,
            () => true
          )
        )
      }
      const isHeld = isBound || (locked === "held" && (yield* isForeign(identity)))
      // A disk that does not answer takes no lock away: the kernel keeps it for this process.
      const isHere = yield* Effect.orElseSucceed(
        askDisk(
          paths.lockFile,
          paths.lockFile,
          Effect.promise(() => isAt(paths.lockFile, lock))
        ),
        () => true
      )
      if (isHeld && isHere) return { _tag: "Held", lock }
      yield* Scope.close(own, Exit.void)
      if (isHere) return { _tag: "Taken", identity }
    }
  })

const acceptsConnections = (path: string): Effect.Effect<boolean> =>
  Effect.async<boolean>((resume) => {
    const socket = net.connect({ path })
    const is = (answer: boolean) => () => {
      socket.destroy()
      resume(Effect.succeed(answer))
    }
    socket.once("connect", is(true))
    // A full backlog belongs to a process that is alive.
    socket.once("error", (cause) => is(errorCode(cause) === "EAGAIN")())
    return Effect.sync(() => socket.destroy())
  })

/**
 * Whether a process listens at the path of a socket: the kernel refuses the connection when it has exited. A disk that
 * does not answer shows no listener.
 */
export const isListening = (path: string): Effect.Effect<boolean> =>
  isThere(path).pipe(
    Effect.orElseSucceed(() => false),
    Effect.flatMap((found) => (found ? acceptsConnections(path) : Effect.succeed(false)))
  )

/**
 * Whether a process has the lock file open, which tells the lock's owner from the process of a stale PID file. False for
 * other users' processes and for zombies, whose descriptors cannot be read.
 */
export const hasOpen = async (pid: number, identity: Identity): Promise<boolean> => {
  const folder = `/proc/${pid}/fd`
  for (const name of await fs.readdir(folder).catch(() => [])) {
    const found = await fs.stat(`${folder}/${name}`, { bigint: true }).catch(() => undefined)
    if (isSame(found, identity)) return true
  }
  return false
}

/** Undefined for what is gone, or belongs to another user. */
const orUndefined = <A>(read: () => A): A | undefined => {
  try {
    return read()
  } catch {
    return undefined
  }
}

/** Whether a process can be a daemon: it runs Node, which a distribution may call node-22, and an update `node (deleted)`. */
const runsNode = (pid: number): boolean => {
  const program = orUndefined(() => readlinkSync(`/proc/${pid}/exe`))
  return program !== undefined && (basename(program).startsWith("node") || program === process.execPath)
}

/**
 * The pid of another process that has a lock file open that was removed from this path: a daemon whose lock nobody can see
 * any more. Synchronous: hundreds of links are read in milliseconds, and the lock is held without a PID file meanwhile.
 */
export const holderOfRemoved = ({ lockFile }: HomePaths): number | undefined => {
  const folder = orUndefined(() => realpathSync(dirname(lockFile))) ?? dirname(lockFile)
  const removed = `${join(folder, basename(lockFile))} (deleted)`
  const pids = (orUndefined(() => readdirSync("/proc")) ?? []).map(Number)
  return pids.find(
    (pid) =>
      pid > 0 &&
      pid !== process.pid &&
      // Other programs have thousands of descriptors, whose links take a tenth of a start.
      runsNode(pid) &&
      orUndefined(() => readdirSync(`/proc/${pid}/fd`))?.some(
        (name) => orUndefined(() => readlinkSync(`/proc/${pid}/fd/${name}`)) === removed
      )
  )
}
