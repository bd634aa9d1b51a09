import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { projectNameExpected } from "../../../src/Domain/ProjectNameRules.ts"
import { open, talk } from "../../fixtures/RawClient.ts"
import { answer, data, runningLine, served, status, told } from "../../fixtures/ServedControl.ts"

const padded = (text: string, length: number): string => text.padEnd(length, " ")
const sized = (length: number): string => `{"type":"Status","x":"${"x".repeat(length - 24)}"}`

/** Every row of the original's table of requests, as this server answers it; all end in an orderly way. */
const answered: ReadonlyArray<readonly [name: string, pieces: ReadonlyArray<string | Uint8Array>]> = [
  ["without a newline", [status]],
  ["with a newline", [`${status}\n`]],
  ["with a carriage return and a newline", [`${status}\r\n`]],
  ["with white space before it", [` \n\t${status}`]],
  ["with spaces inside", ['{ "type" : "Status" }']],
  ["with fields nobody knows", ['{"type":"Status","verbose":true,"id":[1]}']],
  ["with a NUL after it", [`${status}\0`]],
  ["with a byte order mark before it", [`\ufeff${status}`]],
  ["with a second request in the same write", [`${status}${status}`]],
  ["with a second request on the next line", [`${status}\n{"type":"Shutdown"}\n`]],
  ["with blanks up to 4096 bytes", [padded(status, 4096)]],
  ["with blanks up to 4097 bytes", [padded(status, 4097)]],
  ["with blanks up to 20017 bytes", [padded(status, 20_017)]],
  ["with a megabyte of blanks", [padded(status, 1024 * 1024)]],
  ["of more than 4096 bytes", [sized(5000)]],
  ["of 64 KiB", [sized(65_536)]],
  ["in two writes", ['{"type":', '"Status"}']],
  ["in as many writes as it has bytes", [...status]]
]

const example = 'Send one JSON object, such as {"type":"Status"}.'

/** One for each part that refuses: framing, its end, its limit, decoding. The parts have tests of their own. */
const refused: ReadonlyArray<readonly [name: string, piece: string | Uint8Array, message: string]> = [
  ["garbage", "hello?\n", `The request begins with 'h', but must be one JSON object. ${example}`],
  [
    "invalid UTF-8",
    Buffer.concat([Buffer.from('{"type":"'), Buffer.of(0xff), Buffer.from('"}')]),
    `The request is not valid UTF-8. ${example}`
  ],
  ["JSON of a megabyte", sized(1024 * 1024), `The request is longer than 65536 bytes. ${example}`],
  [
    "a bad project",
    '{"type":"Status","project":7}',
    `The request Status has a bad "project": it must be ${projectNameExpected}, not 7`
  ]
]

describe("the answer on the control socket", () => {
  it.scopedLive("is the status in one write, then the end, for a request in any shape", () =>
    Effect.gen(function* () {
      const { path } = yield* served()
      for (const [name, pieces] of answered) {
        for (const halfClose of [false, true]) {
          // A whole other conversation in between: what was written before it has been read by then.
          const between = () => talk(path, [status])
          const heard = yield* told(path, pieces, { halfClose, between })
          assert.deepStrictEqual(heard, { reads: [runningLine], text: runningLine, ended: "EOF" }, name)
        }
      }
    })
  )

  it.scopedLive("is one line that explains what is wrong with a bad request", () =>
    Effect.gen(function* () {
      const { path } = yield* served()
      for (const [name, piece, message] of refused) {
        for (const halfClose of [false, true]) {
          const heard = yield* told(path, [piece], { halfClose })
          const text = `${JSON.stringify({ success: false, message, code: "bad_request" })}\n`
          assert.deepStrictEqual(heard, { reads: [text], text, ended: "EOF" }, name)
        }
      }
    })
  )

  it.scopedLive("is the same in writes back to back, every time", () =>
    Effect.gen(function* () {
      const { path } = yield* served()
      for (let round = 0; round < 20; round++) {
        assert.strictEqual((yield* told(path, ['{"type":', '"Status"', "}"])).text, runningLine)
      }
    })
  )

  it.scopedLive("belongs to the first of two requests, and the second is never carried out", () =>
    Effect.gen(function* () {
      const handled: Array<string> = []
      const { path } = yield* served({}, (request) =>
        Effect.tap(answer(request), () => handled.push(request.type))
      )
      const { socket, heard } = yield* Effect.promise(() => open(path))
      socket.write(status)
      socket.once("data", () => socket.write('{"type":"Shutdown"}'))
      assert.strictEqual((yield* Effect.promise(() => heard)).text, runningLine)
      yield* told(path, [status])
      assert.deepStrictEqual(handled, ["Status", "Status"])
    })
  )

  it.scopedLive("explains what is missing when the client closes its side too early", () =>
    Effect.gen(function* () {
      const { path } = yield* served()
      const halfClose = true
      assert.include((yield* told(path, [], { halfClose })).text, "The request is empty.")
      assert.include((yield* told(path, ["\n"], { halfClose })).text, "The request is empty.")
      assert.include(
        (yield* told(path, ['{"type"'], { halfClose })).text,
        "The request ended before it was complete."
      )
    })
  )

  it.scopedLive("is a refusal when the client stays silent or never finishes its request", () =>
    Effect.gen(function* () {
      const { path } = yield* served({ requestMs: 100 })
      for (const pieces of [[], ["\n"], ['{"type":"Status"']]) {
        const heard = yield* told(path, pieces)
        assert.deepStrictEqual(heard.ended, "EOF")
        assert.strictEqual(
          heard.text,
          `${JSON.stringify({ success: false, message: `No complete request arrived within 0.1 s. ${example}`, code: "bad_request" })}\n`
        )
      }
    })
  )

  it.scopedLive(
    "is that refusal also for a client that is silent between others, which are answered in time",
    () =>
      Effect.gen(function* () {
        const { path } = yield* served({ requestMs: 300, lingerMs: 50 })
        const silent: Array<Promise<{ readonly text: string }>> = []
        for (let n = 0; n < 3; n++) {
          assert.strictEqual((yield* told(path, [status])).text, runningLine)
          silent.push((yield* Effect.promise(() => open(path))).heard)
        }
        for (const heard of silent)
          assert.include(
            (yield* Effect.promise(() => heard)).text,
            "No complete request arrived within 0.3 s."
          )
      })
  )

  it.scopedLive(
    "is whole for a client that takes longer for it than the daemon waits for one that does not read",
    () =>
      Effect.gen(function* () {
        const file = { path: "/daemon.toml", found: true, text: "x".repeat(2_000_000), sha256: "0" }
        const reply = { success: true, message: "the file", data: file }
        const { path } = yield* served({ lingerMs: 1000 }, () => Effect.succeed(reply))
        const { socket, heard } = yield* Effect.promise(() => open(path))
        socket.on("data", () => {
          socket.pause()
          setTimeout(() => socket.resume(), 50)
        })
        socket.write('{"type":"GetConfig"}')
        const { text } = yield* Effect.promise(() => heard)
        assert.strictEqual(text.length, JSON.stringify(reply).length + 1)
      })
  )

  it.scopedLive("fits the original's client: one write, one read of at most 8192 bytes, integers", () =>
    Effect.gen(function* () {
      const reason = "x".repeat(50_000)
      const { path } = yield* served({}, () =>
        Effect.succeed({ success: true, message: "Worker is running", data: { ...data, reason } })
      )
      const { socket, heard } = yield* Effect.promise(() => open(path))
      socket.write('{"type":"Status"}')
      const firstRead = yield* Effect.async<string>((resume) => {
        socket.once("data", (chunk: string) => resume(Effect.succeed(chunk)))
      })
      socket.destroy()
      yield* Effect.promise(() => heard)
      assert.isAtMost(Buffer.byteLength(firstRead), 8192)
      const response: { message: unknown; data: Record<string, unknown> } = JSON.parse(firstRead)
      assert.strictEqual(response.message, "Worker is running")
      assert.strictEqual(response.data["worker_status"], "running")
      for (const field of [
        "worker_pid",
        "uptime_seconds",
        "total_restarts",
        "consecutive_failures",
        "memory_available_bytes",
        "memory_total_bytes"
      ]) {
        assert.match(firstRead, new RegExp(`"${field}":\\d+[,}]`), field)
      }
    })
  )
})
