import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { basename, join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { processName } from "../../../src/Domain/machine/ProcessName.ts"
import * as ProcessScan from "../../../src/Layers/machine/ProcessScan.ts"
import * as ProcFs from "../../../src/Layers/machine/ProcFs.ts"
import { eventually, isAlive, killForSure, temporaryHome } from "../../live/TestDaemon.ts"
import { MiB, type ProcFolder, procFolder } from "./ProcFolder.ts"

const homeId = "0123456789abcdef"
const mark = (uuid: string) => `${homeId}:shop:${uuid}`
const entry = (uuid: string) => `AUTOPILOT_WORKER_ID=${mark(uuid)}`
const uid = process.getuid?.() ?? 0

const aim = { homeId, largeBytes: 100 * MiB, swapInUseBytes: 0 }
const largeBytes = 200 * MiB

/** A machine with init, the daemon's shell, and the daemon. */
const machine = Effect.map(temporaryHome, (root) => {
  const proc = procFolder(root)
  proc.put(1, { parent: 0 })
  proc.put(40)
  proc.put(50, { parent: 40, session: 40 })
  return proc
})

/** Copies the facts, because the next scan overwrites them. */
const scanWith =
  ({ scan }: typeof ProcessScan.ProcessScan.Service) =>
  (wanted: ProcessScan.ScanAim) =>
    scan(wanted, (facts) => Effect.sync(() => structuredClone(facts)))

const scanOf = (root: string) =>
  Effect.map(ProcessScan.ProcessScan, scanWith).pipe(
    Effect.provide(Layer.provide(ProcessScan.layerOf({ selfPid: 50, uid }), ProcFs.layerAt(root)))
  )

describe("a scan", () => {
  it.scoped("reads the size and the descent of every process, and no more", () =>
    Effect.gen(function* () {
      const proc = yield* machine
      proc.put(100, { parent: 50, residentBytes: MiB })
      proc.put(2, { parent: 0, session: 0, flags: 0x00200000, residentBytes: 0 })
      fs.mkdirSync(join(proc.root, "sys"))
      fs.mkdirSync(join(proc.root, "77"))
      const facts = yield* (yield* scanOf(proc.root))(aim)
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

  it.scoped("reads program, command line and owner of a large process", () =>
    Effect.gen(function* () {
      const proc = yield* machine
      proc.put(100, { residentBytes: largeBytes, comm: "MainThread" })
      proc.put(101, { residentBytes: largeBytes, uids: [4711, uid, uid, uid] })
      proc.put(102, { residentBytes: largeBytes, cmdline: "", exe: undefined })
      const { details } = yield* (yield* scanOf(proc.root))(aim)
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

  it.scoped("finds small processes that have strayed from a worker, and reads few environments for it", () =>
    Effect.gen(function* () {
      const proc = yield* machine
      proc.put(100, { parent: 50, mark: mark("now") })
      proc.put(101, { parent: 100, session: 100, mark: mark("now") })
      proc.put(200, { environ: `A=1\0${entry("before")}\0B=2\0` })
      proc.put(201, { parent: 200, session: 200 })
      proc.put(202, { session: 99, environ: `${"x".repeat(300_000)}\0${entry("large")}` })
      proc.put(203, { environ: `OTHER_${entry("no")}\0ARGS=--env ${entry("no")}\0` })
      const facts = yield* (yield* scanOf(proc.root))(aim)
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

  it.scoped("counts swap once much of it is in use, and then finds processes that are swapped out", () =>
    Effect.gen(function* () {
      const proc = yield* machine
      proc.put(100, { swapBytes: 200 * MiB })
      const scan = yield* scanOf(proc.root)
      const without = yield* scan({ ...aim, swapInUseBytes: 100 * MiB })
      assert.strictEqual(without.processes.get(100)?.swapBytes, 0)
      assert.isFalse(without.details.has(100))
      const withSwap = yield* scan({ ...aim, swapInUseBytes: 100 * MiB + 1 })
      assert.strictEqual(withSwap.processes.get(100)?.swapBytes, 200 * MiB)
      assert.isTrue(withSwap.details.has(100))
      const after = yield* scan(aim)
      assert.strictEqual(after.processes.get(100)?.swapBytes, 0)
    })
  )

  it.scoped("fails when /proc cannot be read, and never returns an empty machine", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip((yield* scanOf("/nonexistent/proc"))(aim))
      assert.strictEqual(error._tag, "ProcUnreadable")
    })
  )
})

describe("the next scan", () => {
  const secondScan = (
    change: (proc: ProcFolder) => void,
    before: (proc: ProcFolder) => void = () => undefined
  ) =>
    Effect.gen(function* () {
      const proc = yield* machine
      proc.put(100)
      before(proc)
      const scan = yield* scanOf(proc.root)
      yield* scan(aim)
      change(proc)
      return yield* scan(aim)
    })

  it.scoped("sees processes that have grown, started or exited", () =>
    Effect.gen(function* () {
      const facts = yield* secondScan(
        (proc) => {
          proc.put(100, { residentBytes: largeBytes })
          proc.put(102)
          proc.remove(101)
        },
        (proc) => proc.put(101)
      )
      assert.strictEqual(facts.processes.get(100)?.residentBytes, 200 * MiB)
      assert.isTrue(facts.details.has(100))
      assert.isTrue(facts.processes.has(102))
      assert.isFalse(facts.processes.has(101))
    })
  )

  it.scoped("does not confuse a large process with an earlier one of the same pid", () =>
    Effect.gen(function* () {
      const facts = yield* secondScan(
        (proc) => proc.put(200, { start: 9000, parent: 40, session: 40, residentBytes: largeBytes }),
        (proc) => proc.put(200, { mark: mark("before") })
      )
      assert.deepInclude(facts.processes.get(200), { startTicks: 9000, parentPid: 40 })
      assert.isFalse(facts.marks.has(200))
    })
  )

  it.scoped("does not confuse a small process with a worker's earlier one of the same pid", () =>
    Effect.gen(function* () {
      const facts = yield* secondScan(
        (proc) => proc.put(200, { start: 9000, parent: 40, session: 40 }),
        (proc) => proc.put(200, { mark: mark("before") })
      )
      assert.strictEqual(facts.processes.get(200)?.startTicks, 9000)
      assert.isFalse(facts.marks.has(200))
      assert.isFalse(facts.details.has(200))
    })
  )

  it.scoped("sees a process whose parent has exited", () =>
    Effect.gen(function* () {
      const now = mark("now")
      const facts = yield* secondScan(
        (proc) => {
          proc.remove(101)
          proc.put(102, { parent: 1, session: 101, mark: now })
        },
        (proc) => {
          proc.put(101, { parent: 50, mark: now })
          proc.put(102, { parent: 101, session: 101, mark: now })
        }
      )
      assert.strictEqual(facts.processes.get(102)?.parentPid, 1)
      assert.deepStrictEqual([...facts.details.keys()], [102])
    })
  )

  it.scoped("reads all ancestors of a large process again", () =>
    Effect.gen(function* () {
      const now = mark("now")
      const facts = yield* secondScan(
        (proc) => {
          // Both pids belong to other processes now.
          proc.put(101, { parent: 40, session: 40, start: 9000 })
          proc.put(102, { parent: 101, session: 40, start: 9001 })
          proc.put(103, { parent: 102, session: 40, start: 9002, residentBytes: largeBytes })
        },
        (proc) => {
          proc.put(101, { parent: 50, mark: now })
          proc.put(102, { parent: 101, session: 101, mark: now })
        }
      )
      assert.deepInclude(facts.processes.get(101), { startTicks: 9000, parentPid: 40 })
      assert.strictEqual(facts.processes.get(102)?.startTicks, 9001)
      assert.strictEqual(facts.marks.size, 0)
    })
  )

  it.scoped("sees a new zombie", () =>
    Effect.gen(function* () {
      const facts = yield* secondScan((proc) => proc.put(100, { state: "Z", residentBytes: 0 }))
      assert.strictEqual(facts.processes.get(100)?.state, "Z")
    })
  )

  it.scoped("sees a new ancestor of the daemon", () =>
    Effect.gen(function* () {
      const facts = yield* secondScan((proc) => {
        proc.remove(40)
        proc.put(50, { parent: 100, session: 40 })
      })
      assert.strictEqual(facts.processes.get(50)?.parentPid, 100)
    })
  )

  it.scoped("reads everything again after a long time", () =>
    Effect.gen(function* () {
      const proc = yield* machine
      proc.put(100)
      const scan = yield* scanOf(proc.root)
      yield* scan(aim)
      proc.put(100, { start: 9000, parent: 40 })
      yield* TestClock.adjust("31 seconds")
      const facts = yield* scan(aim)
      assert.deepInclude(facts.processes.get(100), { startTicks: 9000, parentPid: 40 })
    })
  )

  it.scoped("reads an environment again that was empty, as it is during exec", () =>
    Effect.gen(function* () {
      const facts = yield* secondScan(
        (proc) => proc.put(200, { mark: mark("before") }),
        (proc) => proc.put(200, { environ: "" })
      )
      assert.isTrue(facts.marks.has(200))
    })
  )

  it.scoped("reads the environment of a young process again, which shows its parent's until its exec", () =>
    Effect.gen(function* () {
      const facts = yield* secondScan(
        (proc) => proc.put(200, { mark: mark("before") }),
        (proc) => proc.put(200)
      )
      assert.isTrue(facts.marks.has(200))
    })
  )

  it.scoped("does not read the environment of an old process again", () =>
    Effect.gen(function* () {
      const facts = yield* secondScan(
        (proc) => proc.put(200, { mark: mark("before") }),
        (proc) => {
          proc.put(200)
          proc.put(900, { start: 100_000 })
        }
      )
      assert.isFalse(facts.marks.has(200))
    })
  )

  it.scoped("does not overlap with another one", () =>
    Effect.gen(function* () {
      const proc = yield* machine
      for (let pid = 1000; pid < 1500; pid++) proc.put(pid)
      const scan = yield* scanOf(proc.root)
      const all = yield* Effect.all([scan(aim), scan(aim), scan(aim)], { concurrency: "unbounded" })
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
  eventually(`a pid in ${file}`, () => {
    const pid = fs.existsSync(file) ? Number(fs.readFileSync(file, "utf8").trim()) : 0
    return pid > 0 ? pid : undefined
  })

/** The process whose pid is in a file, killed at the end. */
const startedIn = (file: string) =>
  Effect.acquireRelease(pidFrom(file), (pid) => Effect.sync(() => killForSure(pid)))

describe("on this machine, a scan", () => {
  const homeOfTest = "feedfacefeedface"
  const realAim = { homeId: homeOfTest, largeBytes: 60 * MiB, swapInUseBytes: 0 }
  const scan = Effect.flatMap(ProcessScan.ProcessScan, (scan) => scanWith(scan)(realAim)).pipe(
    Effect.provide(Layer.provide(ProcessScan.layer, ProcFs.layer))
  )

  it.scopedLive("finds processes that have left a worker by a double fork, also into another session", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryHome
      const sleep = join(folder, "sleep.sh")
      fs.writeFileSync(sleep, 'echo $$ >"$1.new"; mv "$1.new" "$1"; exec sleep 300\n')
      const [same, other, kept] = ["same", "other", "kept"].map((name) => join(folder, name))
      const run = (file: string | undefined) => `sh ${sleep} ${file}`
      // The shell stays, so that the processes stray from a running worker.
      const lines = [`(${run(same)} &)`, `setsid sh -c '(${run(other)} &)'`, `${run(kept)} &`, "wait"]
      yield* started(lines.join("\n"), `${homeOfTest}:shop:1`)
      const pids = [yield* startedIn(`${same}`), yield* startedIn(`${other}`)]
      const keptPid = yield* startedIn(`${kept}`)
      const facts = yield* eventually(
        "they have lost their parents, and have become another program",
        Effect.map(scan, (found) =>
          pids.every((pid) => found.details.get(pid)?.argv[0] === "sleep") ? found : undefined
        )
      )
      // It descends from this process, which is the daemon here.
      assert.isTrue(facts.processes.has(keptPid))
      assert.isFalse(facts.details.has(keptPid))
    })
  )

  it.scopedLive("finds a process without the mark while it descends from one that has strayed", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryHome
      const [outer, inner] = [join(folder, "outer"), join(folder, "inner")]
      const line = `echo $$ >${outer}; env -i /bin/sh -c "echo \\$\\$ >${inner}; exec sleep 300" & wait`
      fs.writeFileSync(join(folder, "line.sh"), line)
      yield* started(`(setsid sh ${join(folder, "line.sh")} &)`, `${homeOfTest}:shop:2`)
      const outerPid = yield* startedIn(outer)
      const innerPid = yield* startedIn(inner)
      const facts = yield* eventually(
        "it has lost its parent",
        Effect.map(scan, (found) => (found.details.has(outerPid) ? found : undefined))
      )
      assert.isFalse(facts.marks.has(innerPid))
      assert.isTrue(facts.details.has(innerPid))
    })
  )

  it.scopedLive("names a program by its file, lists no threads, and counts all its memory (D21)", () =>
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
        Effect.map(scan, ({ details, processes }) => {
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
      const after = (yield* scan).details.get(pid)
      assert(after !== undefined)
      assert.match(after.executable ?? "", / \(deleted\)$/)
      assert.strictEqual(processName(after), basename(copy))
    })
  )

  it.scopedLive("follows a process until its exit, and leaves no file open (D25)", () =>
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
        const again = scanWith(yield* ProcessScan.ProcessScan)(realAim)
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
      }).pipe(Effect.provide(Layer.provide(ProcessScan.layer, ProcFs.layer)))
      assert.strictEqual(sizesOpen(), 0)
    })
  )
})
