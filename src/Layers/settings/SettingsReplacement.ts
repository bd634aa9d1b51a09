import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import { basename, dirname, join, resolve } from "node:path"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { makeMutex } from "../concurrency/Mutex.ts"
import { replaceFile, syncFolder } from "../files/AtomicFile.ts"
import { awaitFlock } from "../files/KernelLock.ts"
import { sha256Of } from "../files/Sha256.ts"
import { errorCode, whyNotWritten } from "../files/SystemError.ts"
import { readSmallFile } from "../files/TextFile.ts"

/** The file is not the one that the new text was made from. Nothing was written. */
export class StaleSettings extends Data.TaggedError("StaleSettings")<{
  readonly path: string
  /** The hash of the present file. */
  readonly sha256: string
}> {
  override get message(): string {
    return `${this.path} has changed since it was read, so nothing was written. Read it again and repeat the change.`
  }
}

/** The file was not written and is as it was, unless `reason` says that a hung disk may still write it. */
export class SettingsNotWritten extends Data.TaggedError("SettingsNotWritten")<{
  readonly path: string
  /** Continues a sentence that begins with the path: what happened, why, what to do. */
  readonly reason: string
}> {
  override get message(): string {
    return `${this.path} ${this.reason}.`
  }
}

/** A new text, and the hash of the one that it replaces. The hash of the empty text also stands for no file. */
export interface SettingsChange {
  readonly text: string
  readonly expectedSha256: string
}

/** Limits a caller's wait for the lock and the disk together. */
const limit = Duration.seconds(10)

/** Where a path leads through symbolic links, also when nothing is there yet and realpath(3) fails. */
const targetOf = (path: string): Promise<string> =>
  fs.realpath(path).catch(async (cause: unknown) => {
    if (errorCode(cause) !== "ENOENT") throw cause
    const folder = await fs.realpath(dirname(path)).catch(() => dirname(path))
    const place = join(folder, basename(path))
    const link = await fs.readlink(place).catch(() => undefined)
    return link === undefined ? place : targetOf(resolve(folder, link))
  })

const hashAt = (path: string): Promise<string> =>
  fs.readFile(path).then(sha256Of, (cause: unknown) => {
    if (errorCode(cause) === "ENOENT") return sha256Of("")
    throw cause
  })

/** The backup is a hard link: a program that edits the file in place right now edits the backup, and loses nothing. */
const keepAsBackup = async (path: string): Promise<void> => {
  const backup = `${path}.bak`
  await fs.rm(backup, { force: true })
  // FAT and some network file systems have no hard links.
  await fs.link(path, backup).catch(() => fs.copyFile(path, backup))
}

/**
 * Writes over a file in its place. A disk that refuses the new text leaves the former one there; a kill or a power failure in the
 * middle leaves a mixture, and the former text in the backup.
 */
const overwrite = async (path: string, text: string, former: Uint8Array): Promise<void> => {
  const file = await fs.open(path, constants.O_WRONLY)
  const put = async (content: Uint8Array): Promise<void> => {
    // A full disk takes a part of one write, and refuses only the next.
    for (let at = 0; at < content.length; )
      at += (await file.write(content, at, content.length - at, at)).bytesWritten
    await file.truncate(content.length)
    await file.sync()
  }
  try {
    await put(Buffer.from(text)).catch(async (cause: unknown) => {
      // The blocks of the former text are still the file's own.
      await put(former)
      throw cause
    })
  } finally {
    await file.close()
  }
}

const attempt = <A>(
  path: string,
  act: () => Promise<A>
): Effect.Effect<A, StaleSettings | SettingsNotWritten> =>
  // A call that hangs would use up another thread of Node's four if it were given up and tried again.
  Effect.uninterruptible(
    Effect.tryPromise({
      try: act,
      catch: (cause) =>
        cause instanceof StaleSettings || cause instanceof SettingsNotWritten
          ? cause
          : new SettingsNotWritten({ path, reason: whyNotWritten(cause) })
    })
  )

/**
 * Waits for the lock on a folder, which ends with the scope. The lock is on the folder because the file in it is
 * replaced. Without flock(1) there is no lock: then only the hash check right before the rename keeps two programs
 * from overwriting each other's change.
 */
const lockFolder = (path: string, folder: string) =>
  Effect.acquireRelease(
    attempt(path, () =>
      fs.open(folder, constants.O_RDONLY | constants.O_DIRECTORY).catch((cause: unknown) => {
        if (errorCode(cause) !== "ENOENT") throw cause
        throw new SettingsNotWritten({
          path,
          reason: `was not written: there is no folder ${folder}. Create it`
        })
      })
    ),
    (handle) => Effect.promise(() => handle.close())
  ).pipe(Effect.flatMap((handle) => awaitFlock(handle.fd)))

const put = Effect.fnUntraced(function* (
  path: string,
  target: string,
  { expectedSha256, text }: SettingsChange
) {
  const former = yield* readSmallFile(target).pipe(
    Effect.catchIf(
      ({ absent }) => absent,
      () => Effect.succeed(undefined)
    ),
    Effect.mapError(({ reason }) => new SettingsNotWritten({ path, reason }))
  )
  if (former?.isRegular === false)
    return yield* new SettingsNotWritten({ path, reason: "was not written: it is a device. Choose a file" })
  const refuseIfStale = (sha256: string): void => {
    if (sha256 !== expectedSha256) throw new StaleSettings({ path, sha256 })
  }
  yield* attempt(path, async () => {
    refuseIfStale(sha256Of(former?.bytes ?? ""))
    // A rename needs no permission on the file itself, but a user who made it read-only wants it to stay.
    if (former !== undefined) await fs.access(target, constants.W_OK)
    await replaceFile(target, text, {
      ...(former === undefined ? {} : { mode: former.mode }),
      beforeRename: async () => {
        refuseIfStale(await hashAt(target))
        if (former !== undefined) await keepAsBackup(target)
      }
    }).catch((cause: unknown) => {
      // A file that is a mount point, as by `docker run -v`, cannot be replaced by another.
      if (errorCode(cause) !== "EBUSY" && errorCode(cause) !== "EXDEV") throw cause
      return overwrite(target, text, former?.bytes ?? new Uint8Array())
    })
    await syncFolder(target)
  })
})

/**
 * Makes the function that replaces a settings file: whole or not at all, also when this process is killed or the power
 * fails. The mode stays, the former file becomes `.bak`, a symbolic link stays and its target is replaced. Only a file that
 * is a mount point is overwritten in its place. Writers of
 * this process take turns, and those of all processes by flock(2). Writing that has begun is not interrupted; when the
 * disk hangs, only the caller's waiting ends, and the next writer waits until the disk has answered.
 */
export const settingsReplacement = () => {
  const inTurn = makeMutex()
  return (path: string, change: SettingsChange): Effect.Effect<void, StaleSettings | SettingsNotWritten> =>
    Effect.suspend(() => {
      let isWriting = false
      const write = Effect.gen(function* () {
        const target = yield* attempt(path, () => targetOf(path))
        yield* lockFolder(path, dirname(target))
        isWriting = true
        yield* Effect.uninterruptible(put(path, target, change))
      })
      const tooLate = () => {
        const reason = isWriting
          ? "was perhaps not written: the disk does not answer. A write that has begun ends when it does. " +
            "Check the disk, then read the file again"
          : `was not written: another program or the disk has held it up for ${Duration.format(limit)}. ` +
            "Let the program finish or check the disk, then try again"
        return new SettingsNotWritten({ path, reason })
      }
      return inTurn(Effect.scoped(write)).pipe(
        Effect.disconnect,
        Effect.timeoutFail({ duration: limit, onTimeout: tooLate }),
        // The limit holds for a caller that cannot be interrupted, too.
        Effect.interruptible
      )
    })
}
