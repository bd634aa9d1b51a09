import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { unlessMissing } from "../../fixtures/Missing.ts"
import { daemonLog } from "../daemon/OtherStarts.ts"
import { ask, command, eventually, launcher, run, temporaryHome } from "../TestDaemon.ts"
import { hoarding } from "./GuardedMachine.ts"
import { type MemoryGroup, memoryGroup, noMemoryGroup, removeGroup } from "./MemoryGroup.ts"

const mebibyte = 2 ** 20

/** tmpfs: its pages are memory that is used, and not the cache of a file. */
const tmpfsType = 0x0102_1994

const noFileCache =
  fs.statfsSync(fs.realpathSync(process.env["TMPDIR"] ?? "/tmp")).type === tmpfsType
    ? "the temporary folder is in memory, so its files are no page cache"
    : undefined

const settings = `[worker_command]
type = "Command"
argv = ["sleep", "600"]
[memory]
poll_interval_ms = 50
`

/** How a command is run as a member of a group from its first moment. */
const inGroup = ({ folder }: MemoryGroup, ...args: ReadonlyArray<string>) => ({
  command: "/bin/sh",
  args: ["-c", 'echo $$ >"$0" && exec "$@"', join(folder, "cgroup.procs"), ...args]
})

const home = Effect.tap(temporaryHome, (folder) =>
  Effect.sync(() => fs.writeFileSync(join(folder, "daemon.toml"), settings))
)

/** The status, once the worker runs and the memory is bound by a group. */
const boundBy = (folder: string, group: MemoryGroup) =>
  eventually(
    `memory is bound by ${group.folder}`,
    Effect.map(ask(folder, { type: "Status" }), ({ data }) =>
      data?.worker_status === "running" && data.memory_bound_by === group.folder ? data : undefined
    )
  )

describe("a daemon in a cgroup with a memory limit", () => {
  unlessMissing(noMemoryGroup)("sees that limit in its status, and scales its thresholds to it", () =>
    Effect.gen(function* () {
      const group = yield* memoryGroup(512 * mebibyte)
      const folder = yield* home
      yield* run({ home: folder, ...inGroup(group, launcher, "start") })
      const data = yield* boundBy(folder, group)
      assert.deepInclude(data, {
        memory_total_bytes: 512 * mebibyte,
        memory_min_available_bytes: Math.floor(0.2 * 512 * mebibyte),
        memory_critical_threshold_bytes: Math.floor(0.1 * 512 * mebibyte),
        memory_level: "plentiful"
      })
      assert.isBelow(data.memory_available_bytes, 512 * mebibyte)
      const told = yield* command({ home: folder, args: ["status"] })
      assert.include(
        told.stdout,
        "Memory level:   plentiful (low: below 102.4 MiB, critical: below 51.2 MiB)"
      )
      assert.include(told.stdout, `Memory limit:   set by the cgroup ${group.folder}`)
    })
  )

  unlessMissing(noMemoryGroup)("checks its settings against that limit", () =>
    Effect.gen(function* () {
      const group = yield* memoryGroup(512 * mebibyte)
      const folder = yield* home
      const checked = yield* command({ home: folder, ...inGroup(group, launcher, "config", "check") })
      assert.match(checked.stdout, /min_available_bytes\s+102\.4 MiB \(scaled to this machine\)/)
      fs.writeFileSync(join(folder, "daemon.toml"), `${settings}min_available_bytes = ${512 * mebibyte}\n`)
      const refused = yield* command({ home: folder, ...inGroup(group, launcher, "start") })
      assert.strictEqual(refused.code, 1)
      assert.match(
        refused.stderr,
        /min_available_bytes is 512 MiB of the 512 MiB that this machine or container has/
      )
    })
  )

  unlessMissing(noMemoryGroup, noFileCache)("does not take page cache for used memory", () =>
    Effect.gen(function* () {
      const group = yield* memoryGroup(512 * mebibyte)
      const folder = yield* home
      yield* run({ home: folder, ...inGroup(group, launcher, "start") })
      yield* boundBy(folder, group)
      const before = group.usedBytes()
      const written = yield* command({
        home: folder,
        ...inGroup(group, "dd", "if=/dev/zero", `of=${join(folder, "file")}`, "bs=1M", "count=300")
      })
      assert.strictEqual(written.code, 0, written.stderr)
      assert.isAbove(group.usedBytes(), before + 150 * mebibyte)
      const seen = yield* eventually(
        "what is used is told, and page cache is not",
        Effect.map(ask(folder, { type: "Status" }), ({ data }) => {
          const leftBytes = 512 * mebibyte - group.usedBytes()
          return (data?.memory_available_bytes ?? 0) > leftBytes + 140 * mebibyte ? data : undefined
        })
      )
      assert.strictEqual(seen.memory_level, "plentiful")
    })
  )

  unlessMissing(noMemoryGroup)("restarts a leaking worker before the kernel kills anything", () =>
    Effect.gen(function* () {
      const group = yield* memoryGroup(512 * mebibyte)
      const folder = yield* home
      // Only the first of them leaks, so that the second one can be seen to run.
      const line = 'mkdir "$0" 2>/dev/null && exec "$@"; exec sleep 100000'
      // Slow at the end, so that a busy machine does not decide the race with the kernel.
      const leak = hoarding({ tag: "leak", mebibytes: 280, leaksMebibytes: 2000, everyMs: 2000 })
      const worker = ["/bin/sh", "-c", line, join(folder, "leaked"), ...leak]
      yield* run({ home: folder, ...inGroup(group, launcher, "start", "--", ...worker) })
      yield* boundBy(folder, group)
      const restarted = yield* eventually("the worker is restarted", () =>
        /Restarting the worker: memory is .*/.exec(daemonLog(folder))?.at(0)
      )
      assert.match(restarted, /memory is critical \(\S+ MiB of 512 MiB available, below 51\.2 MiB\)/)
      const after = yield* eventually(
        "the next one runs",
        Effect.map(ask(folder, { type: "Status" }), ({ data }) =>
          data?.worker_status === "running" && data.total_restarts > 0 ? data : undefined
        )
      )
      assert.deepInclude(after, { total_restarts: 1, consecutive_failures: 0, memory_level: "plentiful" })
      assert.strictEqual(group.oomKills(), 0)
    })
  )

  unlessMissing(noMemoryGroup)("follows into another group when its own is removed", () =>
    Effect.gen(function* () {
      const first = yield* memoryGroup(512 * mebibyte)
      const second = yield* memoryGroup(768 * mebibyte)
      const folder = yield* home
      yield* run({ home: folder, ...inGroup(first, launcher, "start") })
      yield* boundBy(folder, first)
      for (const pid of first.pids()) second.take(pid)
      yield* removeGroup(first)
      const data = yield* boundBy(folder, second)
      assert.strictEqual(data.memory_total_bytes, 768 * mebibyte)
      assert.strictEqual(data.memory_min_available_bytes, Math.floor(0.2 * 768 * mebibyte))
    })
  )
})
