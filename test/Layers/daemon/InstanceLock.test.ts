import { spawn, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import { keepingInterruptions } from "../../../src/Layers/concurrency/KeptInterruptions.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as InstanceLock from "../../../src/Layers/daemon/InstanceLock.ts"
import { notRoot, unlessMissing } from "../../fixtures/Missing.ts"
import { listening } from "../../fixtures/OriginalDaemon.ts"
import { whenClosing } from "../../fixtures/WhenClosing.ts"
import { eventually } from "../../live/TestDaemon.ts"

const home = Effect.acquireRelease(
  Effect.sync(() => pathsBelow(join(fs.mkdtempSync(join(tmpdir(), "apd-")), "home"))),
  ({ root }) => Effect.sync(() => fs.rmSync(join(root, ".."), { recursive: true, force: true }))
)

type Paths = Effect.Effect.Success<typeof home>

/** Takes the lock until the scope closes. */
const held = (paths: Paths) =>
  Layer.build(InstanceLock.layer).pipe(
    Effect.provideService(AutopilotHome, paths),
    Effect.map((context) => Context.get(context, InstanceLock.InstanceLock))
  )

/** The same; returns the id of the home. */
const lock = (paths: Paths) => Effect.map(held(paths), ({ homeId }) => homeId)

/** Whether another process could take the lock. */
const isFree = ({ lockFile }: Paths) => spawnSync("flock", ["-n", lockFile, "true"]).status === 0

/** Another process that holds the lock, once it does; a daemon is one of Node. */
const holder = (paths: Paths, program = "sleep 1000") =>
  Effect.acquireRelease(
    Effect.async<ReturnType<typeof spawn>>((resume) => {
      fs.mkdirSync(paths.root, { recursive: true })
      const child = spawn("flock", ["-n", "-F", paths.lockFile, "sh", "-c", `echo held; exec ${program}`])
      child.stdout.once("data", () => resume(Effect.succeed(child)))
    }),
    (child) => Effect.sync(() => child.kill("SIGKILL"))
  )

describe("the lock of a home", () => {
  it.scopedLive("creates a private home, and a PID file with the decimal pid alone", () =>
    Effect.gen(function* () {
      const paths = yield* home
      yield* lock(paths)
      assert.strictEqual(fs.readFileSync(paths.pidFile, "utf8"), String(process.pid))
      assert.strictEqual(fs.statSync(paths.root).mode & 0o777, 0o700)
      for (const file of [paths.pidFile, paths.lockFile, paths.idFile]) {
        assert.strictEqual(fs.statSync(file).mode & 0o777, 0o600, file)
      }
    })
  )

  it.scopedLive("keeps the id of a home, and removes the PID file at its release", () =>
    Effect.gen(function* () {
      const paths = yield* home
      const first = yield* Effect.scoped(lock(paths))
      assert.match(first, /^[0-9a-f]{16}$/)
      assert.isFalse(fs.existsSync(paths.pidFile))
      const second = yield* Effect.scoped(lock(paths))
      assert.strictEqual(second, first)
      const other = yield* Effect.flatMap(home, lock)
      assert.notStrictEqual(other, first)
    })
  )

  it.scopedLive("leaves a PID file that another process has written meanwhile", () =>
    Effect.gen(function* () {
      const paths = yield* home
      yield* Effect.scoped(
        Effect.zipRight(
          lock(paths),
          Effect.sync(() => fs.writeFileSync(paths.pidFile, "1"))
        )
      )
      assert.strictEqual(fs.readFileSync(paths.pidFile, "utf8"), "1")
    })
  )

  it.scopedLive("names its owner, and is released when the owner is killed", () =>
    Effect.gen(function* () {
      const paths = yield* home
      const other = yield* holder(paths)
      fs.writeFileSync(paths.pidFile, `${other.pid}\n`)
      fs.writeFileSync(paths.lockFile, "4711")
      const refused = yield* Effect.flip(Effect.scoped(lock(paths)))
      assert(refused._tag === "AlreadyRunning")
      assert.strictEqual(refused.pid, other.pid)
      assert.include(refused.message, `already running with pid ${other.pid} for ${paths.root}`)
      other.kill("SIGKILL")
      // Until then it is the one who holds it.
      yield* eventually("it is gone", () => other.signalCode ?? undefined)
      yield* lock(paths)
      assert.strictEqual(fs.readFileSync(paths.pidFile, "utf8"), String(process.pid))
    })
  )

  it.scopedLive("names no owner rather than a wrong one, whatever the PID file says (D14)", () =>
    Effect.forEach(
      [String(process.pid), "1", "not a pid"],
      (stale) =>
        Effect.gen(function* () {
          const paths = yield* home
          yield* holder(paths)
          fs.writeFileSync(paths.pidFile, stale)
          const refused = yield* Effect.flip(Effect.scoped(lock(paths)))
          assert(refused._tag === "AlreadyRunning")
          assert.isUndefined(refused.pid, stale)
          assert.notInclude(refused.message, "pid")
        }),
      { concurrency: "unbounded" }
    )
  )

  it.scopedLive("is awaited while its owner exits", () =>
    Effect.gen(function* () {
      const paths = yield* home
      const other = yield* holder(paths)
      yield* Effect.fork(
        // It goes only after the first look, which has made the folders, was refused.
        Effect.sync(() => fs.existsSync(paths.logDir)).pipe(
          Effect.repeat({ until: (isThere) => isThere, schedule: Schedule.spaced("10 millis") }),
          Effect.zipRight(Effect.sleep("100 millis")),
          Effect.zipRight(Effect.sync(() => other.kill("SIGKILL")))
        )
      )
      yield* lock(paths)
      assert.strictEqual(fs.readFileSync(paths.pidFile, "utf8"), String(process.pid))
    })
  )

  it.scopedLive("is made and locked again after its file, or the whole home, was removed", () =>
    Effect.gen(function* () {
      const paths = yield* home
      const { holds, homeId, isHeldNow, isLocal, keep, news } = yield* held(paths)
      const stateFile = join(paths.stateDir, "shop.json")
      for (const removed of [stateFile, paths.lockFile, paths.idFile, paths.stateDir, paths.root]) {
        fs.writeFileSync(stateFile, "")
        keep(stateFile)
        assert.isTrue(yield* holds)
        // The folder of temporary files may be on any disk.
        assert.strictEqual(isHeldNow(), isLocal)
        fs.rmSync(removed, { recursive: true })
        assert.isFalse(isHeldNow())
        assert.isTrue(yield* holds)
        assert.strictEqual(isHeldNow(), isLocal)
        assert.isFalse(isFree(paths), removed)
        const { _tag, reason } = yield* news
        assert.strictEqual(_tag, "HomeMadeAgain")
        assert.include(reason, removed === paths.root ? paths.lockFile : removed)
        assert.strictEqual(fs.readFileSync(paths.idFile, "utf8").trim(), homeId)
        assert.strictEqual(fs.readFileSync(paths.pidFile, "utf8"), String(process.pid))
        assert.isTrue(fs.statSync(paths.stateDir).isDirectory())
      }
    })
  )

  it.scopedLive("holds up no stop that comes while it lets go of a lock whose taker was stopped, too", () =>
    keepingInterruptions(
      Effect.gen(function* () {
        const paths = yield* home
        const { holds } = yield* held(paths)
        const stop = { now: () => {} }
        const isLock = (address: string) => address.includes("autopilotd-")
        const taker = yield* Effect.forkDaemon(
          Effect.uninterruptible(
            Effect.gen(function* () {
              yield* Effect.withFiberRuntime<void>((fiber) => {
                fiber.unsafeInterruptAsFork(FiberId.none)
                return Effect.yieldNow()
              })
              fs.rmSync(paths.root, { recursive: true })
              yield* holds
            })
          )
        )
        yield* Fiber.await(taker)
        yield* whenClosing(isLock, () => stop.now())
        fs.rmSync(paths.root, { recursive: true })
        const asker = yield* Effect.forkDaemon(Effect.zipRight(holds, Effect.never))
        stop.now = () => asker.unsafeInterruptAsFork(FiberId.none)
        yield* eventually("the asker ends", Effect.map(Fiber.poll(asker), Option.getOrUndefined))
      })
    )
  )

  it.scopedLive("is refused to a start while a daemon lives whose lock file was removed", () =>
    Effect.gen(function* () {
      const paths = yield* home
      const other = yield* holder(paths, `'${process.execPath}' -e 'setInterval(() => {}, 1e6)'`)
      yield* eventually("it runs Node", () => fs.readlinkSync(`/proc/${other.pid}/exe`) === process.execPath)
      fs.rmSync(paths.root, { recursive: true })
      const refused = yield* Effect.flip(Effect.scoped(lock(paths)))
      assert(refused._tag === "AlreadyRunning")
      assert.strictEqual(refused.pid, other.pid)
      assert.isTrue(isFree(paths))
    })
  )

  it.scopedLive(
    "is taken while another program has a lock file open that was removed: that is no daemon",
    () =>
      Effect.gen(function* () {
        const paths = yield* home
        yield* holder(paths)
        fs.rmSync(paths.root, { recursive: true })
        yield* lock(paths)
        assert.isFalse(isFree(paths))
      })
  )

  it.scopedLive("is refused to a start while a daemon answers on the socket", () =>
    Effect.gen(function* () {
      const paths = yield* home
      fs.mkdirSync(paths.root)
      yield* listening(paths.socket, (socket) => socket.destroy())
      const refused = yield* Effect.flip(Effect.scoped(lock(paths)))
      assert.strictEqual(refused._tag, "AlreadyRunning")
      assert.isFalse(fs.existsSync(paths.pidFile))
    })
  )

  it.scopedLive("is taken although another user's program has bound the name that stands in for it", () =>
    Effect.gen(function* () {
      const paths = yield* home
      fs.mkdirSync(paths.root, { mode: 0o700 })
      fs.writeFileSync(paths.lockFile, "", { mode: 0o600 })
      const { dev, ino } = fs.statSync(paths.lockFile, { bigint: true })
      yield* listening(`\0autopilotd-${dev}-${ino}`, (socket) => socket.destroy())
      const { holds } = yield* held(paths)
      assert.isTrue(yield* holds)
      assert.isFalse(isFree(paths))
    })
  )

  it.scopedLive("is lost to a process that has locked the new file, which then keeps its PID file", () =>
    Effect.gen(function* () {
      const paths = yield* home
      yield* Effect.scoped(
        Effect.gen(function* () {
          const { holds, isHeldNow, lost } = yield* held(paths)
          fs.rmSync(paths.root, { recursive: true })
          yield* holder(paths)
          fs.writeFileSync(paths.pidFile, String(process.pid))
          assert.isFalse(isHeldNow())
          assert.isFalse(yield* holds)
          yield* lost
        })
      )
      assert.isTrue(fs.existsSync(paths.pidFile))
    })
  )

  unlessMissing(notRoot)("is not taken in a home that another user owns or may write to", () =>
    Effect.gen(function* () {
      const paths = yield* home
      fs.mkdirSync(paths.root, { mode: 0o700 })
      const refused = Effect.map(Effect.flip(Effect.scoped(lock(paths))), ({ message }) => message)
      fs.chownSync(paths.root, 54321, 54321)
      assert.match(
        yield* refused,
        /home cannot be used: it belongs to uid 54321, and its files say what runs as you\. Run autopilotd as that user, or set AUTOPILOT_HOME to another folder of your own\.$/
      )
      fs.chownSync(paths.root, 0, 54321)
      fs.chmodSync(paths.root, 0o770)
      assert.match(yield* refused, /can be written by all users of group 54321, .*chmod 700 \/\S+home\.$/)
      fs.chmodSync(paths.root, 0o707)
      assert.match(yield* refused, /can be written by every user, .* Look through its files, then run:/)
      assert.deepStrictEqual(fs.readdirSync(paths.root), [])
    })
  )

  it.scopedLive("writes through no link that another user has left in the home", () =>
    Effect.gen(function* () {
      const paths = yield* home
      fs.mkdirSync(paths.root, { mode: 0o755 })
      const victim = join(paths.root, "..", "victim")
      fs.writeFileSync(victim, "mine")
      const names = [".probe", "id.new", "autopilotd.pid.new", "autopilotd.pid"]
      for (const name of names) fs.symlinkSync(victim, join(paths.root, name))
      yield* lock(paths)
      assert.strictEqual(fs.readFileSync(victim, "utf8"), "mine")
    })
  )

  it.scopedLive("fails with reason and action where its files cannot be created", () =>
    Effect.gen(function* () {
      const cases: ReadonlyArray<readonly [file: (paths: Paths) => string, said: RegExp]> = [
        [
          ({ pidFile }) => pidFile,
          /autopilotd\.pid cannot be used: it is a folder, not a file\. Rename it, or/
        ],
        [
          ({ lockFile }) => lockFile,
          /autopilotd\.lock cannot be used: it is a folder, not a file\. Rename it, or/
        ],
        [({ idFile }) => idFile, /id cannot be used: it is a folder, not a file\. Rename it, or/]
      ]
      for (const [fileOf, said] of cases) {
        const paths = yield* home
        fs.mkdirSync(fileOf(paths), { recursive: true })
        const refused = yield* Effect.flip(Effect.scoped(lock(paths)))
        assert.strictEqual(refused._tag, "HomeUnusable")
        assert.match(refused.message, said)
      }
    })
  )
})
