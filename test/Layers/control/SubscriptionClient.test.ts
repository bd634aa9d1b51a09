import * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as TestServices from "effect/TestServices"
import { subscriptionLine } from "../../../src/Domain/control/Subscription.ts"
import { localConnection } from "../../../src/Layers/control/ControlClient.ts"
import { subscribe } from "../../../src/Layers/control/SubscriptionClient.ts"
import { socketPath } from "../../fixtures/ServedControl.ts"
import { eventually } from "../../live/TestDaemon.ts"
import { settle } from "../worker/SupervisorWorld.ts"

/** A daemon that says what the test has it say. */
const speaker = Effect.gen(function* () {
  const path = yield* socketPath
  const sockets: Array<Net.Socket> = []
  const server = Net.createServer((socket) => {
    socket.on("error", () => undefined)
    sockets.push(socket)
  })
  yield* Effect.acquireRelease(
    Effect.async<void>((resume) => void server.listen(path, () => resume(Effect.void))),
    () =>
      Effect.sync(() => {
        server.close()
        for (const socket of sockets) socket.destroy()
      })
  )
  return { path, say: (line: string) => sockets.at(-1)?.write(line), isAsked: () => sockets.length > 0 }
})

const alive = subscriptionLine({ type: "alive", at: 1 })

describe("a client that follows", () => {
  it.scoped("takes a daemon for hung that has sent nothing for 40 seconds, not even that it is alive", () =>
    Effect.gen(function* () {
      const { isAsked, path, say } = yield* speaker
      const heard: Array<string> = []
      const following = yield* Effect.fork(
        Stream.runForEach(subscribe(localConnection(path), {}), ({ type }) =>
          Effect.sync(() => void heard.push(type))
        )
      )
      const live = (what: string, holds: () => boolean) =>
        TestServices.provideLive(
          eventually(
            what,
            Effect.sync(() => (holds() ? true : undefined))
          )
        )
      yield* live("it has asked", isAsked)
      for (let beats = 1; beats <= 5; beats++) {
        say(alive)
        yield* live("the line has come", () => heard.length === beats)
        yield* settle
        yield* TestClock.adjust("39 seconds")
        assert.strictEqual(yield* Effect.map(Fiber.poll(following), ({ _tag }) => _tag), "None")
      }
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(following)
      assert.deepStrictEqual(
        heard,
        Array.from({ length: 5 }, () => "alive")
      )
    })
  )
})
