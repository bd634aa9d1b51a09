import { PassThrough } from "node:stream"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { dialMarker } from "../../../src/Domain/control/DialMarker.ts"
import { dialStdio } from "../../../src/Layers/control/DialStdio.ts"
import { listening } from "../../fixtures/OriginalDaemon.ts"
import { answer, runningLine, served, socketPath, status, until } from "../../fixtures/ServedControl.ts"

/** Dials, and collects what comes. */
const dialled = (path: string, isReadOnly = false) => {
  const [input, output] = [new PassThrough(), new PassThrough()]
  let heard = ""
  output.on("data", (chunk: Buffer) => (heard += chunk.toString("utf8")))
  const over = dialStdio({ input, output }, path, isReadOnly)
  return { input, output, heard: () => heard, over }
}

/** A daemon that records what it reads, and answers each object. */
const recording = Effect.gen(function* () {
  const path = yield* socketPath
  const asked: Array<string> = []
  const ended: Array<string> = []
  yield* listening(path, (socket) => {
    let text = ""
    socket.on("data", (chunk) => (text += chunk.toString("utf8")))
    socket.on("end", () => {
      ended.push(text)
      socket.end("{}\n")
    })
    socket.on("data", () => asked.push(text))
    socket.on("error", () => undefined)
  })
  return { path, asked, ended }
})

describe("dial-stdio", () => {
  it.scopedLive("says its version first, then passes request and answer", () =>
    Effect.gen(function* () {
      const { path } = yield* served()
      for (const isReadOnly of [false, true]) {
        const { heard, input, over } = dialled(path, isReadOnly)
        yield* until(() => heard() === dialMarker, "no marker")
        input.write(status)
        assert.isUndefined(yield* Effect.promise(() => over))
        assert.strictEqual(heard(), `${dialMarker}${runningLine}`)
      }
    })
  )

  it.scopedLive("half-closes the daemon's side at the end of input, and passes the answer all the same", () =>
    Effect.gen(function* () {
      const { ended, path } = yield* recording
      for (const isReadOnly of [false, true]) {
        const { heard, input, over } = dialled(path, isReadOnly)
        input.end(status)
        assert.isUndefined(yield* Effect.promise(() => over))
        assert.strictEqual(heard(), `${dialMarker}{}\n`)
      }
      assert.deepStrictEqual(ended, [status, `${status}\n`])
    })
  )

  it.scopedLive("returns why there is no daemon, and writes nothing", () =>
    Effect.gen(function* () {
      const path = yield* socketPath
      const { heard, over } = dialled(path)
      assert.deepStrictEqual(yield* Effect.promise(() => over), { _tag: "NotRunning" })
      assert.strictEqual(heard(), "")
    })
  )

  it.scopedLive("ends, and hangs up, when nobody reads what it writes", () =>
    Effect.gen(function* () {
      const path = yield* socketPath
      let isGone = false
      yield* listening(path, (socket) => {
        socket.on("end", () => (isGone = true))
        // A client that hangs up before it read "{}" resets the connection.
        socket.on("error", () => (isGone = true))
        socket.resume()
        socket.write("{}\n")
      })
      const { heard, output, over } = dialled(path)
      yield* until(() => heard() !== "", "no marker")
      output.destroy(new Error("write EPIPE"))
      assert.isUndefined(yield* Effect.promise(() => over))
      yield* until(() => isGone, "the daemon still has its client")
    })
  )

  it.scopedLive("read-only: a request that comes in pieces is judged as a whole", () =>
    Effect.gen(function* () {
      const { asked, path } = yield* recording
      const { heard, input, over } = dialled(path, true)
      for (const piece of ['{"ty', 'pe":"Stop', "Work", 'er"}']) {
        input.write(piece)
      }
      yield* Effect.promise(() => over)
      const [, line = ""] = heard().split("\n")
      assert.deepInclude(JSON.parse(line), { success: false, code: "access_denied" })
      assert.deepStrictEqual(asked, [])
    })
  )

  it.scopedLive("read-only: nothing behind the first request reaches the daemon", () =>
    Effect.gen(function* () {
      const { ended, path } = yield* recording
      const { input, over } = dialled(path, true)
      input.write(`\ufeff \n${status}{"type":"StopWorker"}`)
      input.write('{"type":"Shutdown"}\n')
      input.end('{"type":"StopWorker"}')
      yield* Effect.promise(() => over)
      assert.deepStrictEqual(ended, [`${status}\n`])
    })
  )

  it.scopedLive("read-only: what is no request gets the answer that the daemon would give", () =>
    Effect.gen(function* () {
      const { path } = yield* served()
      for (const text of [
        "stop!",
        '{"type":"Status"',
        "",
        `{"type":"${"x".repeat(70_000)}"}`,
        '{"a":"\n"}'
      ]) {
        const [plain, guarded] = [dialled(path), dialled(path, true)]
        for (const { input } of [plain, guarded]) input.end(text)
        yield* Effect.promise(() => Promise.all([plain.over, guarded.over]))
        assert.include(guarded.heard(), '"code":"bad_request"')
        assert.strictEqual(guarded.heard(), plain.heard(), text.slice(0, 20))
      }
    })
  )

  it.scopedLive("read-only: no request that changes something is carried out", () =>
    Effect.gen(function* () {
      const carried: Array<string> = []
      const { path } = yield* served({}, (request) => {
        carried.push(request.type)
        return answer(request)
      })
      for (const type of ["StopWorker", "Shutdown", "SetConfig", "GetConfig", "Status"]) {
        const { heard, input, over } = dialled(path, true)
        input.write(JSON.stringify({ type }))
        yield* Effect.promise(() => over)
        assert.include(heard(), `"success":${type === "Status"}`)
      }
      assert.deepStrictEqual(carried, ["Status"])
    })
  )
})
