import { writeFileSync } from "node:fs"
import { Server } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as Caller from "../../../src/Layers/daemon/Caller.ts"
import * as Signals from "../../../src/Layers/daemon/Signals.ts"
import { daemon } from "../../../src/Programs/daemon/Daemon.ts"
import { countedFibers } from "../../fixtures/CountedFibers.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

const settings = `autostart = false

[worker_command]
type = "Command"
argv = ["/bin/true"]
`

const options = { keepState: false, raw: false, exitWhenFinished: false, terminationLog: undefined }

/** Calls `act` when a server of this process listens at a path below this one, as long as the scope lives. */
const whenListening = (path: string, act: () => void) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { listen } = Server.prototype
      Server.prototype.listen = function (this: Server, ...args: Array<unknown>) {
        this.once("listening", () => String(this.address()).startsWith(path) && act())
        return Reflect.apply(listen, this, args)
      }
      return listen
    }),
    (listen) => Effect.sync(() => void (Server.prototype.listen = listen))
  )

/** The operations and fibers of Effect that a daemon takes until its socket takes requests. */
const costOfStart = Effect.gen(function* () {
  const home = pathsBelow(yield* temporaryHome)
  writeFileSync(home.settingsFile, settings)
  const sources = { environment: {}, cwd: home.root, userHome: home.root, commandLine: {} }
  return yield* countedFibers((counts) =>
    Effect.gen(function* () {
      const listens = yield* Deferred.make<ReturnType<typeof counts>>()
      yield* whenListening(home.root, () => Deferred.unsafeDone(listens, Exit.succeed(counts())))
      const running = yield* Effect.fork(daemon({ ...options, sources }))
      const cost = yield* Deferred.await(listens)
      yield* Fiber.interrupt(running)
      return cost
    })
  ).pipe(Effect.provide(Layer.mergeAll(Layer.succeed(AutopilotHome, home), Caller.layer, Signals.layerNone)))
})

describe("the start of a daemon", () => {
  it.scopedLive("takes few operations and fibers until its socket takes requests", () =>
    Effect.gen(function* () {
      const { fibers, operations } = yield* costOfStart
      const all = JSON.stringify({ fibers, operations })
      assert.isAbove(operations, 1000, all)
      assert.isAtMost(operations, 3400, all)
      assert.isAtMost(fibers, 41, all)
    })
  )
})
