import { dirname } from "node:path"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { countLines, type Lines, putPrefixed } from "../../Domain/output/Lines.ts"
import { messageOf } from "../files/SystemError.ts"
import { appendedFile, type Batch, type FileLimits } from "./AppendedFile.ts"
import { makeDiskGuard } from "./DiskGuard.ts"

export interface RotatingFileOptions {
  readonly path: string
  /** Read before each write, so a change applies at once. */
  readonly limits: () => FileLimits & {
    /** Writing pauses while the disk has less free space; undefined: the default of `DiskGuard`; 0: no limit. */
    readonly minFreeBytes?: number | undefined
  }
  /** The greatest number of bytes in memory. */
  readonly maxPendingBytes: number
  /** Runs with the reason when writing begins to fail, and with undefined when it works again. */
  readonly onTrouble: (reason: string | undefined) => Effect.Effect<void>
  /** Runs at the end with the number of lines that the disk did not take in time. */
  readonly onLost: (lines: number) => Effect.Effect<void>
}

export interface RotatingFile {
  /**
   * Copies whole lines to write them in order, each with `prefix`. Never waits. Returns false and takes nothing when
   * more than `maxPendingBytes` would wait, prefixes not counted.
   */
  readonly write: (lines: Lines, prefix?: Buffer) => boolean
  readonly pendingBytes: () => number
}

/** Files that grow by whole lines, bounded by size and number. No caller waits for the disk; closing waits as long as it works. */
export class RotatingFiles extends Context.Tag("RotatingFiles")<
  RotatingFiles,
  { readonly open: (options: RotatingFileOptions) => Effect.Effect<RotatingFile, never, Scope.Scope> }
>() {}

/** Keeps the cost of a full disk negligible. */
const retryInterval = "1 second"

/** When the scope closes, pending lines are given up once the disk takes none of them for this long ... */
const closingPause = "2 seconds"
/** ... or after so many of these times. */
const closingPauses = 6

/**
 * Lines that come within this time reach the disk in one write, unless a slab is full: a flood of small pieces becomes few
 * large writes, and what a worker.log says of a restart is written after the start.
 */
const gatherMs = 5

const newline = 0x0a
const noPrefix: Buffer = Buffer.alloc(0)

const open = Effect.fnUntraced(function* (options: RotatingFileOptions) {
  let pending: Array<Slab> = []
  let pendingBytes = 0
  let writing: Batch | undefined
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

  const report = Effect.fnUntraced(function* (reason: string | undefined) {
    const isChange = inTrouble !== (reason !== undefined)
    inTrouble = reason !== undefined
    if (isChange) yield* options.onTrouble(reason)
  })

  const writeBatch = (batch: Batch): Effect.Effect<void> =>
    attempt(batch).pipe(
      Effect.zipRight(report(undefined)),
      Effect.catchAll((reason) =>
        report(reason).pipe(
          Effect.zipRight(isSettled.open),
          Effect.zipRight(Effect.sleep(retryInterval)),
          Effect.zipRight(Effect.suspend(() => writeBatch(batch)))
        )
      )
    )

  const writer = Effect.gen(function* () {
    for (;;) {
      yield* hasPending.await
      if (pending.length < 2) yield* Effect.sleep(gatherMs)
      const slab = pending[0] ?? noSlab
      pending = pending.slice(1)
      const batch = { lines: slab.bytes.subarray(0, slab.usedBytes), doneBytes: 0 }
      writing = batch
      // A bug costs this batch and is reported; a log that stops silently would be worse.
      yield* writeBatch(batch).pipe(Effect.catchAllDefect((defect) => report(`a bug: ${String(defect)}`)))
      writing = undefined
      pendingBytes -= slab.usedBytes
      giveBack(slab)
      // Atomic: a line written between check and close would wait for the next write.
      yield* Effect.sync(() => {
        if (pending.length === 0) hasPending.unsafeClose()
        if (pendingBytes === 0) isSettled.unsafeOpen()
      })
    }
  })

  yield* Effect.forkScoped(Effect.interruptible(writer))
  const unwritten = () =>
    pending.reduce(
      (sum, { bytes, usedBytes }) => sum + countLines(bytes.subarray(0, usedBytes)),
      writing === undefined ? 0 : countLines(writing.lines.subarray(writing.doneBytes))
    )

  yield* Effect.addFinalizer(() =>
    Effect.gen(function* () {
      let before = Number.POSITIVE_INFINITY
      for (let pauses = 0; pauses < closingPauses && pendingBytes > 0 && pendingBytes < before; pauses++) {
        before = pendingBytes
        yield* Effect.timeoutOption(Effect.interruptible(isSettled.await), closingPause)
      }
      const lost = unwritten()
      if (lost > 0) yield* options.onLost(lost)
    })
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

/** A buffer that fills from its beginning. */
interface Slab {
  readonly bytes: Buffer
  usedBytes: number
}

const noSlab: Slab = { bytes: Buffer.alloc(0), usedBytes: 0 }

/** The kernel commits pages on first write, so a half-filled slab costs only what it holds. */
const slabBytes = 1024 * 1024

/** Slabs kept for reuse: in a flood, allocation would keep the garbage collector busier than everything else. */
const keptSlabs = 8
const keptMs = 5000
let kept: Array<Buffer> = []
let timer: NodeJS.Timeout | undefined

/** Returns an empty slab of at least this size. */
const takeSlab = (leastBytes: number): Slab => ({
  bytes:
    leastBytes > slabBytes
      ? Buffer.allocUnsafeSlow(leastBytes)
      : (kept.pop() ?? Buffer.allocUnsafeSlow(slabBytes)),
  usedBytes: 0
})

/** Keeps a slab for reuse. */
const giveBack = ({ bytes }: Slab): void => {
  if (bytes.length !== slabBytes || kept.length === keptSlabs) return
  kept.push(bytes)
  timer ??= setTimeout(() => {
    // One is enough for a quiet worker.
    kept = kept.slice(0, 1)
    timer = undefined
  }, keptMs).unref()
  timer.refresh()
}
