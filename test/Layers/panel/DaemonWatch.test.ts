import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { ControlClient, NotRunning } from "../../../src/Layers/control/ControlClient.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as DaemonWatch from "../../../src/Layers/panel/DaemonWatch.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

describe("the panel's look at the daemon", () => {
  it.scopedLive("reaches every page that waits for it, also when the one that asked first has gone", () =>
    Effect.gen(function* () {
      const home = yield* temporaryHome
      const isAsked = yield* Deferred.make<void>()
      const answers = yield* Deferred.make<never, NotRunning>()
      const slow = Layer.succeed(ControlClient, {
        request: () => Effect.zipRight(Deferred.succeed(isAsked, undefined), Deferred.await(answers))
      })
      const surroundings = Layer.merge(slow, Layer.succeed(AutopilotHome, pathsBelow(home)))
      yield* Effect.gen(function* () {
        const { look } = yield* DaemonWatch.DaemonWatch
        const first = yield* Effect.fork(look(undefined))
        yield* Deferred.await(isAsked)
        const second = yield* Effect.fork(look(undefined))
        yield* Fiber.interrupt(first)
        yield* Deferred.fail(answers, new NotRunning({ path: home }))
        assert.deepStrictEqual(yield* Fiber.join(second), { _tag: "NotRunning" })
      }).pipe(Effect.provide(DaemonWatch.layer.pipe(Layer.provide(surroundings))))
    })
  )
})
