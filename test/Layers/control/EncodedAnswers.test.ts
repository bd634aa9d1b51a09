import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as FastCheck from "effect/FastCheck"
import { ControlResponse } from "../../../src/Domain/control/ControlProtocol.ts"
import { encodeResponse } from "../../../src/Domain/control/ControlWire.ts"
import { encodingOnce } from "../../../src/Layers/control/EncodedAnswers.ts"
import { runs } from "../../fixtures/runs.ts"
import { running } from "../../fixtures/ServedControl.ts"

const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("utf8")

describe("the encoding of answers", () => {
  it("has the bytes of encodeResponse, whatever was encoded before", () => {
    const responses = FastCheck.array(Arbitrary.make(ControlResponse), { minLength: 1, maxLength: 3 })
    FastCheck.assert(
      FastCheck.property(responses, FastCheck.string(), (some, message) => {
        const encode = encodingOnce()
        // The same data with another message, with an error, and again.
        const all = some.flatMap((one) => [
          one,
          { ...one, message },
          { ...one, success: !one.success },
          { ...one, code: "bug" as const },
          one
        ])
        for (const response of [...all, ...all])
          assert.strictEqual(textOf(encode(response)), encodeResponse(response))
      }),
      { numRuns: runs(60) }
    )
  })

  it("is done once for the same data", () => {
    const encode = encodingOnce()
    const bytes = encode(running)
    assert.strictEqual(encode({ ...running }), bytes)
    assert.notStrictEqual(encode({ ...running, data: { ...running.data } }), bytes)
  })
})
