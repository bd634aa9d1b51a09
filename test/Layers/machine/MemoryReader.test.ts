import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import * as MemoryReader from "../../../src/Layers/machine/MemoryReader.ts"
import type { TestBody } from "../../fixtures/TestBody.ts"
import { gib, type KernelFolders, kernelFolders, memInfo, pressure } from "./KernelFolders.ts"

const read = Effect.map(MemoryReader.MemoryReader, (reader) => reader.read())

/** A look that lacks nothing. */
const whole = Effect.map(read, ({ reading, unusable }) => {
  assert.deepStrictEqual(unusable, [])
  return reading
})

const inFolders = (body: TestBody<[KernelFolders], MemoryReader.MemoryReader>) =>
  Effect.flatMap(kernelFolders, (folders) =>
    Effect.provide(
      Effect.gen(() => body(folders)),
      MemoryReader.layerAt(folders)
    )
  )

/** After it, groups and limits are looked up anew. */
const aMinute = TestClock.adjust("60 seconds")

const stat = (fileBytes: number) => `anon 1\ninactive_file ${fileBytes}\nactive_file 0\nslab_reclaimable 0\n`

/** The files of a group of version 2. */
const group = (folder: string, limit: string, usedBytes: number, fileBytes = 0) => ({
  [`sys/fs/cgroup${folder}/memory.max`]: `${limit}\n`,
  [`sys/fs/cgroup${folder}/memory.high`]: "max\n",
  [`sys/fs/cgroup${folder}/memory.current`]: `${usedBytes}\n`,
  [`sys/fs/cgroup${folder}/memory.stat`]: stat(fileBytes)
})

describe("a reading of the memory", () => {
  it.scoped("is the machine's current memory where no cgroup limits it", () =>
    inFolders(function* ({ write }) {
      assert.deepStrictEqual(yield* whole, {
        availableBytes: 8 * gib,
        totalBytes: 16 * gib,
        swapTotalBytes: 1024 * 1024,
        swapFreeBytes: 512 * 1024,
        boundBy: undefined,
        stall: { someMicros: 5, fullMicros: 3 }
      })
      write({ "proc/meminfo": memInfo(16 * gib, gib), "proc/pressure/memory": pressure(7, 4) })
      assert.deepInclude(yield* whole, {
        availableBytes: gib,
        stall: { someMicros: 7, fullMicros: 4 }
      })
    })
  )

  it.scoped("is bound by the group above that leaves the least, page cache left out", () =>
    inFolders(function* ({ sys, write }) {
      write({
        "proc/self/cgroup": "0::/user.slice/daemon.service\n",
        ...group("/user.slice", String(8 * gib), 7 * gib, 2 * gib),
        ...group("/user.slice/daemon.service", "max", gib)
      })
      assert.deepInclude(yield* whole, {
        availableBytes: 3 * gib,
        totalBytes: 8 * gib,
        boundBy: `${sys}/fs/cgroup/user.slice`
      })
      write(group("/user.slice/daemon.service", String(2 * gib), gib))
      yield* aMinute
      assert.deepInclude(yield* whole, {
        availableBytes: gib,
        totalBytes: 2 * gib,
        boundBy: `${sys}/fs/cgroup/user.slice/daemon.service`
      })
    })
  )

  it.scoped("counts memory.high as a limit: above it the kernel lets a group stand still", () =>
    inFolders(function* ({ write }) {
      write({
        "proc/self/cgroup": "0::/a\n",
        ...group("/a", "max", gib),
        "sys/fs/cgroup/a/memory.high": `${2 * gib}\n`
      })
      assert.deepInclude(yield* whole, { availableBytes: gib, totalBytes: 2 * gib })
    })
  )

  it.scoped("is that of the mount's root in a container whose /proc has the host's paths, in version 1", () =>
    inFolders(function* ({ sys, write }) {
      write({
        "proc/self/cgroup": "5:cpu:/x\n4:memory:/docker/1f2e\n0::/\n",
        "proc/self/mountinfo":
          "35 31 0:32 /elsewhere /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
        "sys/fs/cgroup/memory/memory.limit_in_bytes": `${gib}\n`,
        "sys/fs/cgroup/memory/memory.usage_in_bytes": `${gib}\n`,
        "sys/fs/cgroup/memory/memory.stat": `inactive_file 9\nactive_file 9\ntotal_inactive_file ${gib / 4}\ntotal_active_file ${gib / 4}\n`
      })
      assert.deepInclude(yield* whole, {
        availableBytes: gib / 2,
        totalBytes: gib,
        boundBy: `${sys}/fs/cgroup/memory`
      })
    })
  )

  it.scoped("leaves out a group of version 1 that counts only for itself", () =>
    inFolders(function* ({ write }) {
      const folder = (name: string, limit: number, usesHierarchy: number) => ({
        [`sys/fs/cgroup${name}/memory.limit_in_bytes`]: `${limit}\n`,
        [`sys/fs/cgroup${name}/memory.usage_in_bytes`]: "0\n",
        [`sys/fs/cgroup${name}/memory.stat`]: "total_inactive_file 0\ntotal_active_file 0\n",
        [`sys/fs/cgroup${name}/memory.use_hierarchy`]: `${usesHierarchy}\n`
      })
      write({
        "proc/self/cgroup": "4:memory:/a/b\n",
        "proc/self/mountinfo": "35 31 0:32 / /sys/fs/cgroup rw - cgroup cgroup rw,memory\n",
        ...folder("/a", gib, 0),
        ...folder("/a/b", 4 * gib, 0)
      })
      assert.deepInclude(yield* whole, { totalBytes: 4 * gib })
    })
  )

  it.scoped("follows the daemon to another group, and a limit that is changed, within a minute", () =>
    inFolders(function* ({ sys, write }) {
      write({ "proc/self/cgroup": "0::/a\n", ...group("/a", String(4 * gib), gib) })
      assert.deepInclude(yield* whole, { totalBytes: 4 * gib })
      write({ "proc/self/cgroup": "0::/b\n", ...group("/b", String(2 * gib), gib) })
      yield* aMinute
      assert.deepInclude(yield* whole, { totalBytes: 2 * gib, boundBy: `${sys}/fs/cgroup/b` })
      write(group("/b", String(3 * gib), gib))
      yield* aMinute
      assert.deepInclude(yield* whole, { totalBytes: 3 * gib, availableBytes: 2 * gib })
    })
  )

  it.scoped("leaves no file open when it is over, nor when groups are looked up again and again", () =>
    Effect.gen(function* () {
      const folders = yield* kernelFolders
      folders.write({ "proc/self/cgroup": "0::/a\n", ...group("/a", String(4 * gib), 5 * gib) })
      const openBelow = () =>
        fs.readdirSync("/proc/self/fd").filter((name) => {
          try {
            return fs.readlinkSync(`/proc/self/fd/${name}`).startsWith(folders.proc.slice(0, -5))
          } catch {
            return false
          }
        }).length
      yield* Effect.gen(function* () {
        yield* whole
        const open = openBelow()
        assert.isAbove(open, 3)
        for (let minute = 0; minute < 5; minute++) {
          yield* aMinute
          yield* whole
        }
        assert.strictEqual(openBelow(), open)
        folders.write(group("/a", "max", 5 * gib))
        yield* aMinute
        yield* whole
        assert.strictEqual(openBelow(), open - 2)
      }).pipe(Effect.provide(MemoryReader.layerAt(folders)))
      assert.strictEqual(openBelow(), 0)
    })
  )

  it.live("of this machine is as it should be", () =>
    Effect.gen(function* () {
      const { reading } = yield* read
      assert.isDefined(reading)
      assert.isAbove(reading?.availableBytes ?? 0, 0)
      assert.isAtLeast(reading?.totalBytes ?? 0, reading?.availableBytes ?? 0)
    }).pipe(Effect.provide(MemoryReader.layer))
  )
})

describe("a file that cannot be used", () => {
  it.scoped("leaves the rest of the reading as it is, and says what it lacks", () =>
    inFolders(function* ({ proc, write }) {
      write({
        "proc/self/cgroup": undefined,
        "proc/pressure/memory": "nonsense\n"
      })
      const { reading, unusable } = yield* read
      assert.deepInclude(reading, { availableBytes: 8 * gib, stall: undefined })
      assert.deepStrictEqual(
        unusable.map(({ path }) => path),
        [`${proc}/self/cgroup`, `${proc}/pressure/memory`]
      )
      assert.match(unusable[0]?.reason ?? "", /ENOENT/)
      // It is known as long as it lasts, and no longer.
      assert.deepStrictEqual((yield* read).unusable, unusable)
      write({ "proc/self/cgroup": "0::/\n", "proc/pressure/memory": pressure(1, 1) })
      yield* aMinute
      assert.isDefined((yield* whole)?.stall)
    })
  )

  it.scoped("keeps a limit that is already known", () =>
    inFolders(function* ({ proc, sys, write }) {
      write({ "proc/self/cgroup": "0::/a\n", ...group("/a", String(4 * gib), gib) })
      const known = yield* whole
      write({ "proc/self/cgroup": undefined })
      yield* aMinute
      const withoutGroup = yield* read
      assert.deepStrictEqual(withoutGroup.reading, known)
      assert.deepStrictEqual(
        withoutGroup.unusable.map(({ path }) => path),
        [`${proc}/self/cgroup`]
      )
      write({ "proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "\u0000" })
      yield* aMinute
      const withoutLimit = yield* read
      assert.deepStrictEqual(withoutLimit.reading, known)
      assert.deepStrictEqual(
        withoutLimit.unusable.map(({ path }) => path),
        [`${sys}/fs/cgroup/a/memory.max`]
      )
    })
  )

  it.scoped("of a group does not count as a shortage: only its limit counts", () =>
    inFolders(function* ({ sys, write }) {
      write({ "proc/self/cgroup": "0::/a\n", ...group("/a", String(4 * gib), 4 * gib) })
      write({ "sys/fs/cgroup/a/memory.stat": "anon 5\n" })
      const withoutStat = yield* read
      assert.deepInclude(withoutStat.reading, { availableBytes: 4 * gib, totalBytes: 4 * gib })
      assert.deepStrictEqual(
        withoutStat.unusable.map(({ path }) => path),
        [`${sys}/fs/cgroup/a/memory.stat`]
      )
      write(group("/a", String(4 * gib), 4 * gib))
      assert.deepInclude(yield* whole, { availableBytes: 0 })
    })
  )

  it.scoped("of the machine itself gives no reading until it can be read again", () =>
    inFolders(function* ({ proc, write }) {
      write({ "proc/meminfo": "" })
      const { reading, unusable } = yield* read
      assert.isUndefined(reading)
      assert.deepStrictEqual(
        unusable.map(({ path }) => path),
        [`${proc}/meminfo`]
      )
      write({ "proc/meminfo": memInfo(16 * gib, gib) })
      assert.deepInclude(yield* whole, { availableBytes: gib })
    })
  )

  it.scoped("is reported when no hierarchy that could limit memory is mounted", () =>
    inFolders(function* ({ proc, write }) {
      write({ "proc/self/mountinfo": "23 1 254:0 / / rw - ext4 /dev/root rw\n" })
      const { reading, unusable } = yield* read
      assert.deepInclude(reading, { availableBytes: 8 * gib })
      assert.deepStrictEqual(
        unusable.map(({ path }) => path),
        [`${proc}/self/mountinfo`]
      )
    })
  )
})
