import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import { keepingInterruptions } from "../../../src/Layers/concurrency/KeptInterruptions.ts"
import * as ControlServer from "../../../src/Layers/control/ControlServer.ts"
import { ControlServerError } from "../../../src/Layers/control/ControlSocketFile.ts"
import { askDisk } from "../../../src/Layers/files/PathQuestions.ts"
import { talk } from "../../fixtures/RawClient.ts"
import {
  answer,
  handlerOf,
  logged,
  runningLine,
  served,
  socketPath,
  status,
  told,
  until
} from "../../fixtures/ServedControl.ts"
import { temporaryFolder } from "../../fixtures/TemporaryFolder.ts"
import { whenClosing } from "../../fixtures/WhenClosing.ts"
import { eventually } from "../../live/TestDaemon.ts"

describe("the control socket's file", () => {
  it.scopedLive("is open to its user only, and is alone in its folder", () =>
    Effect.gen(function* () {
      const { path } = yield* served()
      assert.strictEqual(Fs.statSync(path).mode & 0o777, 0o600)
      assert.deepStrictEqual(Fs.readdirSync(Path.dirname(path)), ["autopilotd.sock"])
    })
  )

  it.scopedLive("replaces what a killed daemon left: a socket, a half-made one, or a plain file", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const path = Path.join(folder, "autopilotd.sock")
      Fs.writeFileSync(path, "not a socket")
      Fs.writeFileSync(Path.join(folder, ".sock-new"), "")
      yield* ControlServer.bind({ path }).pipe(Effect.provide(handlerOf(answer)))
      assert.strictEqual((yield* told(path, [status])).text, runningLine)
      assert.deepStrictEqual(Fs.readdirSync(folder), ["autopilotd.sock"])
    })
  )

  it.scopedLive("is not removed by a daemon whose successor has already started", () =>
    Effect.gen(function* () {
      const path = Path.join(yield* temporaryFolder, "autopilotd.sock")
      const bind = ControlServer.bind({ path }).pipe(Effect.provide(handlerOf(answer)))
      const [first, second] = [yield* Scope.make(), yield* Scope.make()]
      yield* Scope.extend(bind, first)
      yield* Scope.extend(bind, second)
      yield* Scope.close(first, Exit.void)
      assert.strictEqual((yield* told(path, [status])).text, runningLine)
      yield* Scope.close(second, Exit.void)
      assert.isFalse(Fs.existsSync(path))
    })
  )

  it.scopedLive("is not removed when another process has replaced it", () =>
    Effect.gen(function* () {
      const path = Path.join(yield* temporaryFolder, "autopilotd.sock")
      yield* Effect.scoped(
        Effect.gen(function* () {
          yield* ControlServer.bind({ path })
          Fs.rmSync(path)
          Fs.writeFileSync(path, "mine")
        })
      ).pipe(Effect.provide(handlerOf(answer)))
      assert.strictEqual(Fs.readFileSync(path, "utf8"), "mine")
    })
  )

  it.scopedLive("answers who connects in the very moment in which it appears", () =>
    Effect.gen(function* () {
      const path = yield* socketPath
      const folder = Path.dirname(path)
      const heard = yield* Deferred.make<string>()
      const connects = (): void => {
        const [found] = Fs.readdirSync(folder)
        if (found === undefined) return void setImmediate(connects)
        talk(Path.join(folder, found), [status]).then(({ text }) =>
          Deferred.unsafeDone(heard, Exit.succeed(text))
        )
      }
      connects()
      yield* ControlServer.bind({ path }).pipe(Effect.provide(handlerOf(answer)))
      assert.strictEqual(yield* Deferred.await(heard), runningLine)
    })
  )

  it.scopedLive("is bound again after it was deleted or replaced, and the log says so (D14)", () =>
    Effect.gen(function* () {
      const { lines, layer } = yield* logged
      yield* Effect.gen(function* () {
        const { path, server } = yield* served({ socketCheckMs: 10 })
        yield* Effect.forkScoped(server.keep)
        const answersAgain = until(
          () =>
            talk(path, [status]).then(
              (heard) => heard.text === runningLine,
              () => false
            ),
          "the socket was not bound again"
        )
        const spoils = [
          () => Fs.rmSync(path),
          () => Fs.renameSync(path, `${path}.moved`),
          () => {
            Fs.writeFileSync(`${path}.other`, "not a socket")
            Fs.renameSync(`${path}.other`, path)
          }
        ]
        for (const [index, spoil] of spoils.entries()) {
          spoil()
          yield* answersAgain
          // A client may be answered before the log has its line.
          yield* until(() => lines.length > index, "the log does not say so")
          assert.strictEqual(Fs.statSync(path).mode & 0o777, 0o600)
          const told = `The control socket ${path} was removed or replaced. The daemon has bound it again.`
          assert.deepStrictEqual(
            lines,
            Array.from({ length: index + 1 }, () => told)
          )
        }
      }).pipe(Effect.provide(layer))
    })
  )

  it.scopedLive("is neither kept nor left behind after a stop that comes while it is bound again", () =>
    Effect.gen(function* () {
      const path = yield* socketPath
      yield* Effect.scoped(
        Effect.gen(function* () {
          const server = yield* ControlServer.bind({ path, limits: { socketCheckMs: 10 } })
          const keeper = yield* Effect.forkDaemon(server.keep)
          yield* whenClosing(
            (address) => address.startsWith(Path.dirname(path)),
            () => keeper.unsafeInterruptAsFork(FiberId.none)
          )
          Fs.rmSync(path)
          yield* eventually("it is no longer kept", Effect.map(Fiber.poll(keeper), Option.getOrUndefined))
        })
      )
      assert.isFalse(Fs.existsSync(path))
    }).pipe(Effect.provide(handlerOf(answer)), keepingInterruptions)
  )

  it.scopedLive("is reported missing once while it cannot be bound again", () =>
    Effect.gen(function* () {
      const { lines, layer } = yield* logged
      yield* Effect.gen(function* () {
        const { path, server } = yield* served({ socketCheckMs: 5 })
        let attempts = 0
        yield* Effect.acquireRelease(
          Effect.sync(() =>
            Fs.watch(Path.dirname(path), (_, name) => void (name === ".sock-new" && attempts++))
          ),
          (watcher) => Effect.sync(() => watcher.close())
        )
        Fs.rmSync(path)
        Fs.mkdirSync(path)
        yield* Effect.forkScoped(server.keep)
        yield* until(() => attempts > 10, "it was not tried again")
        Fs.rmdirSync(path)
        yield* until(() => lines.length > 1, "it was not bound again")
        assert.match(lines[0] ?? "", /a folder has that name.* The daemon keeps trying\.$/)
        assert.match(lines[1] ?? "", /The daemon has bound it again\.$/)
        assert.strictEqual((yield* told(path, [status])).text, runningLine)
      }).pipe(Effect.provide(layer))
    })
  )
})

const failureAt = (path: string) =>
  ControlServer.bind({ path }).pipe(Effect.provide(handlerOf(answer)), Effect.scoped, Effect.flip)

describe("a control socket that cannot be bound", () => {
  it.scopedLive("reports the bytes of a path that is too long, and creates nothing", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const pathOf = (bytes: number) =>
        Path.join(folder, "é".repeat(10).padEnd(bytes - folder.length - 11, "x"))
      const error = yield* failureAt(pathOf(108))
      assert.strictEqual(
        error.message,
        `The path of the control socket has 108 bytes, but Linux allows 107: ${pathOf(108)}. ` +
          "Set AUTOPILOT_HOME to a folder with a shorter path."
      )
      assert.deepStrictEqual(Fs.readdirSync(folder), [])
      yield* Effect.scoped(ControlServer.bind({ path: pathOf(107) })).pipe(Effect.provide(handlerOf(answer)))
    })
  )

  it.scopedLive("reports what is wrong with its folder", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const missing = yield* failureAt(Path.join(folder, "none", "autopilotd.sock"))
      assert.include(missing.message, `the folder ${folder}/none does not exist. Create it`)
      Fs.writeFileSync(Path.join(folder, "file"), "")
      const noFolder = yield* failureAt(Path.join(folder, "file", "autopilotd.sock"))
      assert.include(noFolder.message, `${folder}/file is not a folder`)
      Fs.mkdirSync(Path.join(folder, "autopilotd.sock"))
      const taken = yield* failureAt(Path.join(folder, "autopilotd.sock"))
      assert.include(taken.message, "a folder has that name")
      assert.deepStrictEqual(Fs.readdirSync(folder).toSorted(), ["autopilotd.sock", "file"])
      // Nobody can make a file there, root included.
      const unwritable = yield* failureAt("/sys/autopilotd.sock")
      assert.match(unwritable.message, /may not write to \/sys\. Make|\/sys is on a read-only file system/)
    })
  )

  it.scoped("is neither bound nor unlinked while its disk does not answer, and nothing hangs with it", () =>
    Effect.gen(function* () {
      const path = yield* socketPath
      const bind = ControlServer.bind({ path }).pipe(Effect.provide(handlerOf(answer)))
      const first = yield* Scope.make()
      yield* Scope.extend(bind, first)
      const disk = yield* Deferred.make<void>()
      const asked = yield* Effect.fork(Effect.flip(askDisk(Path.dirname(path), path, Deferred.await(disk))))
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(asked)
      const refused = yield* Effect.flip(bind)
      assert.strictEqual(
        refused.message,
        `The control socket ${path} cannot be made (ETIMEDOUT): the disk of ${Path.dirname(path)} does not answer. ` +
          "Check that disk, or set AUTOPILOT_HOME to another folder."
      )
      yield* Scope.close(first, Exit.void)
      assert.isTrue(Fs.existsSync(path))
      assert.strictEqual((yield* told(path, [status])).text, "")
      yield* Deferred.succeed(disk, undefined)
    })
  )

  it("never advises to delete a file", () => {
    for (const code of [
      "ENOSPC",
      "EDQUOT",
      "EACCES",
      "EPERM",
      "EROFS",
      "EISDIR",
      "EMFILE",
      "EADDRINUSE",
      "EIO"
    ]) {
      const { message } = ControlServerError.from("/home/me/.autopilot/autopilotd.sock", { code })
      assert.notMatch(message, /delet|remove|\brm\b/i)
    }
    const full = ControlServerError.from(
      "/home/me/.autopilot/autopilotd.sock",
      Object.assign(new Error(), { code: "ENOSPC" })
    )
    assert.strictEqual(
      full.message,
      "The control socket /home/me/.autopilot/autopilotd.sock cannot be made (ENOSPC): the disk that holds " +
        "/home/me/.autopilot is full. Free some space there, or set AUTOPILOT_HOME to another folder."
    )
  })
})
