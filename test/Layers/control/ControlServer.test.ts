import * as Fs from "node:fs"
import * as Path from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { ControlConnections } from "../../../src/Layers/control/ControlConnections.ts"
import * as ControlServer from "../../../src/Layers/control/ControlServer.ts"
import { countedFibers } from "../../fixtures/CountedFibers.ts"
import { listening } from "../../fixtures/OriginalDaemon.ts"
import { open } from "../../fixtures/RawClient.ts"
import {
  answer,
  data,
  handlerOf,
  logged,
  running,
  runningLine,
  served,
  status,
  told,
  until
} from "../../fixtures/ServedControl.ts"
import { temporaryFolder } from "../../fixtures/TemporaryFolder.ts"

describe("the control server", () => {
  it.scopedLive("answers a defect with Internal error, logs its cause and keeps serving", () =>
    Effect.gen(function* () {
      const { lines, layer } = yield* logged
      yield* Effect.gen(function* () {
        const { path } = yield* served({}, (request) => {
          switch (request.type) {
            case "StartWorker":
              return Effect.die(new Error("the first defect"))
            case "StopWorker":
              throw new Error("the second defect")
            case "GetMetrics":
              return Effect.succeed({ ...running, data: { ...data, uptime_seconds: 1.5 } })
            case "Projects":
              return { ...running, data: { ...data, uptime_seconds: -1 } }
            default:
              return answer(request)
          }
        })
        for (const [type, cause] of [
          ["StartWorker", "the first defect"],
          ["StopWorker", "the second defect"],
          ["GetMetrics", "uptime_seconds"],
          ["Projects", "uptime_seconds"]
        ] as const) {
          const { text } = yield* told(path, [JSON.stringify({ type })])
          assert.deepStrictEqual(JSON.parse(text), {
            success: false,
            message: `Internal error while answering ${type}: this is a bug in autopilotd. The daemon keeps running, and its log has the cause.`,
            code: "bug"
          })
          assert.include(lines.join("\n"), cause)
          assert.strictEqual((yield* told(path, [status])).text, runningLine)
        }
      }).pipe(Effect.provide(layer))
    })
  )

  it.scopedLive("starts no fiber for an answer that is there at once, and one for an answer that waits", () =>
    countedFibers((counts) =>
      Effect.gen(function* () {
        const { path } = yield* served({}, (request) =>
          request.type === "Status" ? running : answer(request)
        )
        const before = counts().fibers
        for (let n = 0; n < 3; n++) assert.strictEqual((yield* told(path, [status])).text, runningLine)
        assert.strictEqual(counts().fibers - before, 0)
        yield* told(path, ['{"type":"StopWorker"}'])
        assert.strictEqual(counts().fibers - before, 1)
      })
    )
  )

  it.scopedLive("carries out a command whose client has disconnected", () =>
    Effect.gen(function* () {
      const handled: Array<string> = []
      const { path } = yield* served({}, (request) =>
        Effect.sync(() => {
          handled.push(request.type)
        }).pipe(Effect.delay("20 millis"), Effect.zipRight(answer(request)))
      )
      for (const request of ['{"type":"StopWorker"}', '{"type":', ""]) {
        const { socket } = yield* Effect.promise(() => open(path))
        if (request === "") socket.destroy()
        else socket.write(request, () => socket.destroy())
      }
      yield* until(() => handled.includes("StopWorker"), "StopWorker was not carried out")
      assert.strictEqual((yield* told(path, [status])).text, runningLine)
    })
  )

  it.scopedLive("closes the connection that waited longest when all are taken", () =>
    Effect.gen(function* () {
      const { path } = yield* served({ maxConnections: 8 })
      const silent = yield* Effect.forEach(Array.from({ length: 8 }), () => Effect.promise(() => open(path)))
      assert.strictEqual((yield* told(path, [status])).text, runningLine)
      const first = silent[0]
      assert.isDefined(first)
      const { text } = yield* Effect.promise(
        () => first?.heard ?? Promise.reject(new Error("nobody connected"))
      )
      assert.include(text, "Too many connections are open, and this one has waited longest for its request.")
      for (const { socket } of silent.slice(1)) socket.write(status)
      const heard = yield* Effect.promise(() => Promise.all(silent.slice(1).map((client) => client.heard)))
      assert.deepStrictEqual(
        heard.map(({ text }) => text),
        heard.map(() => runningLine)
      )
    })
  )

  it.scopedLive("accepts a request that arrived in time while the process was stopped", () =>
    Effect.gen(function* () {
      const { path } = yield* served({ requestMs: 1000 }, (request) =>
        Effect.delay(answer(request), "20 millis")
      )
      const { socket, heard } = yield* Effect.promise(() => open(path))
      // The server has accepted it when it has answered somebody who came later.
      yield* told(path, [status])
      socket.write(status)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1200)
      assert.strictEqual((yield* Effect.promise(() => heard)).text, runningLine)
    })
  )

  it.scopedLive("forgets a connection that has ended, in any way", () =>
    Effect.gen(function* () {
      const path = Path.join(yield* temporaryFolder, "autopilotd.sock")
      const connections = new ControlConnections(ControlServer.serverLimits, (_, { reply }) =>
        reply(runningLine)
      )
      yield* listening(path, (socket) => connections.accept(socket))
      const { socket } = yield* Effect.promise(() => open(path))
      yield* told(path, [status])
      yield* told(path, ["garbage"])
      assert.isAbove(connections.count, 0)
      socket.destroy()
      yield* until(() => connections.count === 0, "connections are still counted")
    })
  )

  it.scopedLive("refuses a client when all connections wait for an answer", () =>
    Effect.gen(function* () {
      let handled = 0
      const { path } = yield* served({ maxConnections: 8 }, () => {
        handled++
        return Effect.never
      })
      for (let client = 1; client <= 8; client++) {
        const { socket } = yield* Effect.promise(() => open(path))
        socket.write(status)
        yield* until(() => handled === client, "the request was not read")
      }
      const { text } = yield* told(path, [])
      const message = "Too many requests are in progress. Try again in a moment."
      assert.deepStrictEqual(JSON.parse(text), { success: false, message, code: "no_answer" })
    })
  )

  it.scopedLive("closes a connection that its client keeps open after the answer", () =>
    Effect.gen(function* () {
      const { path } = yield* served({ lingerMs: 50 })
      const { socket, heard } = yield* Effect.promise(() => open(path))
      socket.removeAllListeners("end")
      socket.write(status)
      socket.once("end", () => {
        // Writing goes on until the server has really closed the connection, which only a write can find out.
        const timer = setInterval(() => socket.write(" "), 5)
        socket.once("close", () => clearInterval(timer))
      })
      assert.strictEqual((yield* Effect.promise(() => heard)).text, runningLine)
    })
  )

  it.scopedLive("refuses unfinished requests when it closes, and leaves no file", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const path = Path.join(folder, "autopilotd.sock")
      const scope = yield* Scope.make()
      yield* ControlServer.bind({ path }).pipe(
        Effect.provide(handlerOf(() => Effect.never)),
        Scope.extend(scope)
      )
      const silent = yield* Effect.promise(() => open(path))
      const asking = yield* Effect.promise(() => open(path))
      asking.socket.write(status)
      const between = yield* Effect.promise(() => open(path))
      between.socket.end()
      yield* Effect.promise(() => between.heard)
      yield* Scope.close(scope, Exit.void)
      for (const { heard } of [silent, asking]) {
        const { text } = yield* Effect.promise(() => heard)
        const message = "The daemon is closing its control socket."
        assert.deepStrictEqual(JSON.parse(text), { success: false, message, code: "no_daemon" })
      }
      assert.deepStrictEqual(Fs.readdirSync(folder), [])
    })
  )
})
