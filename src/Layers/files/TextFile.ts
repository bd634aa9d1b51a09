import { createHash } from "node:crypto"
import { constants, type Stats } from "node:fs"
import * as fs from "node:fs/promises"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { distrust } from "./Ownership.ts"
import { askDisk } from "./PathQuestions.ts"
import { errorCode, reasonOf } from "./SystemError.ts"

/** A small file as it was read. */
interface SmallFile {
  readonly bytes: Uint8Array
  /** The hash of those bytes, in hexadecimal. */
  readonly sha256: string
  /** False for /dev/null, which reads as an empty file. */
  readonly isRegular: boolean
  /** The permission bits. */
  readonly mode: number
  /** Why the file must not decide what runs, with the fix: continues a sentence that begins with the path. */
  readonly distrust: string | undefined
}

/** The content of a small text file. */
interface TextFile {
  readonly text: string
  /** The hash of the file's bytes, in hexadecimal. */
  readonly sha256: string
  /** True when users other than the owner may read it. */
  readonly readableByOthers: boolean
  /** Why the file must not decide what runs, with the fix: continues a sentence that begins with the path. */
  readonly distrust: string | undefined
}

/** A file that a user wrote cannot be read as text. */
export class UnreadableFile extends Data.TaggedError("UnreadableFile")<{
  readonly path: string
  readonly absent: boolean
  /** Continues a sentence that begins with the path. Nothing of the content is in it. */
  readonly reason: string
}> {
  override get message(): string {
    return `${this.path} ${this.reason}.`
  }
}

/** A user writes less by hand; a log or a disk image named by mistake would fill the memory. */
export const maxBytes = 1024 * 1024

/** SHA-256 of bytes, or of a text in UTF-8, in hexadecimal. */
export const sha256Of = (content: string | Uint8Array): string =>
  createHash("sha256").update(content).digest("hex")

/** Some editors begin a file with a byte order mark. Only a writer of the whole file needs to see it. */
const decoders = {
  text: new TextDecoder("utf-8", { fatal: true }),
  everyByte: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
}

const denied: ReadonlySet<string | undefined> = new Set(["EACCES", "EPERM"])

const failed = (path: string, cause: unknown): UnreadableFile => {
  const code = errorCode(cause)
  if (code === "ENOENT") return new UnreadableFile({ path, absent: true, reason: "does not exist" })
  const advice = denied.has(code) ? ". Make it readable for you" : ""
  return new UnreadableFile({ path, absent: false, reason: `cannot be read: ${reasonOf(cause)}${advice}` })
}

const refusal = (path: string, reason: string) => new UnreadableFile({ path, absent: false, reason })

const whyDistrusted = async (path: string, stat: Stats): Promise<string | undefined> => {
  const found = await distrust(stat)
  if (found === undefined) return undefined
  const { chmod, reason } = found
  const fix =
    chmod === undefined
      ? "If you trust its content, replace it by a copy of your own"
      : `If you trust its content, run: ${chmod} ${path}`
  return `${reason}, and it says what runs as you. ${fix}`
}

const read = (path: string): Effect.Effect<SmallFile, UnreadableFile> =>
  Effect.acquireUseRelease(
    Effect.tryPromise({
      try: () => fs.open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY),
      catch: (cause) => failed(path, cause)
    }),
    Effect.fnUntraced(function* (file) {
      const attempt = <A>(act: () => Promise<A>) =>
        Effect.tryPromise({ try: act, catch: (cause) => failed(path, cause) })
      const stat = yield* attempt(() => file.stat())
      if (stat.isDirectory()) return yield* refusal(path, "is a folder, not a file")
      if (!stat.isFile() && path !== "/dev/null") return yield* refusal(path, "is not a regular file")
      // The size of a file may grow while it is read.
      const buffer = Buffer.allocUnsafe(stat.size > maxBytes ? 0 : maxBytes + 1)
      let length = 0
      for (let count = 1; count > 0 && length < buffer.length; length += count) {
        count = (yield* attempt(() => file.read(buffer, length, buffer.length - length))).bytesRead
      }
      if (length === buffer.length)
        return yield* refusal(path, "is larger than 1 MiB: it is hardly the file that was meant")
      const bytes = Buffer.from(buffer.subarray(0, length))
      return {
        bytes,
        sha256: sha256Of(bytes),
        isRegular: stat.isFile(),
        mode: stat.mode & 0o777,
        distrust: stat.isFile() ? yield* attempt(() => whyDistrusted(path, stat)) : undefined
      }
    }),
    (file) => Effect.promise(() => file.close())
  )

/**
 * Reads a file of at most 1 MiB. Refuses pipes and terminals: reading one without a writer would never end. Opened
 * without O_NONBLOCK, a pipe would hang even before it could be told from a file. A disk that does not answer makes it
 * unreadable; `asker` names the subject that asks.
 */
export const readSmallFile = (path: string, asker = path): Effect.Effect<SmallFile, UnreadableFile> =>
  askDisk(asker, path, read(path)).pipe(
    Effect.catchTag("SilentDisk", ({ message }) => refusal(path, `cannot be read: ${message}`))
  )

/** Reads a small UTF-8 file, as `readSmallFile` does. With `everyByte` a byte order mark is kept. */
export const readTextFile = (
  path: string,
  as: "text" | "everyByte" = "text",
  asker = path
): Effect.Effect<TextFile, UnreadableFile> =>
  Effect.flatMap(readSmallFile(path, asker), ({ bytes, distrust, mode, sha256 }) =>
    Effect.try({
      try: () => ({
        text: decoders[as].decode(bytes),
        sha256,
        readableByOthers: (mode & 0o044) !== 0,
        distrust
      }),
      catch: () => refusal(path, "is not UTF-8 text: save it in that encoding")
    })
  )
