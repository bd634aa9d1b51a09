import { constants, type Stats } from "node:fs"
import * as fs from "node:fs/promises"
import type { Timer } from "../concurrency/Timer.ts"
import { answerOf, SilentDisk } from "./DiskTurns.ts"
import { distrust } from "./Ownership.ts"
import { errorCode, reasonOf } from "./SystemError.ts"

interface Trusted {
  /** Why the file must not decide what runs, with the fix: continues a sentence that begins with the path. */
  readonly distrust: string | undefined
}

/** A small file as it was read. */
export interface SmallFile extends Trusted {
  readonly bytes: Uint8Array
  /** False for /dev/null, which reads as an empty file. */
  readonly isRegular: boolean
  /** The permission bits. */
  readonly mode: number
}

/** The content of a small text file. */
export interface TextFile extends Trusted {
  readonly text: string
  /** True when users other than the owner may read it. */
  readonly readableByOthers: boolean
}

/** A file that a user wrote cannot be read as text. */
export class UnreadableFile extends Error {
  readonly _tag = "UnreadableFile"
  readonly path: string
  readonly absent: boolean
  /** Continues a sentence that begins with the path. Nothing of the content is in it. */
  readonly reason: string

  constructor(path: string, reason: string, { absent = false } = {}) {
    super(`${path} ${reason}.`)
    this.path = path
    this.absent = absent
    this.reason = reason
  }
}

/** A user writes less by hand; a log or a disk image named by mistake would fill the memory. */
export const maxBytes = 1024 * 1024

/** Some editors begin a file with a byte order mark. Only a writer of the whole file needs to see it. */
const decoders = {
  text: new TextDecoder("utf-8", { fatal: true }),
  everyByte: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
}

const denied: ReadonlySet<string | undefined> = new Set(["EACCES", "EPERM"])

const failed = (path: string, cause: unknown): UnreadableFile => {
  const code = errorCode(cause)
  if (code === "ENOENT") return new UnreadableFile(path, "does not exist", { absent: true })
  const advice = denied.has(code) ? ". Make it readable for you" : ""
  return new UnreadableFile(path, `cannot be read: ${reasonOf(cause)}${advice}`)
}

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

/** The bytes of a file up to the first one that is too many. A file may grow while it is read. */
const bytesOf = async (file: fs.FileHandle, size: number): Promise<Buffer> => {
  let buffer = Buffer.allocUnsafe(size + 1)
  for (let length = 0; ; ) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length)
    length += bytesRead
    if (bytesRead === 0 || length > maxBytes) return buffer.subarray(0, length)
    if (length === buffer.length)
      buffer = Buffer.concat([buffer], Math.min(Math.max(2 * length, 4096), maxBytes + 1))
  }
}

const contentOf = async (path: string, file: fs.FileHandle): Promise<SmallFile | UnreadableFile> => {
  const stat = await file.stat()
  if (stat.isDirectory()) return new UnreadableFile(path, "is a folder, not a file")
  if (!stat.isFile() && path !== "/dev/null") return new UnreadableFile(path, "is not a regular file")
  const bytes = stat.size > maxBytes ? undefined : await bytesOf(file, stat.size)
  if (bytes === undefined || bytes.length > maxBytes)
    return new UnreadableFile(path, "is larger than 1 MiB: it is hardly the file that was meant")
  return {
    bytes,
    isRegular: stat.isFile(),
    mode: stat.mode & 0o777,
    distrust: stat.isFile() ? await whyDistrusted(path, stat) : undefined
  }
}

const read = async (path: string): Promise<SmallFile | UnreadableFile> => {
  try {
    const file = await fs.open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
    try {
      return await contentOf(path, file)
    } finally {
      await file.close()
    }
  } catch (cause) {
    return failed(path, cause)
  }
}

/**
 * Reads a file of at most 1 MiB. Refuses pipes and terminals: reading one without a writer would never end. Opened
 * without O_NONBLOCK, a pipe would hang even before it could be told from a file. A disk that does not answer makes it
 * unreadable; `asker` names the subject that asks.
 */
export const smallFileAt = async (
  timer: Timer,
  path: string,
  asker: string
): Promise<SmallFile | UnreadableFile> => {
  const begin = (answer: (found: SmallFile | UnreadableFile) => void) => void read(path).then(answer)
  const found = await answerOf(timer, { asker, path: () => path, begin })
  return found instanceof SilentDisk ? new UnreadableFile(path, `cannot be read: ${found.message}`) : found
}

/** Reads a small UTF-8 file, as `smallFileAt` does. With `everyByte` a byte order mark is kept. */
export const textFileAt = async (
  timer: Timer,
  path: string,
  as: "text" | "everyByte",
  asker: string
): Promise<TextFile | UnreadableFile> => {
  const found = await smallFileAt(timer, path, asker)
  if (found instanceof UnreadableFile) return found
  try {
    const text = decoders[as].decode(found.bytes)
    return { text, readableByOthers: (found.mode & 0o044) !== 0, distrust: found.distrust }
  } catch {
    return new UnreadableFile(path, "is not UTF-8 text: save it in that encoding")
  }
}
