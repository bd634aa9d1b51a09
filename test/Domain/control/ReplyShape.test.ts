import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { replyTo } from "../../../src/Domain/control/ControlProtocol.ts"
import { decodeReply } from "../../../src/Domain/control/ControlWire.ts"
import { replyShapes } from "../../../src/Domain/control/ReplyShapes.ts"
import { fitted, misfit } from "../../../src/Domain/Shape.ts"
import { originalReplies } from "../../fixtures/OriginalDaemon.ts"
import { runs } from "../../fixtures/runs.ts"
import { spoiled } from "../../fixtures/Spoiled.ts"

const { of, shapes } = replyShapes()

const types = ["Status", "Budget", "Projects", "ReloadConfig", "GetConfig"] as const

/** Answers as they stand on the wire. */
const wire = <A, I>(schema: Schema.Schema<A, I>): FastCheck.Arbitrary<unknown> =>
  Arbitrary.make(Schema.typeSchema(schema)).map(Schema.encodeSync(schema))

const answers: Readonly<Record<(typeof types)[number], FastCheck.Arbitrary<unknown>>> = {
  Status: wire(replyTo.Status),
  Budget: wire(replyTo.Budget),
  Projects: wire(replyTo.Projects),
  ReloadConfig: wire(replyTo.ReloadConfig),
  GetConfig: wire(replyTo.GetConfig)
}

const read = (type: (typeof types)[number], text: string): unknown => {
  const shape = shapes[of[type] ?? assert.fail(type)] ?? assert.fail(type)
  return fitted(shape, JSON.parse(text))
}

/** The same as the schema, and the same bytes under --json. */
const assertSame = (type: (typeof types)[number], text: string): void => {
  const whole = Either.getOrThrowWith(decodeReply(type, text), (problem) => new Error(problem))
  assert.strictEqual(JSON.stringify(read(type, text)), JSON.stringify(whole), text)
}

describe("the quick reading of an answer", () => {
  it("is that of its schema for every answer, with unknown fields too", () => {
    for (const type of types) {
      FastCheck.assert(
        FastCheck.property(answers[type], (reply) => {
          assertSame(type, JSON.stringify({ ...Object(reply), more: [1] }))
        }),
        { numRuns: runs(60) }
      )
    }
  })

  it("finds no form where the schema finds none, but for the rules of a text", () => {
    for (const type of types) {
      FastCheck.assert(
        FastCheck.property(
          answers[type],
          FastCheck.nat(40),
          FastCheck.constantFrom<unknown>(null, -1, 1.5, "x", true, [], {}, 1e300),
          (reply, at, by) => {
            const text = JSON.stringify(spoiled(reply, at, by))
            const isWhole = Either.isRight(decodeReply(type, text))
            if (read(type, text) === misfit) assert.isFalse(isWhole, text)
            else if (isWhole) assertSame(type, text)
            else assert.strictEqual(by, "x", text)
          }
        ),
        { numRuns: runs(100) }
      )
    }
  })

  it("takes every answer of the original", () => {
    const replies = Object.values(originalReplies)
    assert.isNotEmpty(replies)
    for (const reply of replies) assertSame("Status", reply)
  })
})
