import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { ControlRequest } from "../../../src/Domain/control/ControlProtocol.ts"
import { readersRefusal, readersRequests, refusalLine } from "../../../src/Domain/control/ReadOnlyRequests.ts"

const types = ControlRequest.members.map(({ fields }) => fields.type.literals[0])

/** What may look, written out once more: a request that is new changes something until this list says otherwise. */
const looking = [
  "Status",
  "GetMetrics",
  "Budget",
  "Projects",
  "Metrics",
  "Hogs",
  "History",
  "Samples",
  "Subscribe"
]

const excuse = (text: string) => readersRefusal(text)?.code

describe("a stream that only reads", () => {
  it("passes the requests that look, and refuses every other one of the protocol by its name", () => {
    assert.sameMembers([...readersRequests], looking)
    for (const type of types) {
      const refusal = readersRefusal(JSON.stringify({ type, project: "shop" }))
      assert.strictEqual(refusal?.code, looking.includes(type) ? undefined : "access_denied", type)
      if (refusal !== undefined) assert.include(refusal.message, `The request ${type} was refused.`)
    }
  })

  it("refuses what it does not understand, in the words of the protocol", () => {
    const cases: ReadonlyArray<readonly [string, string]> = [
      ["{", "The request is not valid JSON: {"],
      ['{"type":}', 'The request is not valid JSON: {"type":}'],
      ["[]", 'The request has no "type" that is known.'],
      ["{}", 'The request has no "type" that is known.'],
      ['{"__proto__":{"type":"Status"}}', 'The request has no "type" that is known.'],
      ['{"type":"Stop\\u001b[2J"}', '"Stop\\u001b[2J" is no "type" that is known.'],
      ['{"type":"toString"}', '"toString" is no "type" that is known.'],
      ['{"type":["Status"]}', '["Status"] is no "type" that is known.'],
      ['{"type":null}', 'null is no "type" that is known.']
    ]
    for (const [text, words] of cases) {
      const refusal = readersRefusal(text)
      assert.strictEqual(refusal?.code, "bad_request", text)
      assert.isTrue(refusal?.message.startsWith(words), `${text}: ${refusal?.message}`)
    }
  })

  it("reads a type as the daemon does: escapes in it, and the last of two", () => {
    assert.strictEqual(excuse('{"\\u0074ype":"\\u0053topWorker"}'), "access_denied")
    assert.strictEqual(excuse('{"type":"Status","type":"StopWorker"}'), "access_denied")
    assert.strictEqual(excuse('{"data":{"type":"Status"},"type":"Shutdown"}'), "access_denied")
    assert.isUndefined(readersRefusal('{"data":{"type":"Shutdown"},"type":"Status"}'))
  })

  it("passes nothing of which the daemon could read another type", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.jsonValue(),
        FastCheck.constantFrom(...types, "Stop", ""),
        (value, type) => {
          const text = JSON.stringify(typeof value === "object" ? { ...value, type } : { value, type })
          assert.strictEqual(readersRefusal(text) === undefined, looking.includes(JSON.parse(text).type))
        }
      )
    )
  })

  it("answers in one line that no terminal obeys", () => {
    const refusal = readersRefusal('{"type":"\\u001b]0;x\\u0007"}')
    assert.isDefined(refusal)
    if (refusal === undefined) return
    const line = refusalLine(refusal)
    assert.match(line, /^\{"success":false,"message":"[^\p{Cc}]+","code":"bad_request"\}\n$/u)
  })
})
