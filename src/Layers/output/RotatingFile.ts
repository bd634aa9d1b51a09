import { dirname } from "node:path"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { type Lines, putPrefixed } from "../../Domain/output/Lines.ts"
import { messageOf } from "../files/SystemError.ts"
import { appendedFile, type Batch, type FileLimits } from "./AppendedFile.ts"
import { makeDiskGuard } from "./DiskGuard.ts"

export interface RotatingFileOptions {
  readonly path: string
  /** Asked before each write, so that a change holds at once. */
  readonly limits: () => FileLimits & {
    /** Nothing is written while less is free on the disk; undefined: the usual, see `DiskGuard`; 0: no limit. */
    readonly minFreeBytes?: number | undefined
  }
  /** How much may wait in memory for the disk. */
  readonly maxPendingBytes: number
  /** Told the reason once when writing begins to fail, and undefined once it works again. */
  readonly onTrouble: (reason: string | undefined) => Effect.Effect<void>
}

export interface RotatingFile {
  /**
   * Takes whole lines, to be written in order, each with `prefix` before it. Never waits; false, and nothing is taken,
   * when more than `maxPendingBytes` would wait, prefixes not counted. The lines are copied.
   */
  readonly write: (lines: Lines, prefix?: Buffer) => boolean
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

/** A flood in small pieces is written in larger ones: not sooner after the last write, unless a slab is full. */
const gatherMs = 5
const gatherNanos = 5_000_000n

const newline = 0x0a
const noPrefix: Buffer = Buffer.alloc(0)

const open = Effect.fnUntraced(function* (options: RotatingFileOptions) {
  let pending: Array<Slab> = []
  let pendingBytes = 0
  let inTrouble = false
  const hasPending = yield* Effect.makeLatch(false)
  const isSettled = yield* Effect.makeLatch(true)
  const guard = makeDiskGuard(dirname(options.path))
  const file = yield* Effect.acquireRelease(
    Effect.sync(() => appendedFile(options.path)),
    ({ close }) => Effect.sync(close)
  )

  const put = (prefix: Buffer, lines: Lines) => {
    for (let from = 0; from < lines.length; ) {
      const slab = pending.at(-1) ?? noSlab
      const done = putPrefixed(slab.bytes, slab.usedBytes, prefix, lines, from)
      if (done.from === from) {
        const lineBytes = lines.indexOf(newline, from) + 1 - from
        pending.push(takeSlab(prefix.length + lineBytes))
        continue
      }
      pendingBytes += done.freeFrom - slab.usedBytes
      slab.usedBytes = done.freeFrom
      from = done.from
    }
  }

  const attempt = (batch: Batch) =>
    Effect.tryPromise({
      try: async () => {
        const { minFreeBytes, ...limits } = options.limits()
        const refusal = minFreeBytes === 0 ? undefined : await guard.refusal(batch.lines.length, minFreeBytes)
        if (refusal !== undefined) throw new Error(refusal)
        await file.append(batch, limits)
      },
      catch: messageOf
    })

  const giveNotice = Effect.fnUntraced(function* (reason: string | undefined) {
    const isNews = inTrouble !== (reason !== undefined)
    inTrouble = reason !== undefined
    if (isNews) yield* options.onTrouble(reason)
  })

  const writeBatch = (batch: Batch): Effect.Effect<void> =>
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
    let begunNanos = 0n
    for (;;) {
      yield* hasPending.await
      const sinceNanos = (yield* Clock.currentTimeNanos) - begunNanos
      if (pending.length < 2 && sinceNanos < gatherNanos) yield* Effect.sleep(gatherMs)
      begunNanos = yield* Clock.currentTimeNanos
      const slab = pending[0] ?? noSlab
      pending = pending.slice(1)
      const batch = { lines: slab.bytes.subarray(0, slab.usedBytes), doneBytes: 0 }
      // A bug costs this batch and is told; a log that silently stops would be worse.
      yield* writeBatch(batch).pipe(Effect.catchAllDefect((defect) => giveNotice(`a bug: ${String(defect)}`)))
      pendingBytes -= slab.usedBytes
      giveBack(slab)
      // In one go: what is written between a look and its consequence would wait for the next write.
      yield* Effect.sync(() => {
        if (pending.length === 0) hasPending.unsafeClose()
        if (pendingBytes === 0) isSettled.unsafeOpen()
      })
    }
  })

  yield* Effect.forkScoped(Effect.interruptible(writer))
  yield* Effect.addFinalizer(() =>
    isSettled.await.pipe(Effect.interruptible, Effect.timeoutOption(closingLimit), Effect.asVoid)
  )
  return {
    pendingBytes: () => pendingBytes,
    write: (lines: Lines, prefix: Buffer = noPrefix) => {
      if (pendingBytes + lines.length > options.maxPendingBytes) return false
      if (lines.length === 0) return true
      put(prefix, lines)
      isSettled.unsafeClose()
      hasPending.unsafeOpen()
      return true
    }
  }
})

export const layer: Layer.Layer<RotatingFiles> = Layer.succeed(RotatingFiles, { open })
/** A piece of memory that is filled from its beginning. */
export interface Slab {
  readonly bytes: Buffer
  usedBytes: number
}

export const noSlab: Slab = { bytes: Buffer.alloc(0), usedBytes: 0 }
/** Of one that is not filled, the kernel gives only the pages that are. */
const slabBytes = 1024 * 1024
/**
 * So many are kept for whoever needs one next: in a flood, new memory for each piece keeps the collector busier than
 * all else. They are given up when nobody has needed one for a while.
 */
const keptSlabs = 8
const keptMs = 5000
let kept: Array<Buffer> = []
let timer: NodeJS.Timeout | undefined
/** An empty slab that has room for so much at least. */

export const takeSlab = (leastBytes: number): Slab => ({
  bytes:
    leastBytes > slabBytes
      ? Buffer.allocUnsafeSlow(leastBytes)
      : (kept.pop() ?? Buffer.allocUnsafeSlow(slabBytes)),
  usedBytes: 0
})
/** Nobody may use it any more. */

export const giveBack = ({ bytes }: Slab): void => {
  if (bytes.length !== slabBytes || kept.length === keptSlabs) return
  kept.push(bytes)
  timer ??= setTimeout(() => {
    // One is enough for workers that say something now and then.
    kept = kept.slice(0, 1)
    timer = undefined
  }, keptMs).unref()
  timer.refresh()
}
