import { randomBytes } from "node:crypto"
import { constants } from "node:fs"
import * as fs from "node:fs/promises"
import { basename, dirname, join } from "node:path"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { whyNotWritten } from "./NotWritten.ts"
import { errorCode, messageOf } from "./SystemError.ts"
import { readSmallFile, type SmallFile, sha256Of, UnreadableFile } from "./TextFile.ts"

/** The file is not the one that was expected. Nothing was written. */
class StaleFile extends Data.TaggedError("StaleFile")<{
  readonly path: string
  /** Of the file as it is. */
  readonly sha256: string
}> {
  override get message(): string {
    return `${this.path} is not the file that was to be replaced.`
  }
}

/** The file could not be replaced and is as it was, unless `reason` says otherwise. */
class FileNotReplaced extends Data.TaggedError("FileNotReplaced")<{
  readonly path: string
  /** Continues a sentence that begins with the path: what happened, why, what to do. */
  readonly reason: string
}> {
  override get message(): string {
    return `${this.path} ${this.reason}.`
  }
}

const attempt = <A>(path: string, act: () => Promise<A>): Effect.Effect<A, FileNotReplaced> =>
  Effect.tryPromise({
    try: act,
    catch: (cause) => new FileNotReplaced({ path, reason: whyNotWritten(path, cause) })
  })

const failsWith =
  (...codes: ReadonlyArray<string>) =>
  (cause: unknown): boolean =>
    codes.includes(errorCode(cause) ?? "")

/** The file, or undefined when there is none. */
const look = (path: string): Effect.Effect<SmallFile | undefined, UnreadableFile> =>
  Effect.catchIf(
    readSmallFile(path),
    ({ absent }) => absent,
    () => Effect.succeed(undefined)
  )

/** Names of our own, which nobody else uses and which fit where the file's own name barely does. */
const ours = /^\.autopilotd-[0-9a-f]{16}\.(new|bak)$/

const removed = (path: string): Promise<void> => fs.rm(path, { force: true })

/** What a killed writer has left. Nobody writes there now, so none of it is in use; what stays harms nobody. */
const removeLeftovers = (folder: string) =>
  Effect.promise(async () => {
    const names = await fs.readdir(folder).catch(() => [])
    await Promise.all(
      names
        .filter((name) => ours.test(name))
        .map((name) => removed(join(folder, name)).catch(() => undefined))
    )
  })

/** The owner is kept where that is allowed, at least the group. A file that is ours anyway is left alone. */
const keepOwner = async (file: fs.FileHandle, { gid, uid }: SmallFile): Promise<void> => {
  const mine = await file.stat()
  if (mine.uid === uid && mine.gid === gid) return
  const isForbidden = failsWith("EPERM", "EINVAL")
  const unlessForbidden = async (act: () => Promise<void>): Promise<boolean> => {
    try {
      await act()
      return true
    } catch (cause) {
      if (isForbidden(cause)) return false
      throw cause
    }
  }
  if (await unlessForbidden(() => file.chown(uid, gid))) return
  await unlessForbidden(() => file.chown(mine.uid, gid))
}

const writeWhole = async (path: string, text: string, former: SmallFile | undefined): Promise<void> => {
  const file = await fs.open(path, "wx", 0o600)
  try {
    await file.writeFile(text)
    if (former !== undefined) {
      await keepOwner(file, former)
      await file.chmod(former.mode)
    }
    await file.sync()
  } finally {
    await file.close()
  }
}

/** FAT has no hard links, some network file systems neither, and there is a most of them for one file. */
const noHardLink = failsWith("EPERM", "EOPNOTSUPP", "ENOTSUP", "ENOSYS", "EMLINK")

/** A second name for the file as it is; where there is no such thing, a copy. */
const duplicate = async (path: string, name: string): Promise<void> => {
  try {
    await fs.link(path, name)
  } catch (cause) {
    if (!noHardLink(cause)) throw cause
    await fs.copyFile(path, name, constants.COPYFILE_EXCL)
    const copy = await fs.open(name, "r")
    try {
      await copy.sync()
    } finally {
      await copy.close()
    }
  }
}

/** Gives the new file its name unless somebody else has meanwhile made one of that name: whether it was given. */
const publish = async (fresh: string, path: string): Promise<boolean> => {
  try {
    await fs.link(fresh, path)
    return true
  } catch (cause) {
    if (errorCode(cause) === "EEXIST") return false
    if (!noHardLink(cause)) throw cause
    await fs.rename(fresh, path)
    return true
  }
}

/** A rename is on disk when its folder is. */
const syncFolder = (path: string) =>
  Effect.tryPromise({
    try: async () => {
      const folder = await fs.open(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY)
      try {
        await folder.sync()
      } catch (cause) {
        // Some file systems cannot do that to a folder.
        if (!failsWith("EINVAL", "ENOTSUP", "EOPNOTSUPP")(cause)) throw cause
      } finally {
        await folder.close()
      }
    },
    catch: (cause) =>
      new FileNotReplaced({
        path,
        reason:
          "was written, but the disk may lose it again when the power fails " +
          `(${messageOf(cause)}). Look at the disk`
      })
  })

/**
 * Puts a text in the place of the file with that hash; the hash of the empty text also stands for no file. It is whole
 * or not at all, also when this process is killed or the power fails, and at no instant is there no file. Mode and
 * owner stay; a new file is for its owner only. The former file becomes `<path>.bak`.
 *
 * Call it in the file's turn (`FileMutex`), with a path that is no symbolic link.
 */
export const replaceFile: (
  path: string,
  change: { readonly text: string; readonly expectedSha256: string }
) => Effect.Effect<void, StaleFile | FileNotReplaced | UnreadableFile> = Effect.fnUntraced(function* (
  path,
  { expectedSha256, text }
) {
  const folder = dirname(path)
  const id = randomBytes(8).toString("hex")
  const fresh = join(folder, `.autopilotd-${id}.new`)
  const backup = join(folder, `.autopilotd-${id}.bak`)
  const unlessStale = Effect.fnUntraced(function* (file: SmallFile | undefined) {
    const sha256 = file?.sha256 ?? sha256Of("")
    if (sha256 !== expectedSha256) return yield* new StaleFile({ path, sha256 })
  })

  yield* removeLeftovers(folder)
  const former = yield* look(path)
  yield* unlessStale(former)
  if (former !== undefined && !former.isRegular)
    return yield* new FileNotReplaced({
      path,
      reason: `was not written: ${basename(path)} is a device. Choose a file`
    })
  // Renaming would not ask: who has made a file read-only wants it to stay.
  if (former !== undefined) yield* attempt(path, () => fs.access(path, constants.W_OK))

  yield* Effect.gen(function* () {
    yield* attempt(path, () => writeWhole(fresh, text, former))
    if (former === undefined) {
      if (!(yield* attempt(path, () => publish(fresh, path)))) {
        const sha256 = (yield* look(path))?.sha256 ?? sha256Of("")
        return yield* new StaleFile({ path, sha256 })
      }
    } else {
      const isThere = yield* attempt(path, () =>
        duplicate(path, backup).then(
          () => true,
          (cause) => {
            if (errorCode(cause) === "ENOENT") return false
            throw cause
          }
        )
      )
      // The last look is at the backup: what is replaced is what is kept, also if somebody edits it in place now.
      yield* unlessStale(isThere ? yield* look(backup) : undefined)
      yield* attempt(`${path}.bak`, () => fs.rename(backup, `${path}.bak`))
      yield* attempt(path, () => fs.rename(fresh, path))
    }
    yield* syncFolder(path)
  }).pipe(
    // By now they are gone, or second names: renaming does nothing to two names of one file. The next write removes
    // what could not be removed.
    Effect.ensuring(
      Effect.promise(() => Promise.allSettled([fresh, backup].map(removed)).then(() => undefined))
    )
  )
}, Effect.uninterruptible)
