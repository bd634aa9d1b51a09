import * as fs from "node:fs/promises"
import { dirname } from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"

export interface RotatingFileOptions {
  readonly path: string
  /** The file is moved to `<path>.1` before it would grow over this. */
  readonly maxBytes: number
  /** How many files there are at most, the one being written included; at least 2. */
  readonly files: number
  /** How much may wait in memory for the disk. */
  readonly maxPendingBytes: number
  /** Told the reason once when writing begins to fail, and undefined once it works again. */
  readonly onTrouble: (reason: string | undefined) => Effect.Effect<void>
}

export interface RotatingFile {
  /**
   * Takes whole lines, to be written in order. Never waits; false, and nothing is taken, when more than
   * `maxPendingBytes` would wait.
   */
  readonly write: (lines: Buffer) => boolean
  readonly pendingBytes: () => number
}

/**
 * Files that grow by whole lines and are bounded by size and number. No caller ever waits for the disk, and closing
 * waits for what is pending only while the disk takes it.
 */
export class RotatingFiles extends Context.Tag("RotatingFiles")<
  RotatingFiles,
  { readonly open: (options: RotatingFileOptions) => Effect.Effect<RotatingFile, never, Scope.Scope> }
>() {}

/** A full disk is tried again only this often, so that it costs next to nothing. */
const retryInterval = "1 second"

/** What is pending at the end is waited for at most this long. */
const closingLimit = "2 seconds"

const sizeOf = (path: string): Promise<number> =>
  fs.stat(path).then(
    (stat) => stat.size,
    () => 0
  )

const rotate = async (path: string, files: number): Promise<void> => {
  for (let n = files - 1; n > 0; n--) {
    await fs
      .rename(n === 1 ? path : `${path}.${n - 1}`, `${path}.${n}`)
      .catch((cause: NodeJS.ErrnoException) => {
        if (cause.code !== "ENOENT") throw cause
      })
  }
}

/** Appends by name, so that a log which a person has moved away is simply begun anew. Whole or not at all. */
const append = async ({ path, maxBytes, files }: RotatingFileOptions, batch: Buffer): Promise<void> => {
  let size = await sizeOf(path)
  if (size > 0 && size + batch.length > maxBytes) {
    await rotate(path, files)
    size = 0
  }
  await fs.mkdir(dirname(path), { recursive: true, mode: 0o700 })
  try {
    await fs.appendFile(path, batch, { mode: 0o600 })
  } catch (cause) {
    // A full disk may have taken a part, which the next try would repeat.
    await fs.truncate(path, size).catch(() => undefined)
    throw cause
  }
}

const open = Effect.fnUntraced(function* (options: RotatingFileOptions) {
  let pending: Array<Buffer> = []
  let pendingBytes = 0
  let inTrouble = false
  const hasPending = yield* Effect.makeLatch(false)
  const isSettled = yield* Effect.makeLatch(true)

  const attempt = (batch: Buffer) =>
    Effect.tryPromise({
      try: () => append(options, batch),
      catch: (cause) => (cause instanceof Error ? cause.message : String(cause))
    })

  const giveNotice = Effect.fnUntraced(function* (reason: string | undefined) {
    const isNews = inTrouble !== (reason !== undefined)
    inTrouble = reason !== undefined
    if (isNews) yield* options.onTrouble(reason)
  })

  const writeBatch = (batch: Buffer): Effect.Effect<void> =>
    attempt(batch).pipe(
      Effect.zipRight(giveNotice(undefined)),
      Effect.catchAll((reason) =>
        giveNotice(reason).pipe(
          Effect.zipRight(isSettled.open),
          Effect.zipRight(Effect.sleep(retryInterval)),
          Effect.zipRight(Effect.suspend(() => writeBatch(batch)))
        )
      )
    )

  const writer = Effect.gen(function* () {
    for (;;) {
      yield* hasPending.await
      yield* hasPending.close
      const batch = Buffer.concat(pending)
      pending = []
      // A bug costs this batch and is told; a log that silently stops would be worse.
      yield* writeBatch(batch).pipe(Effect.catchAllDefect((defect) => giveNotice(`a bug: ${String(defect)}`)))
      pendingBytes -= batch.length
      if (pendingBytes === 0) yield* isSettled.open
    }
  })

  yield* Effect.forkScoped(Effect.interruptible(writer))
  yield* Effect.addFinalizer(() =>
    isSettled.await.pipe(Effect.interruptible, Effect.timeoutOption(closingLimit), Effect.asVoid)
  )
  return {
    pendingBytes: () => pendingBytes,
    write: (lines: Buffer) => {
      if (pendingBytes + lines.length > options.maxPendingBytes) return false
      pending.push(lines)
      pendingBytes += lines.length
      isSettled.unsafeClose()
      hasPending.unsafeOpen()
      return true
    }
  }
})

export const layer: Layer.Layer<RotatingFiles> = Layer.succeed(RotatingFiles, { open })
