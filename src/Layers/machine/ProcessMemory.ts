import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { turnOfTheEventLoop } from "../concurrency/EventLoop.ts"
import { ProcUnreadable } from "./ProcFs.ts"
import { makeProcReader } from "./ProcReader.ts"

type Amounts = Effect.Effect<ReadonlyMap<number, number>, ProcUnreadable>

/**
 * What single processes hold, where the size in memory that a scan reads of all does not tell enough. Whoever is gone,
 * or is not the daemon's to look into, is left out. Amounts are bytes.
 */
export class ProcessMemory extends Context.Tag("ProcessMemory")<
  ProcessMemory,
  {
    /** What they have in swap. */
    readonly swapped: (pids: ReadonlyArray<number>) => Amounts
    /**
     * Their proportional share of memory and swap: what several processes have in common is divided among them. The
     * kernel walks through all the pages of a process for it, which takes milliseconds a GiB. None where it cannot
     * tell, as before Linux 4.14.
     */
    readonly proportional: (pids: ReadonlyArray<number>) => Amounts
  }
>() {}

/** How many are read before others have a turn. */
const swappedAtOnce = 100

/** A single large one takes long enough. */
const proportionalAtOnce = 1

const fieldBytes = (text: string, line: RegExp): number | undefined => {
  const bytes = Number(line.exec(text)?.at(1)) * 1024
  return Number.isSafeInteger(bytes) ? bytes : undefined
}

const swapLine = /^VmSwap:\s+([0-9]+) kB$/m
const shareLine = /^Pss:\s+([0-9]+) kB$/m
const swapShareLine = /^SwapPss:\s+([0-9]+) kB$/m

/** `VmSwap` of `/proc/<pid>/status`. https://man7.org/linux/man-pages/man5/proc_pid_status.5.html */
const swapIn = (status: string): number | undefined => fieldBytes(status, swapLine)

/** `/proc/<pid>/smaps_rollup`. A kernel without swap may have no `SwapPss`. https://docs.kernel.org/filesystems/proc.html */
const shareIn = (rollup: string): number | undefined => {
  const shareBytes = fieldBytes(rollup, shareLine)
  return shareBytes === undefined ? undefined : shareBytes + (fieldBytes(rollup, swapShareLine) ?? 0)
}

const make = (root: string) => {
  const reader = makeProcReader()

  const readAll = (file: string, amountIn: (text: string) => number | undefined, atOnce: number) =>
    Effect.fnUntraced(function* (pids: ReadonlyArray<number>) {
      const amounts = new Map<number, number>()
      for (let from = 0; from < pids.length; from += atOnce) {
        if (from > 0) yield* turnOfTheEventLoop
        yield* Effect.try({
          try: () => {
            for (const pid of pids.slice(from, from + atOnce)) {
              const text = reader.whole(`${root}/${pid}/${file}`)?.toString("latin1")
              const amount = text === undefined ? undefined : amountIn(text)
              if (amount !== undefined) amounts.set(pid, amount)
            }
          },
          catch: (cause) => new ProcUnreadable({ reason: String(cause) })
        })
      }
      return amounts
    })

  return ProcessMemory.of({
    swapped: readAll("status", swapIn, swappedAtOnce),
    proportional: readAll("smaps_rollup", shareIn, proportionalAtOnce)
  })
}

/** Reads below another root, as tests do. */
export const layerAt = (root: string): Layer.Layer<ProcessMemory> =>
  Layer.sync(ProcessMemory, () => make(root))

export const layer: Layer.Layer<ProcessMemory> = layerAt("/proc")
