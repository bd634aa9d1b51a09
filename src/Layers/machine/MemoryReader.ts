import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { MemoryReadResult } from "../../Domain/machine/MemoryReading.ts"
import { type KernelRoots, kernelRoots, memoryFiles } from "./MemoryFiles.ts"

/**
 * Reads the machine's memory within the limits of the daemon's cgroup and its visible ancestors. A read is synchronous,
 * because the kernel generates these files in a few microseconds.
 */
export class MemoryReader extends Context.Tag("MemoryReader")<
  MemoryReader,
  {
    readonly read: () => MemoryReadResult
  }
>() {}

/** Reads below other roots, for tests. */
export const layerAt = (roots: KernelRoots): Layer.Layer<MemoryReader> =>
  Layer.scoped(
    MemoryReader,
    Effect.gen(function* () {
      const clock = yield* Effect.clock
      const { read } = yield* Effect.acquireRelease(
        Effect.sync(() => memoryFiles(roots)),
        ({ close }) => Effect.sync(close)
      )
      return { read: () => read(clock.unsafeCurrentTimeNanos()) }
    })
  )

export const layer: Layer.Layer<MemoryReader> = layerAt(kernelRoots)
