import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import type { ControlResponse } from "../../../src/Domain/control/ControlProtocol.ts"
import { decodeReply } from "../../../src/Domain/control/ControlReply.ts"
import { encodeResponse, maxResponseBytes } from "../../../src/Domain/control/ControlWire.ts"
import { runs } from "../../fixtures/runs.ts"
import { statusFields } from "../../fixtures/StatusFields.ts"

const bytes = (text: string): number => Buffer.byteLength(text)

const withReason = (length: number): ControlResponse => ({ success: true, message: "x".repeat(length) })

describe("encodeResponse", () => {
  it("writes one compact object and a newline, without a data key when there is no data", () => {
    assert.strictEqual(
      encodeResponse({ success: true, message: "Worker restart initiated" }),
      '{"success":true,"message":"Worker restart initiated"}\n'
    )
  })

  it("writes the original's status byte by byte", () => {
    assert.strictEqual(
      encodeResponse({ success: true, message: "Worker is running", data: statusFields }),
      '{"success":true,"message":"Worker is running","data":{"worker_status":"running","worker_pid":42,' +
        '"uptime_seconds":7,"total_restarts":3,"consecutive_failures":1,"memory_available_bytes":8000000000,' +
        '"memory_total_bytes":16000000000}}\n'
    )
  })

  it("throws for a number that the original's client cannot read", () => {
    for (const uptime_seconds of [1.5, -1, Number.NaN]) {
      assert.throws(() =>
        encodeResponse({ success: true, message: "", data: { ...statusFields, uptime_seconds } })
      )
    }
  })

  it("shortens a long reason, says so with an ellipsis and keeps everything else", () => {
    const response = {
      success: true,
      message: "Worker is running",
      data: { ...statusFields, reason: "x".repeat(20_000), working_dir: "/home/me" }
    }
    const text = encodeResponse(response)
    assert.isAtMost(bytes(text), maxResponseBytes)
    const reply = Either.getOrThrow(decodeReply("Status", text))
    assert.match(reply.data?.reason ?? "", /^x{1000,}…$/)
    assert.deepStrictEqual({ ...reply.data, reason: "" }, { ...response.data, reason: "" })
  })

  it("writes the largest response that fits unchanged", () => {
    const room = maxResponseBytes - bytes(encodeResponse(withReason(0)))
    assert.strictEqual(bytes(encodeResponse(withReason(room))), maxResponseBytes)
    assert.notInclude(encodeResponse(withReason(room)), "…")
    assert.include(encodeResponse(withReason(room + 1)), "…")
  })

  it("never writes half a surrogate pair, which the original's client refuses", () => {
    const text = encodeResponse({ success: true, message: `\ud800 ${"😀".repeat(4000)} \udc00` })
    assert.notMatch(text, /\\ud[89a-f]/i)
    assert.match(Either.getOrThrow(decodeReply("Status", text)).message, /^\ufffd 😀+/u)
  })

  it("fits every status into the one read of the original's client and keeps its seven fields", () => {
    const text = FastCheck.oneof(
      FastCheck.string({ maxLength: 20 }),
      FastCheck.tuple(
        FastCheck.constantFrom("x", "\x01", "日", "😀", "\ud800", '"'),
        FastCheck.nat(9000)
      ).map(([letter, times]) => letter.repeat(times))
    )
    const list = FastCheck.oneof(
      FastCheck.array(text, { maxLength: 5 }),
      FastCheck.tuple(text, FastCheck.nat(300)).map(([item, times]) =>
        Array.from({ length: times }, () => item)
      )
    )
    const data = FastCheck.record(
      {
        project: text,
        reason: text,
        last_exit: text,
        worker_id: text,
        worker_command: list,
        working_dir: text,
        daemon_version: text,
        degraded: list,
        projects: FastCheck.dictionary(text, FastCheck.nat(), { maxKeys: 50 })
      },
      { requiredKeys: [] }
    )
    FastCheck.assert(
      FastCheck.property(text, data, (message, optional) => {
        const line = encodeResponse({ success: true, message, data: { ...optional, ...statusFields } })
        assert.isAtMost(bytes(line), maxResponseBytes)
        assert.strictEqual(line.indexOf("\n"), line.length - 1)
        const reply = Either.getOrThrow(decodeReply("Status", line))
        assert.deepStrictEqual({ ...reply.data, ...statusFields }, reply.data)
      }),
      { numRuns: runs(60) }
    )
  })
})

const problemOf = (text: string) => Either.getOrNull(Either.flip(decodeReply("Status", text)))

describe("decodeReply", () => {
  const status =
    '"worker_status":"","uptime_seconds":0,"total_restarts":0,"consecutive_failures":0,' +
    '"memory_available_bytes":0,"memory_total_bytes":0'

  it("accepts the original's status before its first look", () => {
    const reply = decodeReply(
      "Status",
      `{"success":true,"message":"Worker is ","data":{${status},"worker_pid":null}}`
    )
    assert.strictEqual(Either.getOrThrow(reply).data?.worker_status, "")
  })

  it("accepts an absent pid, a word of a newer daemon, unknown fields, and data that is null or absent", () => {
    assert.isNull(
      Either.getOrThrow(decodeReply("Status", `{"success":true,"message":"","data":{${status}}}`)).data
        ?.worker_pid
    )
    const newer = decodeReply(
      "Status",
      `{"success":true,"message":"","x":1,"data":{${status.replace('""', '"paused"')},"y":[]}}`
    )
    assert.strictEqual(Either.getOrThrow(newer).data?.worker_status, "paused")
    assert.deepStrictEqual(
      Either.getOrThrow(decodeReply("Status", '{"success":false,"message":"no","data":null}')),
      {
        success: false,
        message: "no"
      }
    )
  })

  it("says in one line which field of an answer is wrong", () => {
    assert.strictEqual(problemOf('{"success":true}'), '"message": is missing')
    assert.strictEqual(problemOf('{"success":"yes","message":""}'), '"success": is not as expected: "yes"')
    assert.strictEqual(
      problemOf(`{"success":true,"message":"","data":{}}`),
      '"data.worker_status": is missing'
    )
  })
})
