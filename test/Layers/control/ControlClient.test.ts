import * as ChildProcess from "node:child_process"
import * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { listening, originalDaemon, originalReplies, resettingDaemon } from "../../fixtures/OriginalDaemon.ts"
import { talk } from "../../fixtures/RawClient.ts"
import { ask, data, served, socketPath } from "../../fixtures/ServedControl.ts"

describe("the control client with this daemon", () => {
  it.scopedLive("gets the status", () =>
    Effect.gen(function* () {
      const { path } = yield* served()
      assert.deepStrictEqual(yield* ask(path), { success: true, message: "Worker is running", data })
    })
  )

  it.scopedLive("gets a refusal as an answer, not as an error", () =>
    Effect.gen(function* () {
      const { path } = yield* served({ maxConnections: 8 }, () =>
        Effect.succeed({ success: false, message: "Worker already running" })
      )
      assert.deepStrictEqual(yield* ask(path, { type: "StartWorker" }), {
        success: false,
        message: "Worker already running"
      })
    })
  )
})

describe("the control client with the original daemon", () => {
  it.scopedLive("exchanges every request", () =>
    Effect.gen(function* () {
      const path = yield* socketPath
      yield* originalDaemon(path)
      for (const [type, reply] of [
        ["Status", originalReplies.running],
        ["GetMetrics", originalReplies.metrics],
        ["Shutdown", originalReplies.shutdown],
        ["RestartWorker", originalReplies.restart],
        ["StopWorker", originalReplies.stop],
        ["StartWorker", originalReplies.start]
      ] as const) {
        assert.deepStrictEqual(yield* ask(path, { type }), JSON.parse(reply))
      }
    })
  )

  it.scopedLive("sends one write, without a newline and without closing its side, below 4096 bytes", () =>
    Effect.gen(function* () {
      const path = yield* socketPath
      const events: Array<string> = []
      yield* listening(path, (socket) => {
        socket.on("end", () => events.push("half-close"))
        socket.on("data", (chunk) => {
          events.push(chunk.toString())
          // Time for anything else the client might send before it has its answer.
          setImmediate(() => setImmediate(() => socket.write(originalReplies.restart)))
          socket.once("end", () => socket.end())
        })
      })
      const project = ProjectName.make("p".repeat(64))
      yield* ask(path, { type: "RestartWorker", project })
      assert.strictEqual(events[0], `{"type":"RestartWorker","project":"${project}"}`)
      assert.deepStrictEqual(
        events.slice(1).filter((event) => event !== "half-close"),
        []
      )
    })
  )

  it.scopedLive("accepts every answer of the original, also before a reset", () =>
    Effect.gen(function* () {
      for (const [name, reply] of Object.entries(originalReplies)) {
        const path = yield* socketPath
        yield* resettingDaemon(path, reply)
        const raw = yield* Effect.promise(() => talk(path, ['{"type":"Status"}']))
        assert.deepStrictEqual(
          raw,
          { reads: [reply], text: reply, ended: "RESET" },
          "the stand-in does not reset"
        )
        assert.deepStrictEqual(yield* ask(path), JSON.parse(reply), name)
      }
    })
  )

  it.scopedLive("calls an answer of 0 bytes an error", () =>
    Effect.gen(function* () {
      const path = yield* socketPath
      yield* listening(path, (socket) => socket.once("data", () => socket.destroy()))
      const error = yield* Effect.flip(ask(path))
      assert.strictEqual(error._tag, "ControlProtocolError")
      assert.include(error.message, `The answer of the daemon at ${path} is empty.`)
    })
  )
})

describe("the control client with another server", () => {
  const reply = originalReplies.running

  it.scopedLive("takes an answer in any number of writes, with bytes after it, from an open connection", () =>
    Effect.gen(function* () {
      for (const pieces of [[...reply], [`${reply}\n`], [`\n ${reply}`, "garbage"]]) {
        const path = yield* socketPath
        yield* listening(path, (socket) => {
          for (const piece of pieces) socket.write(piece)
        })
        assert.deepStrictEqual(yield* ask(path), JSON.parse(reply))
      }
    })
  )

  it.scopedLive("repeats only a request that the server closed the connection on without reading", () =>
    Effect.gen(function* () {
      const path = yield* socketPath
      let turnedAway = 0
      yield* listening(
        path,
        (socket) => {
          if (turnedAway === 3) {
            socket.once("data", () => socket.end(reply))
            socket.resume()
            return
          }
          turnedAway++
          socket.destroy()
        },
        { pauseOnConnect: true }
      )
      assert.deepStrictEqual(yield* ask(path), JSON.parse(reply))
      const readPath = yield* socketPath
      let read = 0
      yield* listening(readPath, (socket) => {
        socket.once("data", () => {
          read++
          socket.destroy()
        })
      })
      assert.strictEqual(
        (yield* Effect.flip(ask(readPath, { type: "RestartWorker" })))._tag,
        "ControlProtocolError"
      )
      assert.strictEqual(read, 1)
    })
  )

  it.scopedLive("says in one line what is wrong with an answer", () =>
    Effect.gen(function* () {
      for (const [answer, problem] of [
        ["HTTP/1.1 400 Bad Request\r\n", "begins with 'H', but must be one JSON object"],
        ['{"success":true', "ended before it was complete"],
        ['{"success":true}', 'cannot be understood: "message": is missing'],
        [`{"success":true,"message":"${"x".repeat(8 * 1024 * 1024)}"}`, "is longer than 8388608 bytes"]
      ] as const) {
        const path = yield* socketPath
        yield* listening(path, (socket) => socket.end(answer))
        // A busy machine takes its time for eight megabytes.
        const error = yield* Effect.flip(ask(path, { type: "Status" }, { wholeMs: 600_000 }))
        assert.strictEqual(error._tag, "ControlProtocolError", error.message)
        assert.include(error.message, `The answer of the daemon at ${path} ${problem}.`)
      }
    })
  )

  it.scopedLive("limits the waits for the first byte and for the rest", () =>
    Effect.gen(function* () {
      const silentPath = yield* socketPath
      yield* listening(silentPath, () => undefined)
      const silent = yield* Effect.flip(ask(silentPath, { type: "Status" }, { firstByteMs: 30 }))
      assert.deepInclude(silent, { _tag: "ControlTimeout", waitedFor: "answer", waitedMs: 30 })
      assert.include(silent.message, "gave no answer within 30 ms")
      const slowPath = yield* socketPath
      yield* listening(slowPath, (socket) => {
        const timer = setInterval(() => socket.write(" "), 5)
        socket.once("close", () => clearInterval(timer))
      })
      const slow = yield* Effect.flip(
        ask(slowPath, { type: "Status" }, { firstByteMs: 600_000, wholeMs: 2000 })
      )
      assert.deepInclude(slow, { _tag: "ControlTimeout", waitedFor: "rest of the answer", waitedMs: 2000 })
    })
  )

  it.scopedLive("limits the wait for a connection while the backlog is full", () =>
    Effect.gen(function* () {
      const path = yield* socketPath
      // It listens with the smallest queue, says so, and never accepts: its only thread sleeps.
      const script =
        'require("node:net").createServer().listen({ path: process.argv[1], backlog: 1 }, () => {' +
        'require("node:fs").writeSync(1, "ready"); Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0) })'
      const child = yield* Effect.acquireRelease(
        Effect.sync(() =>
          ChildProcess.spawn(process.execPath, ["-e", script, path], {
            stdio: ["ignore", "pipe", "inherit"]
          })
        ),
        (child) => Effect.sync(() => child.kill("SIGKILL"))
      )
      yield* Effect.async<void>((resume) => void child.stdout.once("data", () => resume(Effect.void)))
      const isTurnedAway = Effect.async<boolean>((resume) => {
        const socket = Net.connect(path)
        socket.once("connect", () => resume(Effect.succeed(false)))
        socket.once("error", () => resume(Effect.succeed(true)))
      })
      yield* Effect.repeat(isTurnedAway, { until: (turnedAway) => turnedAway })
      const error = yield* Effect.flip(ask(path, { type: "Status" }, { connectMs: 100 }))
      assert.deepInclude(error, { _tag: "ControlTimeout", waitedFor: "connection", waitedMs: 100 })
    })
  )
})
