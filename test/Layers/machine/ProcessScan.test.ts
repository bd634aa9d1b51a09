import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { basename, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { processName } from "../../../src/Domain/machine/ProcessName.ts"
import * as ProcessScan from "../../../src/Layers/machine/ProcessScan.ts"
import { eventually, isAlive, killForSure, temporaryHome } from "../../live/TestDaemon.ts"

const homeId = "0123456789abcdef"
const mark = (uuid: string) => `AUTOPILOT_WORKER_ID=${homeId}:shop:${uuid}`
const MiB = 2 ** 20
const uid = process.getuid?.() ?? 0

interface Row {
  readonly parent?: number
  readonly session?: number
  readonly start?: number
  readonly state?: string
  readonly flags?: number
  readonly pages?: number
  readonly environ?: string
  readonly cmdline?: string
  readonly exe?: string
  readonly status?: string
}

/** Writes one process into a /proc of the test's own; again, it changes it. */
const write = (root: string, pid: number, row: Row = {}) => {
  const { flags = 0, pages = 256, parent = 1, session = pid, start = pid, state = "S" } = row
  const folder = join(root, `${pid}`)
  fs.mkdirSync(folder, { recursive: true })
  const stat = `${pid} (a) b) ${state} ${parent} ${session} ${session} 0 -1 ${flags} ${"0 ".repeat(12)}${start} 0 ${pages} 0\n`
  fs.writeFileSync(join(folder, "stat"), stat)
  fs.writeFileSync(join(folder, "statm"), `9999 ${pages} 0 0 0 0 0\n`)
  fs.writeFileSync(join(folder, "environ"), row.environ ?? "PATH=/bin\0")
  fs.writeFileSync(join(folder, "cmdline"), row.cmdline ?? "node\0server.js\0")
  const ids = `Uid:\t${uid}\t${uid}\t${uid}\t${uid}`
  fs.writeFileSync(join(folder, "status"), row.status ?? `Name:\tMainThread\n${ids}\nVmSwap:\t    2048 kB\n`)
  fs.rmSync(join(folder, "exe"), { force: true })
  fs.symlinkSync(row.exe ?? "/usr/bin/node", join(folder, "exe"))
}

const remove = (root: string, pid: number) => fs.rmSync(join(root, `${pid}`), { recursive: true })

const aim = { homeId, largeBytes: 100 * MiB, swapInUseBytes: 0 }
const largePages = (200 * MiB) / 4096

/** A machine with init, the daemon's shell, and the daemon. */
const machine = Effect.map(temporaryHome, (root) => {
  write(root, 1, { parent: 0 })
  write(root, 40)
  write(root, 50, { parent: 40, session: 40 })
  return root
})

/** A copy of what a look finds, which the next one does not write over. */
const lookWith = (scan: typeof ProcessScan.ProcessScan.Service) => (wanted: ProcessScan.ScanAim) =>
  scan.look(wanted, (facts) => Effect.sync(() => structuredClone(facts)))

const scanOf = (root: string) =>
  Effect.map(ProcessScan.ProcessScan, lookWith).pipe(
    Effect.provide(ProcessScan.layerOf({ root, selfPid: 50, uid }))
  )

describe("a look at all processes", () => {
  it.scoped("knows of each what it holds and from whom it descends, and no more", () =>
    Effect.gen(function* () {
      const root = yield* machine
      write(root, 100, { parent: 50, pages: 256 })
      write(root, 2, { parent: 0, session: 0, flags: 0x00200000, pages: 0 })
      fs.mkdirSync(join(root, "sys"))
      fs.mkdirSync(join(root, "77"))
      const facts = yield* (yield* scanOf(root))(aim)
      assert.deepStrictEqual(
        [...facts.processes.keys()].toSorted((a, b) => a - b),
        [1, 2, 40, 50, 100]
      )
      assert.deepInclude(facts.processes.get(100), {
        pid: 100,
        parentPid: 50,
        group: 100,
        session: 100,
        startTicks: 100,
        state: "S",
        residentBytes: MiB,
        swapBytes: 0,
        isKernelThread: false
      })
      assert.isTrue(facts.processes.get(2)?.isKernelThread)
      assert.strictEqual(facts.details.size, 0)
      assert.strictEqual(facts.marks.size, 0)
    })
  )

  it.scoped("tells of a large one its program, its command line and whose it is", () =>
    Effect.gen(function* () {
      const root = yield* machine
      write(root, 100, { pages: largePages })
      write(root, 101, { pages: largePages, status: "Name:\tx\nUid:\t4711\t0\t0\t0\n" })
      write(root, 102, { pages: largePages, cmdline: "" })
      fs.rmSync(join(root, "102", "exe"))
      const { details } = yield* (yield* scanOf(root))(aim)
      assert.deepStrictEqual(details.get(100), {
        comm: "MainThread",
        executable: "/usr/bin/node",
        argv: ["node", "server.js"],
        isOwnUser: true
      })
      assert.isFalse(details.get(101)?.isOwnUser)
      assert.deepInclude(details.get(102), { executable: undefined, argv: [] })
    })
  )

  it.scoped("finds small ones that a worker has lost, reading few environments for it", () =>
    Effect.gen(function* () {
      const root = yield* machine
      write(root, 100, { parent: 50, environ: `${mark("now")}\0` })
      write(root, 101, { parent: 100, session: 100, environ: `${mark("now")}\0` })
      write(root, 200, { environ: `A=1\0${mark("before")}\0B=2\0` })
      write(root, 201, { parent: 200, session: 200 })
      write(root, 202, { session: 99, environ: `${"x".repeat(300_000)}\0${mark("large")}` })
      write(root, 203, { environ: `OTHER_${mark("no")}\0ARGS=--env ${mark("no")}\0` })
      const facts = yield* (yield* scanOf(root))(aim)
      assert.deepStrictEqual(
        [...facts.marks],
        [
          [100, `${homeId}:shop:now`],
          [200, `${homeId}:shop:before`],
          [202, `${homeId}:shop:large`]
        ]
      )
      assert.deepStrictEqual(
        [...facts.details.keys()].toSorted((a, b) => a - b),
        [200, 201, 202]
      )
    })
  )

  it.scoped("counts swap once much of it is in use, and then finds those that are all in it", () =>
    Effect.gen(function* () {
      const root = yield* machine
      const status = `Name:\tnode\nUid:\t${uid}\t${uid}\t${uid}\t${uid}\nVmSwap:\t  204800 kB\n`
      write(root, 100, { status })
      const look = yield* scanOf(root)
      const without = yield* look({ ...aim, swapInUseBytes: 100 * MiB })
      assert.strictEqual(without.processes.get(100)?.swapBytes, 0)
      assert.isFalse(without.details.has(100))
      const withSwap = yield* look({ ...aim, swapInUseBytes: 100 * MiB + 1 })
      assert.strictEqual(withSwap.processes.get(100)?.swapBytes, 200 * MiB)
      assert.isTrue(withSwap.details.has(100))
      const after = yield* look(aim)
      assert.strictEqual(after.processes.get(100)?.swapBytes, 0)
    })
  )

  it.scoped("fails when /proc cannot be read, and never shows an empty machine", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip((yield* scanOf("/nonexistent/proc"))(aim))
      assert.strictEqual(error._tag, "ProcUnreadable")
    })
  )
})

describe("the next look", () => {
  const secondLook = (change: (root: string) => void, before: (root: string) => void = () => undefined) =>
    Effect.gen(function* () {
      const root = yield* machine
      write(root, 100)
      before(root)
      const look = yield* scanOf(root)
      yield* look(aim)
      change(root)
      return yield* look(aim)
    })

  it.scoped("sees who has grown, who is new and who is gone", () =>
    Effect.gen(function* () {
      const facts = yield* secondLook(
        (root) => {
          write(root, 100, { pages: largePages })
          write(root, 102)
          remove(root, 101)
        },
        (root) => write(root, 101)
      )
      assert.strictEqual(facts.processes.get(100)?.residentBytes, 200 * MiB)
      assert.isTrue(facts.details.has(100))
      assert.isTrue(facts.processes.has(102))
      assert.isFalse(facts.processes.has(101))
    })
  )

  it.scoped("takes a large process that has got the pid of another for what it is", () =>
    Effect.gen(function* () {
      const facts = yield* secondLook(
        (root) => write(root, 200, { start: 9000, parent: 40, session: 40, pages: largePages }),
        (root) => write(root, 200, { environ: `${mark("before")}\0` })
      )
      assert.deepInclude(facts.processes.get(200), { startTicks: 9000, parentPid: 40 })
      assert.isFalse(facts.marks.has(200))
    })
  )

  it.scoped("takes a small process that has got the pid of a worker's for what it is", () =>
    Effect.gen(function* () {
      const facts = yield* secondLook(
        (root) => write(root, 200, { start: 9000, parent: 40, session: 40 }),
        (root) => write(root, 200, { environ: `${mark("before")}\0` })
      )
      assert.strictEqual(facts.processes.get(200)?.startTicks, 9000)
      assert.isFalse(facts.marks.has(200))
      assert.isFalse(facts.details.has(200))
    })
  )

  it.scoped("sees who has lost its parent since", () =>
    Effect.gen(function* () {
      const environ = `${mark("now")}\0`
      const facts = yield* secondLook(
        (root) => {
          remove(root, 101)
          write(root, 102, { parent: 1, session: 101, environ })
        },
        (root) => {
          write(root, 101, { parent: 50, environ })
          write(root, 102, { parent: 101, session: 101, environ })
        }
      )
      assert.strictEqual(facts.processes.get(102)?.parentPid, 1)
      assert.deepStrictEqual([...facts.details.keys()], [102])
    })
  )

  it.scoped("looks anew at all that a large process descends from", () =>
    Effect.gen(function* () {
      const environ = `${mark("now")}\0`
      const facts = yield* secondLook(
        (root) => {
          // Both pids have been given to others since.
          write(root, 101, { parent: 40, session: 40, start: 9000 })
          write(root, 102, { parent: 101, session: 40, start: 9001 })
          write(root, 103, { parent: 102, session: 40, start: 9002, pages: largePages })
        },
        (root) => {
          write(root, 101, { parent: 50, environ })
          write(root, 102, { parent: 101, session: 101, environ })
        }
      )
      assert.deepInclude(facts.processes.get(101), { startTicks: 9000, parentPid: 40 })
      assert.strictEqual(facts.processes.get(102)?.startTicks, 9001)
      assert.strictEqual(facts.marks.size, 0)
    })
  )

  it.scoped("sees who is a zombie now", () =>
    Effect.gen(function* () {
      const facts = yield* secondLook((root) => write(root, 100, { state: "Z", pages: 0 }))
      assert.strictEqual(facts.processes.get(100)?.state, "Z")
    })
  )

  it.scoped("knows who has become an ancestor of the daemon", () =>
    Effect.gen(function* () {
      const facts = yield* secondLook((root) => {
        remove(root, 40)
        write(root, 50, { parent: 100, session: 40 })
      })
      assert.strictEqual(facts.processes.get(50)?.parentPid, 100)
    })
  )

  it.scoped("relies on nothing that is long ago", () =>
    Effect.gen(function* () {
      const root = yield* machine
      write(root, 100)
      const look = yield* scanOf(root)
      yield* look(aim)
      write(root, 100, { start: 9000, parent: 40 })
      yield* TestClock.adjust("31 seconds")
      const facts = yield* look(aim)
      assert.deepInclude(facts.processes.get(100), { startTicks: 9000, parentPid: 40 })
    })
  )

  it.scoped("asks again for an environment that was empty, as it is while a program is exchanged", () =>
    Effect.gen(function* () {
      const facts = yield* secondLook(
        (root) => write(root, 200, { environ: `${mark("before")}\0` }),
        (root) => write(root, 200, { environ: "" })
      )
      assert.isTrue(facts.marks.has(200))
    })
  )

  it.scoped(
    "asks again for that of a young process, which had its parent's until it became another program",
    () =>
      Effect.gen(function* () {
        const facts = yield* secondLook(
          (root) => write(root, 200, { environ: `${mark("before")}\0` }),
          (root) => write(root, 200)
        )
        assert.isTrue(facts.marks.has(200))
      })
  )

  it.scoped("does not ask again for that of an old one", () =>
    Effect.gen(function* () {
      const facts = yield* secondLook(
        (root) => write(root, 200, { environ: `${mark("before")}\0` }),
        (root) => {
          write(root, 200)
          write(root, 900, { start: 100_000 })
        }
      )
      assert.isFalse(facts.marks.has(200))
    })
  )

  it.scoped("does not meet another one halfway", () =>
    Effect.gen(function* () {
      const root = yield* machine
      for (let pid = 1000; pid < 1500; pid++) write(root, pid)
      const look = yield* scanOf(root)
      const all = yield* Effect.all([look(aim), look(aim), look(aim)], { concurrency: "unbounded" })
      for (const { processes } of all) assert.strictEqual(processes.size, 503)
    })
  )
})

/** A shell line that runs for a test, and everything it has started by then; all of it is killed at the end. */
const started = (line: string, id: string) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      spawn("/bin/sh", ["-c", line], {
        detached: true,
        stdio: "ignore",
        env: { ...process.env, AUTOPILOT_WORKER_ID: id }
      })
    ),
    (child) => Effect.sync(() => child.pid !== undefined && killForSure(child.pid))
  )

const pidFrom = (file: string) =>
  eventually(
    `a pid in ${file}`,
    Effect.sync(() => {
      const pid = fs.existsSync(file) ? Number(fs.readFileSync(file, "utf8").trim()) : 0
      return pid > 0 ? pid : undefined
    })
  )

/** The process whose pid a file tells, killed at the end. */
const told = (file: string) =>
  Effect.acquireRelease(pidFrom(file), (pid) => Effect.sync(() => killForSure(pid)))

describe("on this machine, a look", () => {
  const homeOfTest = "feedfacefeedface"
  const realAim = { homeId: homeOfTest, largeBytes: 60 * MiB, swapInUseBytes: 0 }
  const look = Effect.flatMap(ProcessScan.ProcessScan, (scan) => lookWith(scan)(realAim)).pipe(
    Effect.provide(ProcessScan.layer)
  )

  it.scopedLive("finds what a worker has lost by a double fork, also into another session", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryHome
      const sleep = join(folder, "sleep.sh")
      fs.writeFileSync(sleep, 'echo $$ >"$1.new"; mv "$1.new" "$1"; exec sleep 300\n')
      const [same, other, kept] = ["same", "other", "kept"].map((name) => join(folder, name))
      const run = (file: string | undefined) => `sh ${sleep} ${file}`
      // The shell lives on, so that what is lost is lost by a living worker.
      const lines = [`(${run(same)} &)`, `setsid sh -c '(${run(other)} &)'`, `${run(kept)} &`, "wait"]
      yield* started(lines.join("\n"), `${homeOfTest}:shop:1`)
      const pids = [yield* told(`${same}`), yield* told(`${other}`)]
      const keptPid = yield* told(`${kept}`)
      const facts = yield* eventually(
        "they have lost their parents, and have become another program",
        Effect.map(look, (found) =>
          pids.every((pid) => found.details.get(pid)?.argv[0] === "sleep") ? found : undefined
        )
      )
      // It descends from this process, which is the daemon here.
      assert.isTrue(facts.processes.has(keptPid))
      assert.isFalse(facts.details.has(keptPid))
    })
  )

  it.scopedLive("finds what clears its environment, as long as it descends from what was lost", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryHome
      const [outer, inner] = [join(folder, "outer"), join(folder, "inner")]
      const line = `echo $$ >${outer}; env -i /bin/sh -c "echo \\$\\$ >${inner}; exec sleep 300" & wait`
      fs.writeFileSync(join(folder, "line.sh"), line)
      yield* started(`(setsid sh ${join(folder, "line.sh")} &)`, `${homeOfTest}:shop:2`)
      const outerPid = yield* told(outer)
      const innerPid = yield* told(inner)
      const facts = yield* eventually(
        "it has lost its parent",
        Effect.map(look, (found) => (found.details.has(outerPid) ? found : undefined))
      )
      assert.isFalse(facts.marks.has(innerPid))
      assert.isTrue(facts.details.has(innerPid))
    })
  )

  it.scopedLive("names a program by its file, counts its threads as one, and sees all that it holds", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryHome
      const copy = join(folder, "mynode")
      fs.copyFileSync(process.execPath, copy)
      fs.chmodSync(copy, 0o755)
      const program = `
        process.title = "something else"
        const held = Buffer.alloc(${100 * MiB}, 1)
        const { Worker } = require("node:worker_threads")
        for (let i = 0; i < 4; i++) new Worker("setInterval(() => {}, 1000)", { eval: true })
        setInterval(() => held, 1000)`
      const child = yield* Effect.acquireRelease(
        Effect.sync(() => spawn(copy, ["-e", program], { stdio: "ignore" })),
        (one) => Effect.sync(() => one.pid !== undefined && killForSure(one.pid))
      )
      const pid = child.pid ?? 0
      const found = yield* eventually(
        "it is large and has threads",
        Effect.map(look, ({ details, processes }) => {
          const threads = isAlive(pid) ? fs.readdirSync(`/proc/${pid}/task`).map(Number) : []
          const isReady = (processes.get(pid)?.residentBytes ?? 0) > 100 * MiB && threads.length > 10
          return isReady ? { own: details.get(pid), processes, threads } : undefined
        })
      )
      assert(found.own !== undefined)
      assert.strictEqual(processName(found.own), "mynode")
      assert.isTrue(found.own.isOwnUser)
      assert.deepStrictEqual(
        found.threads.filter((thread) => found.processes.has(thread)),
        [pid]
      )
      fs.rmSync(copy)
      const after = (yield* look).details.get(pid)
      assert(after !== undefined)
      assert.match(after.executable ?? "", / \(deleted\)$/)
      assert.strictEqual(processName(after), basename(copy))
    })
  )

  it.scopedLive("follows what grows and what ends, and in the end has no file open", () =>
    Effect.gen(function* () {
      const sizesOpen = () =>
        fs.readdirSync("/proc/self/fd").filter((name) => {
          try {
            return fs.readlinkSync(`/proc/self/fd/${name}`).endsWith("/statm")
          } catch {
            return false
          }
        }).length
      const grows = `
        let held
        process.once("SIGUSR2", () => (held = Buffer.alloc(${100 * MiB}, 1)))
        require("node:fs").writeSync(1, "ready")
        setInterval(() => held, 1000)`
      const child = yield* Effect.acquireRelease(
        Effect.sync(() => spawn(process.execPath, ["-e", grows], { stdio: ["ignore", "pipe", "ignore"] })),
        (one) => Effect.sync(() => one.pid !== undefined && killForSure(one.pid))
      )
      yield* Effect.promise(() => new Promise((done) => child.stdout.once("data", done)))
      const pid = child.pid ?? 0
      yield* Effect.gen(function* () {
        const again = lookWith(yield* ProcessScan.ProcessScan)(realAim)
        const bytes = Effect.map(again, ({ processes }) => processes.get(pid)?.residentBytes ?? 0)
        assert.isAbove(yield* bytes, 0)
        assert.isBelow(yield* bytes, 100 * MiB)
        assert.isAbove(sizesOpen(), 0)
        process.kill(pid, "SIGUSR2")
        yield* eventually(
          "it has grown",
          Effect.map(bytes, (held) => (held > 100 * MiB ? held : undefined))
        )
        killForSure(pid)
        yield* eventually(
          "it is gone",
          Effect.map(again, ({ processes }) => (processes.has(pid) ? undefined : true))
        )
      }).pipe(Effect.provide(ProcessScan.layer))
      assert.strictEqual(sizesOpen(), 0)
    })
  )
})
