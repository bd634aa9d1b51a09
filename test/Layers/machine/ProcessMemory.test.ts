import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as ProcessMemory from "../../../src/Layers/machine/ProcessMemory.ts"
import { eventually, killForSure, temporaryHome } from "../../live/TestDaemon.ts"
import { MiB, procFolder } from "./ProcFolder.ts"

const at = (root: string) => Effect.provide(ProcessMemory.ProcessMemory, ProcessMemory.layerAt(root))

describe("what a process has in swap", () => {
  it.scoped("is told of each that can be read, and nothing of the others", () =>
    Effect.gen(function* () {
      const proc = procFolder(yield* temporaryHome)
      proc.put(100, { swapBytes: 3 * MiB })
      proc.put(101)
      proc.put(102)
      // A kernel thread has no memory of its own.
      fs.writeFileSync(join(proc.root, "102", "status"), "Name:\tkthreadd\nState:\tS (sleeping)\n")
      const { swapped } = yield* at(proc.root)
      assert.deepStrictEqual(
        [...(yield* swapped([100, 101, 102, 103]))],
        [
          [100, 3 * MiB],
          [101, 0]
        ]
      )
    })
  )

  it.scoped("is read of hundreds", () =>
    Effect.gen(function* () {
      const proc = procFolder(yield* temporaryHome)
      const pids = Array.from({ length: 250 }, (_, index) => 100 + index)
      for (const pid of pids) proc.put(pid, { swapBytes: MiB })
      const { swapped } = yield* at(proc.root)
      assert.deepStrictEqual([...(yield* swapped(pids)).keys()], pids)
    })
  )
})

describe("a process's share of memory that several have", () => {
  it.scoped("counts memory and swap, and is not known where the kernel does not tell", () =>
    Effect.gen(function* () {
      const proc = procFolder(yield* temporaryHome)
      proc.put(100, { share: { bytes: 5 * MiB, swapBytes: MiB } })
      proc.put(101)
      proc.put(102)
      fs.writeFileSync(join(proc.root, "102", "smaps_rollup"), "Rss:    10 kB\nPss:    4 kB\n")
      const { proportional } = yield* at(proc.root)
      assert.deepStrictEqual(
        [...(yield* proportional([100, 101, 102, 103]))],
        [
          [100, 6 * MiB],
          [102, 4096]
        ]
      )
    })
  )

  it.scoped("is no amount when /proc fails for a reason of the daemon's own", () =>
    Effect.gen(function* () {
      const proc = procFolder(yield* temporaryHome)
      fs.mkdirSync(join(proc.root, "100", "smaps_rollup"), { recursive: true })
      const { proportional } = yield* at(proc.root)
      const error = yield* Effect.flip(proportional([100]))
      assert.strictEqual(error._tag, "ProcUnreadable")
    })
  )

  it.scopedLive("is less than what it holds for real processes that share a mapping", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      // A program's own text is shared by all that run it.
      const start = Effect.acquireRelease(
        Effect.sync(() => spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { cwd: home })),
        ({ pid }) => Effect.sync(() => killForSure(pid ?? 0))
      )
      const pids = (yield* Effect.all([start, start, start])).map(({ pid }) => pid ?? 0)
      const { proportional } = yield* at("/proc")
      yield* eventually(
        "all have a share, less than what they hold",
        Effect.map(proportional(pids), (shares) => {
          const isLess = pids.every((pid) => {
            const [, pages = "0"] = fs.readFileSync(`/proc/${pid}/statm`, "latin1").split(" ")
            const share = shares.get(pid) ?? 0
            return share > MiB && share < Number(pages) * 4096
          })
          return isLess ? true : undefined
        })
      )
    })
  )
})
