import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import { basename, dirname, join, resolve } from "node:path"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import { awaitFlock, bindName } from "./KernelLock.ts"
import { whyNotWritten } from "./NotWritten.ts"
import { errorCode } from "./SystemError.ts"

/** The turn at a file could not be had, or was not over in time. */
export class NoTurn extends Data.TaggedError("NoTurn")<{
  readonly path: string
  /** Continues a sentence that begins with the path: what happened, why, what to do. */
  readonly reason: string
}> {
  override get message(): string {
    return `${this.path} ${this.reason}.`
  }
}

/**
 * Turns at writing a file, among all programs of this kind. The kernel holds the lock and drops it with the process,
 * so nothing stale can block. The lock is on the file's folder: the file itself is replaced by renaming, and another
 * file would lie about.
 */
export class FileMutex extends Context.Tag("FileMutex")<
  FileMutex,
  {
    /**
     * Runs `use` with the path at the end of the symbolic links, while nobody else writes in its folder. It is waited
     * for at most 10 seconds. Once `use` has begun it is not interrupted; when the disk keeps it from ending, this
     * fails after 5 seconds, and nobody else has a turn at this path until it has ended.
     */
    readonly withLock: <A, E, R>(
      path: string,
      use: (target: string) => Effect.Effect<A, E, R>
    ) => Effect.Effect<A, E | NoTurn, R>
  }
>() {}

const patience = Duration.seconds(10)
const diskLimit = Duration.seconds(5)

/** Between two looks at what cannot be waited for: a name in use, a folder that was replaced meanwhile. */
const pause = Duration.millis(40)

/** The kernel's own limit. */
const maxLinks = 40

/** Where a path leads, also when nothing is there yet: then a realpath(3) of the whole would fail. */
const endOfLinks = async (path: string): Promise<string> => {
  let end = path
  for (let links = 0; links <= maxLinks; links++) {
    const place = join(await fs.realpath(dirname(end)), basename(end))
    const next = await fs.readlink(place).catch((cause: unknown) => {
      const code = errorCode(cause)
      if (code === "EINVAL" || code === "ENOENT") return undefined
      throw cause
    })
    if (next === undefined) return place
    end = resolve(dirname(place), next)
  }
  throw Object.assign(new Error("too many symbolic links"), { code: "ELOOP" })
}

/** The folder that an error of this file is about, which need not be that of the path when links lead elsewhere. */
const folderIn = (cause: unknown): string | undefined =>
  cause instanceof Error && "path" in cause && typeof cause.path === "string" ? cause.path : undefined

/** The turns at one path within this process. */
interface Queue {
  readonly turn: Effect.Semaphore
  /** The disk holds up whoever has the turn. A second call would only hang as well, and use up Node's threads. */
  hangs: boolean
}

/** What keeps the turn from beginning. */
type Stage = "queued" | "at the disk" | "locked out"

const busy = (path: string) =>
  new NoTurn({
    path,
    reason:
      `was not written: another program has been writing it for ${Duration.format(patience)}. ` +
      "Let that finish, then try again"
  })

const stillHanging = (path: string) =>
  new NoTurn({
    path,
    reason: "was not written: the disk has not answered to an earlier write yet. Look at the disk"
  })

const hangingNow = (path: string) =>
  new NoTurn({
    path,
    reason:
      "was perhaps not written: the disk does not answer. What was begun is finished once it does. " +
      "Look at the disk, then read the file again"
  })

const make = Effect.sync(() => {
  const queues = new Map<string, Queue>()
  const queueOf = (path: string): Queue => {
    const queue = queues.get(path) ?? { turn: Effect.unsafeMakeSemaphore(1), hangs: false }
    queues.set(path, queue)
    return queue
  }

  /** One attempt: nothing when the lock is another's. */
  const attempt = <A, E, R>(
    path: string,
    onStage: (stage: Stage) => void,
    use: (target: string) => Effect.Effect<A, E, R>
  ) => {
    const ask = <B>(act: () => Promise<B>) =>
      Effect.uninterruptible(
        Effect.tryPromise({
          try: act,
          catch: (cause) => new NoTurn({ path, reason: whyNotWritten(path, cause, folderIn(cause)) })
        })
      )
    return Effect.gen(function* () {
      const target = yield* ask(() => endOfLinks(path))
      const folder = yield* Effect.acquireRelease(
        ask(() => fs.open(dirname(target), constants.O_RDONLY | constants.O_DIRECTORY)),
        (folder) => Effect.promise(() => folder.close())
      )
      const { dev, ino } = yield* ask(() => folder.stat({ bigint: true }))
      onStage("locked out")
      const byFile = yield* awaitFlock(folder.fd)
      // Also with the lock in hand, so that a program which finds no flock(1) sees that somebody is there.
      const byName = yield* Effect.uninterruptible(bindName(`autopilotd-writes-${dev}-${ino}`))
      if (byName === "taken") return Option.none<A>()
      if (byFile === "unavailable" && byName === "unavailable")
        return yield* new NoTurn({
          path,
          reason: "was not written: no lock can be had against other writers. Install flock (util-linux)"
        })
      onStage("at the disk")
      const isSame = yield* ask(async () => {
        const end = await endOfLinks(path)
        const now = await fs.stat(dirname(end), { bigint: true })
        return end === target && now.dev === dev && now.ino === ino
      })
      if (!isSame) return Option.none<A>()
      return Option.some(yield* Effect.uninterruptible(use(target)))
    }).pipe(Effect.scoped)
  }

  return FileMutex.of({
    withLock: Effect.fnUntraced(function* (path, use) {
      const queue = queueOf(path)
      if (queue.hangs) return yield* stillHanging(path)
      const begun = yield* Deferred.make<void>()
      let stage: Stage = "queued"
      const onStage = (next: Stage) => void (stage = next)
      const turn = Effect.gen(function* () {
        onStage("at the disk")
        for (;;) {
          const result = yield* attempt(path, onStage, (target) =>
            Effect.zipRight(Deferred.succeed(begun, undefined), use(target))
          )
          if (Option.isSome(result)) return result.value
          onStage("locked out")
          yield* Effect.sleep(pause)
        }
      }).pipe(
        Effect.ensuring(Effect.sync(() => void (queue.hangs = false))),
        queue.turn.withPermits(1),
        Effect.ensuring(Deferred.succeed(begun, undefined))
      )
      const hangs = () => {
        queue.hangs = true
        return hangingNow(path)
      }
      return yield* Effect.acquireUseRelease(
        // Nobody's child: it keeps the turn until the disk has answered, also when its caller waits no longer.
        Effect.forkDaemon(Effect.interruptible(turn)),
        // Both limits hold also for a caller that cannot be interrupted: only the waiting ends.
        (fiber) =>
          Effect.interruptible(Deferred.await(begun)).pipe(
            Effect.timeoutFail({
              duration: patience,
              onTimeout: () =>
                stage === "at the disk" ? hangs() : queue.hangs ? stillHanging(path) : busy(path)
            }),
            Effect.zipRight(
              Effect.timeoutFail(Effect.interruptible(Fiber.join(fiber)), {
                duration: diskLimit,
                onTimeout: hangs
              })
            )
          ),
        Fiber.interruptFork
      )
    })
  })
})

export const layer: Layer.Layer<FileMutex> = Layer.effect(FileMutex, make)
