import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { isAlive } from "../../../src/Domain/machine/ProcessEntry.ts"
import type { Walk } from "../../../src/Layers/concurrency/CoalescedRead.ts"
import * as ProcFs from "../../../src/Layers/machine/ProcFs.ts"
import { canLoseFirstThread, lostFirstThread } from "../../fixtures/LostFirstThread.ts"
import { eventually, killForSure, temporaryHome } from "../../live/TestDaemon.ts"
import { MiB, procFolder } from "./ProcFolder.ts"

const at = (root: string) => Effect.provide(ProcFs.ProcFs, ProcFs.layerAt(root))
const real = at("/proc")

const world = Effect.gen(function* () {
  const folder = procFolder(yield* temporaryHome)
  return { folder, proc: yield* at(folder.root) }
})

describe("the process table", () => {
  it.scoped("lists processes only, and none that exits meanwhile", () =>
    Effect.gen(function* () {
      const { folder, proc } = yield* world
      folder.put(12)
      folder.put(13)
      fs.mkdirSync(join(folder.root, "sys"))
      fs.mkdirSync(join(folder.root, "14"))
      assert.deepStrictEqual(
        (yield* proc.processes).map((entry) => entry.pid),
        [12, 13]
      )
      assert.strictEqual((yield* proc.process(13))?.startTicks, 13)
      assert.isUndefined(yield* proc.process(14))
    })
  )

  it.scoped("fails when it cannot be read, and is never empty", () =>
    Effect.gen(function* () {
      const proc = yield* at("/nonexistent/proc")
      const error = yield* Effect.flip(proc.processes)
      assert.strictEqual(error._tag, "ProcUnreadable")
    })
  )

  it.live("is not called unreadable for a bug in what reads it, which would be tried again for ever", () =>
    Effect.gen(function* () {
      const bug = new TypeError("no such function")
      function* soon(): Walk<void> {
        throw bug
      }
      function* later(): Walk<void> {
        yield
        throw bug
      }
      for (const walk of [soon, later])
        assert.deepStrictEqual(yield* Effect.exit(ProcFs.walked(walk)), Exit.die(bug))
    })
  )

  it.live("shows this process as the kernel does", () =>
    Effect.gen(function* () {
      const proc = yield* real
      const own = yield* proc.process(process.pid)
      assert(own !== undefined)
      assert.strictEqual(own.parentPid, process.ppid)
      assert.isTrue((yield* proc.processes).some(({ pid }) => pid === process.pid))
      assert.strictEqual(proc.reader.openFilesLimit("self"), proc.reader.openFilesLimit(process.pid))
      yield* eventually(
        "this process has used CPU time",
        Effect.map(proc.process(process.pid), (now) => {
          for (let round = 0; round < 1e7; round++) Math.sqrt(round)
          return now !== undefined && now.cpuMs > own.cpuMs ? true : undefined
        })
      )
    })
  )
})

describe("an environment", () => {
  it.scoped("carries a mark only at the beginning of an entry, whatever its size", () =>
    Effect.gen(function* () {
      const { folder, proc } = yield* world
      const environs = {
        1: "ID=home:shop:1\0PATH=/bin\0",
        2: "PATH=/bin\0ID=home:shop:2",
        3: "OTHER_ID=home:shop:3\0ARGS=--env ID=home:shop:3\0",
        4: `BIG=${"x".repeat(300_000)}\0OTHER_ID=home:x\0ID=home:shop:4\0`,
        5: ""
      }
      for (const [pid, environ] of Object.entries(environs)) folder.put(Number(pid), { environ })
      const found = yield* proc.carrying([1, 2, 3, 4, 5, 6], "ID=home:")
      assert.deepStrictEqual([...found], [1, 2, 4])
    })
  )

  it.scoped("that is empty during exec is read again, and one that stays empty is not", () =>
    Effect.gen(function* () {
      const { folder, proc } = yield* world
      const inExec = { environ: "", cmdline: "", isInExec: true }
      folder.put(1, inExec)
      folder.put(2, { environ: "" })
      folder.put(3, { ...inExec, state: "Z" })
      folder.put(4, { ...inExec, flags: 0x0020_0000 })
      const none = new Set<number>()
      assert.deepStrictEqual(proc.walks.carrying([2, 3, 4], "ID=").next(), { done: true, value: none })
      const walk = proc.walks.carrying([1, 2, 3, 4], "ID=")
      assert.isFalse(walk.next().done)
      folder.put(1, { environ: "ID=home:shop:1\0" })
      assert.deepStrictEqual(walk.next(), { done: true, value: new Set([1]) })
    })
  )

  it.scopedLive("is never missed in a process that does nothing but exec", () =>
    Effect.gen(function* () {
      const path = join(yield* temporaryHome, "execs.sh")
      fs.writeFileSync(path, '#!/bin/sh\nexec "$0"\n', { mode: 0o700 })
      const child = yield* Effect.acquireRelease(
        Effect.sync(() => spawn(path, [], { env: { ID: "home:shop:1" }, stdio: "ignore" })),
        ({ pid }) => Effect.sync(() => killForSure(pid ?? 0))
      )
      const pid = child.pid ?? 0
      const proc = yield* real
      for (let round = 0; round < 1000; round++)
        assert.isTrue((yield* proc.carrying([pid], "ID=home:")).has(pid), `look ${round}`)
    })
  )
})

describe("the swap of processes", () => {
  it.scoped("is read of hundreds, and omits kernel threads and processes that are gone", () =>
    Effect.gen(function* () {
      const { folder, proc } = yield* world
      const pids = Array.from({ length: 250 }, (_, index) => 100 + index)
      for (const pid of pids) folder.put(pid, { swapBytes: pid === 101 ? 0 : 3 * MiB })
      // A kernel thread has no memory of its own.
      folder.write(102, "status", "Name:\tkthreadd\nState:\tS (sleeping)\n")
      const swap = yield* proc.swapBytes([...pids, 999])
      assert.strictEqual(swap.size, 249)
      assert.strictEqual(swap.get(100), 3 * MiB)
      assert.strictEqual(swap.get(101), 0)
      assert.isUndefined(swap.get(102))
    })
  )
})

describe("the proportional size of processes", () => {
  it.scoped("counts memory and swap, and is unknown where the kernel does not report it", () =>
    Effect.gen(function* () {
      const { folder, proc } = yield* world
      folder.put(100, { share: { bytes: 5 * MiB, swapBytes: MiB } })
      folder.put(101)
      folder.put(102)
      folder.write(102, "smaps_rollup", "Rss:    10 kB\nPss:    4 kB\n")
      assert.deepStrictEqual(
        [...(yield* proc.proportionalBytes([100, 101, 102, 103]))],
        [
          [100, 6 * MiB],
          [102, 4096]
        ]
      )
    })
  )

  it.scoped("is an error when /proc fails for a reason of the daemon's own", () =>
    Effect.gen(function* () {
      const { folder, proc } = yield* world
      fs.mkdirSync(join(folder.root, "100", "smaps_rollup"), { recursive: true })
      const error = yield* Effect.flip(proc.proportionalBytes([100]))
      assert.strictEqual(error._tag, "ProcUnreadable")
    })
  )

  it.scopedLive("is less than the resident size of real processes that share a mapping", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      // All processes of a program share its text.
      const start = Effect.acquireRelease(
        Effect.sync(() => spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { cwd: home })),
        ({ pid }) => Effect.sync(() => killForSure(pid ?? 0))
      )
      const pids = (yield* Effect.all([start, start, start])).map(({ pid }) => pid ?? 0)
      const proc = yield* real
      yield* eventually(
        "all have a proportional size, less than their resident one",
        Effect.gen(function* () {
          const shares = yield* proc.proportionalBytes(pids)
          const entries = yield* Effect.forEach(pids, proc.process)
          const isLess = entries.every((entry) => {
            const share = shares.get(entry?.pid ?? 0) ?? 0
            return entry !== undefined && share > MiB && share < entry.residentBytes
          })
          return isLess ? true : undefined
        })
      )
    })
  )
})

describe("a process whose first thread has exited", () => {
  it.scopedLive.skipIf(!canLoseFirstThread)(
    "is alive while another thread runs, with its environment and memory; the kernel calls it a zombie",
    () =>
      Effect.gen(function* () {
        const path = lostFirstThread(yield* temporaryHome)
        const child = yield* Effect.acquireRelease(
          Effect.sync(() => spawn(path, [], { env: { ID: "home:shop:1" }, stdio: "ignore" })),
          ({ pid }) => Effect.sync(() => killForSure(pid ?? 0))
        )
        const pid = child.pid ?? 0
        const proc = yield* real
        yield* eventually("its first thread is gone", () =>
          /\) Z /.test(fs.readFileSync(`/proc/${pid}/stat`, "latin1"))
        )
        const entry = yield* proc.process(pid)
        assert(entry !== undefined)
        assert.isTrue(isAlive(entry))
        assert.deepStrictEqual([...(yield* proc.carrying([pid], "ID=home:"))], [pid])
        assert.deepStrictEqual(proc.reader.argv(pid), [path])
        assert.strictEqual(proc.reader.executable(pid), fs.realpathSync(path))
        const shares = yield* proc.proportionalBytes([pid])
        assert.isAbove(shares.get(pid) ?? 0, 0)
      })
  )

  it.scopedLive("is dead when no other thread is left", () =>
    Effect.gen(function* () {
      const shell = yield* Effect.acquireRelease(
        Effect.sync(() =>
          // The sleep that takes the place of the shell does not reap the child. The shell would: the child ends after it.
          spawn("/bin/sh", ["-c", "cat <&3 & echo $!; exec sleep 1000000 3<&-"], {
            stdio: ["ignore", "pipe", "ignore", "pipe"]
          })
        ),
        ({ pid }) => Effect.sync(() => killForSure(pid ?? 0))
      )
      const pid = yield* Effect.async<number>((resume) => {
        shell.stdout?.once("data", (text: Buffer) => resume(Effect.succeed(Number(text.toString()))))
      })
      const proc = yield* real
      yield* eventually(
        "the shell is gone",
        () => fs.readFileSync(`/proc/${shell.pid}/comm`, "utf8") === "sleep\n"
      )
      shell.stdio[3]?.destroy()
      yield* eventually(
        "it is a zombie",
        Effect.map(proc.process(pid), (now) => (now?.state === "Z" ? true : undefined))
      )
      assert.strictEqual((yield* proc.carrying([pid], "")).size, 0)
    })
  )
})
