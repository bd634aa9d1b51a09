import { existsSync, readdirSync, writeFileSync } from "node:fs"
import { Server } from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { AutopilotHome, type HomePaths, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as Caller from "../../../src/Layers/daemon/Caller.ts"
import * as Signals from "../../../src/Layers/daemon/Signals.ts"
import { daemon } from "../../../src/Programs/daemon/Daemon.ts"
import { countedFibers } from "../../fixtures/CountedFibers.ts"
import { eventually, temporaryHome } from "../../live/TestDaemon.ts"

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

interface Cost {
  readonly fibers: number
  readonly operations: number
}

/** The operations and fibers of Effect that a daemon with these settings takes. `until` returns them when it is time. */
const costOfStart = (
  settings: string,
  until: (home: HomePaths, cost: () => Cost) => Effect.Effect<Effect.Effect<Cost>, never, Scope.Scope>
) =>
  Effect.gen(function* () {
    const home = pathsBelow(yield* temporaryHome)
    writeFileSync(home.settingsFile, settings)
    const sources = { environment: {}, cwd: home.root, userHome: home.root, commandLine: {} }
    return yield* countedFibers((cost) =>
      Effect.gen(function* () {
        const reached = yield* until(home, cost)
        const running = yield* Effect.fork(daemon({ ...options, sources }))
        const found = yield* reached
        yield* Fiber.interrupt(running)
        return found
      })
    ).pipe(
      Effect.provide(Layer.mergeAll(Layer.succeed(AutopilotHome, home), Caller.layer, Signals.layerNone))
    )
  })

const socketListens = Effect.fnUntraced(function* (home: HomePaths, cost: () => Cost) {
  const listens = yield* Deferred.make<Cost>()
  yield* whenListening(home.root, () => Deferred.unsafeDone(listens, Exit.succeed(cost())))
  return Deferred.await(listens)
})

/** Each project has saved its state. */
const allSaved = (projects: number) => (home: HomePaths, cost: () => Cost) =>
  Effect.succeed(
    Effect.map(
      eventually(
        "all states are saved",
        () => existsSync(home.stateDir) && readdirSync(home.stateDir).length > projects
      ),
      cost
    )
  )

const withProjects = (projects: number) =>
  settings + Array.from({ length: projects }, (_, at) => `\n[projects.p${at}]\nautostart = false\n`).join("")

describe("the start of a daemon", () => {
  it.scopedLive("takes few operations and fibers until its socket takes requests", () =>
    Effect.gen(function* () {
      const { fibers, operations } = yield* costOfStart(settings, socketListens)
      const all = JSON.stringify({ fibers, operations })
      assert.isAbove(operations, 1000, all)
      assert.isAtMost(operations, 3400, all)
      assert.isAtMost(fibers, 41, all)
    })
  )

  it.scopedLive("takes twice as many for twice as many projects", () =>
    Effect.gen(function* () {
      const few = yield* costOfStart(withProjects(60), allSaved(60))
      const many = yield* costOfStart(withProjects(120), allSaved(120))
      assert.isBelow(many.operations, 2.2 * few.operations, JSON.stringify({ few, many }))
    })
  )
})
