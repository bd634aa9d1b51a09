import * as fs from "node:fs/promises"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { errorCode } from "./ErrorCode.ts"

/** The content of a small text file. */
export interface TextFile {
  readonly text: string
  /** Whether users other than its owner may read it. */
  readonly readableByOthers: boolean
}

/** A file that a person wrote cannot be read as text. */
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

/** Nobody writes that much by hand; a log or a disk image named by mistake would fill the memory. */
const maxBytes = 1024 * 1024

const utf8 = new TextDecoder("utf-8", { fatal: true })

const failed = (path: string, cause: unknown): UnreadableFile => {
  const code = errorCode(cause)
  const because = (reason: string) => new UnreadableFile({ path, absent: code === "ENOENT", reason })
  switch (code) {
    case "ENOENT":
      return because("does not exist")
    case "EACCES":
    case "EPERM":
      return because("cannot be read: permission denied. Make it readable for you")
    case "ENOTDIR":
      return because("cannot be read: a part of the path is a file, not a folder")
    case "ELOOP":
      return because("cannot be read: its symbolic links lead in a circle")
    default:
      return because(`cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

/** Reads a small UTF-8 file. It never waits: a pipe or a terminal without a writer would, so it is refused. */
export const readTextFile: (path: string) => Effect.Effect<TextFile, UnreadableFile> = Effect.fnUntraced(
  function* (path) {
    const refuse = (reason: string) => new UnreadableFile({ path, absent: false, reason })
    const attempt = <A>(act: () => Promise<A>) =>
      Effect.tryPromise({ try: act, catch: (cause) => failed(path, cause) })
    const stat = yield* attempt(() => fs.stat(path))
    if (stat.isDirectory()) return yield* refuse("is a folder, not a file")
    if (!stat.isFile() && path !== "/dev/null") return yield* refuse("is not a regular file")
    if (stat.size > maxBytes)
      return yield* refuse("is larger than 1 MiB: it is hardly the file that was meant")
    const bytes = yield* attempt(() => fs.readFile(path))
    const text = yield* Effect.try({
      try: () => utf8.decode(bytes),
      catch: () => refuse("is not UTF-8 text: save it in that encoding")
    })
    return { text, readableByOthers: (stat.mode & 0o044) !== 0 }
  }
)
