import * as http from "node:http"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as Socket from "@effect/platform/Socket"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Mailbox from "effect/Mailbox"
import * as TestClock from "effect/TestClock"
import { type Page, pageSockets } from "../../../src/Layers/panel/PageSocket.ts"
import { serve } from "../../../src/Layers/panel/PanelServer.ts"
import { eventually } from "../../live/TestDaemon.ts"

/** A server for pages. The time of its pages is the test's, that of its connections is real. */
const serving = <R>(act: (page: Page) => Effect.Effect<void, unknown, R>) =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const onPage = yield* pageSockets
    const app = HttpRouter.empty.pipe(HttpRouter.get("/ws", onPage(act)))
    return yield* serve(Effect.withClock(app, clock), {
      port: 0,
      isToken: () => true,
      embedOrigins: []
    }).pipe(Effect.withClock(Clock.make()))
  })

const protocols = ["autopilotd.v1", "token.any"]

/** A page that answers as it is told. `ended` is the code with which the server closes it. */
const openTab = (port: number, answers: boolean) =>
  Effect.gen(function* () {
    const socket = yield* Socket.makeWebSocket(`ws://127.0.0.1:${port}/ws`, { protocols })
    const write = yield* socket.writer
    const seen = yield* Mailbox.make<string>()
    const ended = yield* Deferred.make<number>()
    let count = 0
    yield* socket
      .runRaw((message) => {
        count++
        return Effect.zipRight(
          seen.offer(String(message)),
          answers ? Effect.ignore(write("ok")) : Effect.void
        )
      })
      .pipe(
        Effect.catchAll((error) =>
          Socket.SocketCloseError.is(error) ? Deferred.succeed(ended, error.code) : Effect.die(error)
        ),
        Effect.forkScoped
      )
    return { write, received: seen, count: () => count, ended: Deferred.await(ended) }
  }).pipe(Effect.provide(NodeSocket.layerWebSocketConstructor))

/** Asks for a WebSocket. A connection that is granted stays open until the scope closes. */
const upgrade = (port: number) =>
  Effect.acquireRelease(
    Effect.async<{ readonly status: number; readonly close: () => void }>((resume) => {
      const request = http.request(`http://127.0.0.1:${port}/ws`, {
        headers: {
          connection: "upgrade",
          upgrade: "websocket",
          "sec-websocket-version": "13",
          "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
          "sec-websocket-protocol": protocols.join(", ")
        }
      })
      const answered = (response: http.IncomingMessage) =>
        resume(Effect.succeed({ status: response.statusCode ?? 0, close: () => response.socket.destroy() }))
      request.on("response", answered)
      request.on("upgrade", answered)
      request.on("error", (cause) => resume(Effect.die(cause)))
      request.end()
    }),
    ({ close }) => Effect.sync(close)
  )

describe("the connection of a page", () => {
  it.scoped(
    "holds no more than four messages for a page that answers nothing, and closes it after 30 s",
    () =>
      Effect.gen(function* () {
        let sent = 0
        const port = yield* serving(({ send }) =>
          Effect.forever(
            Effect.suspend(() =>
              Effect.tap(
                send(`message ${sent}`),
                Effect.sync(() => sent++)
              )
            )
          )
        )
        const stuck = yield* openTab(port, false)
        yield* eventually("four messages", () => stuck.count() === 4).pipe(Effect.withClock(Clock.make()))
        yield* TestClock.adjust("29 seconds")
        assert.deepStrictEqual([sent, stuck.count()], [4, 4])
        yield* TestClock.adjust("1 seconds")
        // The browser connects again after this code: it may have caught up.
        assert.strictEqual(yield* stuck.ended, 1013)
        assert.deepStrictEqual([sent, stuck.count()], [4, 4])
      })
  )

  it.scopedLive("goes on with a page that answers, and hands over its messages, but none over 64 KiB", () =>
    Effect.gen(function* () {
      const port = yield* serving(({ received, send }) =>
        Effect.gen(function* () {
          for (let n = 0; n < 100; n++) yield* send(`message ${n}`)
          yield* Effect.forever(Effect.flatMap(received.take, (text) => send(`${text.length}`)))
        })
      )
      const tab = yield* openTab(port, true)
      yield* eventually("all messages", () => tab.count() === 100)
      yield* tab.write("x".repeat(64 * 1024))
      yield* eventually("the answer", () => tab.count() === 101)
      yield* tab.write("x".repeat(64 * 1024 + 1))
      assert.strictEqual(yield* tab.ended, 1009)
      assert.strictEqual(tab.count(), 101)
    })
  )

  it.scopedLive("is refused to the 33rd page, until another one goes", () =>
    Effect.gen(function* () {
      const port = yield* serving(() => Effect.never)
      const tabs = yield* Effect.forEach(Array.from({ length: 32 }), () => upgrade(port), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual([...new Set(tabs.map(({ status }) => status))], [101])
      assert.strictEqual((yield* upgrade(port)).status, 503)
      tabs[0]?.close()
      yield* eventually(
        "there is room again",
        Effect.scoped(Effect.map(upgrade(port), ({ status }) => status === 101 || undefined))
      )
    })
  )
})
