import { execFileSync } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import type { Readable } from "node:stream"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as ProcFs from "../../../src/Layers/machine/ProcFs.ts"
import { releaseOutput } from "../../../src/Layers/output/HeldOutput.ts"
import type { CannotStart } from "../../../src/Layers/tree/Executable.ts"
import { makeLeaderFile } from "../../../src/Layers/tree/SavedTraces.ts"
import * as WorkerProcess from "../../../src/Layers/tree/WorkerProcess.ts"
import { turnOfTheEventLoop } from "../../fixtures/EventLoopTurn.ts"
import { eventually, killForSure, processesWith, temporaryHome } from "../../live/TestDaemon.ts"

const refusals: ReadonlyArray<
  readonly [what: string, spec: Partial<WorkerProcess.WorkerSpec>, told: RegExp]
> = [
  [
    "a prompt of more than 128 KiB as an argument",
    { argv: ["/bin/echo", "-p", "x".repeat(140_000)] },
    /: argument 2 has 136\.7 KiB, and Linux takes at most 128 KiB in one\. Put the text into a file/
  ],
  [
    "a variable of more than 128 KiB",
    { env: { SYSTEM_PROMPT: "x".repeat(140_000) } },
    /: the variable SYSTEM_PROMPT has 136\.7 KiB, and Linux takes at most 128 KiB in one/
  ],
  [
    "an environment that is too large as a whole",
    { env: Object.fromEntries([...Array(100).keys()].map((n) => [`V${n}`, "x".repeat(100_000)])) },
    /: its arguments and its environment have 9\.5 MiB, more than Linux takes/
  ],
  [
    "a NUL character in an argument",
    { argv: ["/bin/echo", "a\0b"] },
    /: argument 1 holds a NUL character, which no program can receive/
  ],
  [
    "a NUL character in a variable",
    { env: { KEY: "sk-secret\0" } },
    /: the variable KEY holds a NUL character, which no program can receive/
  ]
]

describe("a worker that the system does not start", () => {
  for (const [what, spec, told] of refusals) {
    it.effect(`is reported with the cause: ${what}`, () =>
      Effect.gen(function* () {
        const { start } = yield* WorkerProcess.WorkerProcess
        const { reason } = yield* Effect.flip(
          start({ project: "odd", argv: ["/bin/true"], cwd: "/", env: {}, ...spec })
        )
        assert.match(reason, told)
        assert.notMatch(reason, /xxx|sk-secret/)
      }).pipe(Effect.provide(layer))
    )
  }
})

const layer = Layer.provide(WorkerProcess.layer, ProcFs.layer)

/** A worker whose start hangs: nobody reads the pipe that it writes to before anything else. */
const hanging = Effect.map(temporaryHome, (home) => {
  const entrance = join(home, "pipe")
  execFileSync("mkfifo", [entrance])
  const spec = { project: "hangs", argv: ["/bin/true"] as const, cwd: "/", env: { HUNG: home }, entrance }
  return { spec, processes: () => processesWith(`HUNG=${home}`) }
})

describe("a worker whose start hangs on a disk", () => {
  it.scoped("is killed after the limit, which becomes the reason of the failed start", () =>
    Effect.gen(function* () {
      const { processes, spec } = yield* hanging
      const { start } = yield* WorkerProcess.WorkerProcess
      const starting = yield* Effect.fork(Effect.flip(start(spec)))
      let ended = Option.none<Exit.Exit<CannotStart, unknown>>()
      while (Option.isNone(ended)) {
        yield* turnOfTheEventLoop
        yield* TestClock.adjust("1 second")
        ended = yield* Fiber.poll(starting)
      }
      const { reason } = yield* ended.value
      assert.match(
        reason,
        /^its start hung for 30s: the disk of \/, or of \/bin\/true, does not answer\. Check/
      )
      // A killed process is seen until the kernel has ended it.
      while (processes().length > 0) yield* turnOfTheEventLoop
    }).pipe(Effect.provide(layer))
  )

  it.scopedLive("can be stopped meanwhile", () =>
    Effect.gen(function* () {
      const { processes, spec } = yield* hanging
      const { start } = yield* WorkerProcess.WorkerProcess
      const starting = yield* Effect.fork(Effect.uninterruptible(start(spec)))
      yield* eventually("the shell runs", () => processes()[0])
      yield* Fiber.interrupt(starting)
      assert.deepStrictEqual(processes(), [])
    }).pipe(Effect.provide(layer))
  )
})

describe("a worker that is stopped when its shell has become it", () => {
  it.scoped("has started, so that the stop ends all its processes", () =>
    Effect.gen(function* () {
      const { start } = yield* WorkerProcess.WorkerProcess
      const path = yield* temporaryHome
      const file = join(path, "pid")
      const started = yield* Deferred.make<number, CannotStart>()
      // No time passes in this test: the start looks at its shell once.
      const starting = yield* start({
        project: "shop",
        argv: ["/bin/sh", "-c", `echo $$ >${file}; exec sleep 1000`],
        cwd: "/",
        env: { PATH: "/usr/bin:/bin" }
      }).pipe(
        Effect.map((worker) => worker.pid),
        Effect.intoDeferred(started),
        Effect.uninterruptible,
        Effect.fork
      )
      while (!(fs.existsSync(file) && fs.readFileSync(file, "utf8").endsWith("\n"))) yield* turnOfTheEventLoop
      const pid = Number(fs.readFileSync(file, "utf8"))
      yield* Effect.addFinalizer(() => Effect.sync(() => killForSure(pid)))
      yield* Fiber.interrupt(starting)
      assert.strictEqual(yield* Deferred.await(started), pid)
    }).pipe(Effect.provide(layer))
  )
})

describe("a worker", () => {
  it.scopedLive("starts in its folder, with PWD and OLDPWD as without the shell that starts it", () =>
    Effect.gen(function* () {
      const cwd = yield* temporaryHome
      const { start } = yield* WorkerProcess.WorkerProcess
      const said = Effect.fnUntraced(function* (env: Readonly<Record<string, string>>) {
        const argv = ["/bin/sh", "-c", 'echo "$PWD ${OLDPWD-none} $(pwd -P)"'] as const
        const { exit, stdout } = yield* start({ project: "says", argv, cwd, env })
        let text = ""
        stdout.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")))
        releaseOutput(stdout)
        yield* exit
        return yield* eventually("it has said so", () => (text.endsWith("\n") ? text.trim() : undefined))
      })
      assert.strictEqual(yield* said({ PWD: "/gone", OLDPWD: "/before" }), `${cwd} /before ${cwd}`)
      assert.strictEqual(yield* said({}), `${cwd} none ${cwd}`)
    }).pipe(Effect.provide(layer))
  )
})

describe("a worker that exits at once", () => {
  it.scopedLive("loses none of its output to a daemon that is too busy to read it before the exit", () =>
    Effect.gen(function* () {
      const { start } = yield* WorkerProcess.WorkerProcess
      const argv = ["/bin/sh", "-c", "echo out; echo err >&2; exit 3"] as const
      const worker = yield* start({ project: "brief", argv, cwd: "/", env: {} })
      assert.deepInclude(yield* worker.exit, { exit: { code: 3, signal: null } })
      // Some turns of the event loop: Node flushes what nobody reads in the turn after the exit.
      yield* Effect.sleep("20 millis")
      const read = (stream: Readable) =>
        Effect.suspend(() => {
          let text = ""
          stream.on("data", (chunk: Buffer) => (text += chunk.toString("utf8")))
          releaseOutput(stream)
          return eventually("its end is read", () => (stream.destroyed ? text : undefined))
        })
      assert.strictEqual(yield* read(worker.stdout), "out\n")
      assert.strictEqual(yield* read(worker.stderr), "err\n")
    }).pipe(Effect.provide(layer))
  )
})

describe("the leader of a worker", () => {
  it.scopedLive.each([true, false])(
    "is on disk by pid and start time before the agent runs, and not in the agent's environment (local disk: %s)",
    (isLocal) =>
      Effect.gen(function* () {
        const home = pathsBelow(yield* temporaryHome)
        fs.mkdirSync(home.stateDir)
        const origin = { bootId: "boot", homeId: "home" }
        const made = makeLeaderFile(home, ProjectName.make("shop"), origin, isLocal)
        const trace = yield* made
        // That of a former leader stays until the next one writes over it.
        fs.writeFileSync(trace?.file ?? "", `${"former".repeat(50)}\n`)
        assert.deepStrictEqual(yield* made, trace)
        const { start } = yield* WorkerProcess.WorkerProcess
        const worker = yield* start({
          project: "shop",
          // The agent reads the file, and shows its own start time and environment.
          argv: ["/bin/sh", "-c", 'head -n 1 "$FILE"; cat /proc/$$/stat; env'],
          cwd: "/",
          // The shell that starts it has variables of its own.
          env: { FILE: trace?.file ?? "", PATH: process.env["PATH"] ?? "", __: "1", __start: "2", own: "3" },
          trace
        })
        const said = yield* Effect.promise(() => worker.stdout.setEncoding("utf8").toArray())
        const [line = "", stat = "", ...env] = said.join("").trim().split("\n")
        assert.deepStrictEqual(JSON.parse(line), {
          bootId: "boot",
          homeId: "home",
          processes: [{ pid: worker.pid, startTicks: Number(stat.split(" ")[21]) }]
        })
        assert.deepStrictEqual(
          env.filter((entry) => !/^(PWD|SHLVL|_|OLDPWD|FILE|PATH)=/.test(entry)).toSorted(),
          ["__=1", "__start=2", "own=3"]
        )
      }).pipe(Effect.provide(layer))
  )
})
