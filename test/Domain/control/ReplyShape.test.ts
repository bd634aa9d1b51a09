import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { ControlResponse, replyTo } from "../../../src/Domain/control/ControlProtocol.ts"
import { decodeReply } from "../../../src/Domain/control/ControlReply.ts"
import { quickReplyShapes, replyShapes } from "../../../src/Domain/control/ReplyShapes.ts"
import { responseShape } from "../../../src/Domain/control/ResponseShape.ts"
import { SubscriptionLine } from "../../../src/Domain/control/Subscription.ts"
import { fitted, misfit, type Shape } from "../../../src/Domain/Shape.ts"
import { originalReplies } from "../../fixtures/OriginalDaemon.ts"
import { runs } from "../../fixtures/runs.ts"
import { spoiled } from "../../fixtures/Spoiled.ts"

/** A form, and the schema that it stands for. */
interface Pair {
  readonly read: (value: unknown) => unknown
  readonly schema: Schema.Schema.AnyNoContext
}

const byShape =
  (shape: Shape) =>
  (value: unknown): unknown =>
    fitted(shape, value)

const { of, shapes } = quickReplyShapes()

const types = [
  "Status",
  "Budget",
  "Projects",
  "Metrics",
  "Hogs",
  "History",
  "Samples",
  "ReloadConfig",
  "GetConfig",
  "SetConfig"
] as const

const pairs: Readonly<Record<string, Pair>> = {
  ...Object.fromEntries(
    types.map((type) => [
      `the answer to ${type}`,
      {
        read: (value: unknown) => Either.getOrElse(decodeReply(type, JSON.stringify(value)), () => misfit),
        schema: replyTo[type]
      }
    ])
  ),
  ...Object.fromEntries(
    types.flatMap((type) => {
      const shape = shapes[of[type] ?? -1]
      return shape === undefined
        ? []
        : [[`the quick reading of the answer to ${type}`, { read: byShape(shape), schema: replyTo[type] }]]
    })
  ),
  "the answer that the daemon writes": { read: byShape(responseShape()), schema: ControlResponse },
  "a line to a subscriber": { read: byShape(replyShapes().line), schema: SubscriptionLine }
}

for (const [name, { read, schema }] of Object.entries(pairs)) {
  describe(`${name}`, () => {
    const decode = Schema.decodeUnknownEither(schema)
    /** Values as they stand on the wire. */
    const wire = Arbitrary.make(Schema.typeSchema(schema)).map((value): unknown =>
      JSON.parse(JSON.stringify(Schema.encodeSync(schema)(value)))
    )
    /** The same as the schema, and the same bytes under --json. */
    const assertSame = (value: unknown): void => {
      const whole = Either.getOrThrowWith(decode(value), (problem) => new Error(String(problem)))
      assert.strictEqual(JSON.stringify(read(value)), JSON.stringify(whole))
    }

    it("is read as its schema would, with unknown fields too", () => {
      FastCheck.assert(
        FastCheck.property(wire, (value) => assertSame({ ...Object(value), more: [1] })),
        { numRuns: runs(60) }
      )
    })

    it("has another form where the schema finds none, but for the rules of a text", () => {
      FastCheck.assert(
        FastCheck.property(
          wire,
          FastCheck.nat(40),
          FastCheck.constantFrom<unknown>(null, -1, 1.5, "x", true, [], {}, 1e300),
          (value, at, by) => {
            const wrong = spoiled(value, at, by)
            const isWhole = Either.isRight(decode(wrong))
            if (read(wrong) === misfit) assert.isFalse(isWhole, JSON.stringify(wrong))
            else if (isWhole) assertSame(wrong)
            else assert.strictEqual(by, "x", JSON.stringify(wrong))
          }
        ),
        { numRuns: runs(100) }
      )
    })
  })
}

describe("an answer of the original", () => {
  it("is read as its schema would", () => {
    const replies = Object.values(originalReplies)
    assert.isNotEmpty(replies)
    const decode = Schema.decodeSync(Schema.parseJson(replyTo.Status))
    for (const reply of replies)
      assert.deepStrictEqual(decodeReply("Status", reply), Either.right(decode(reply)))
  })
})
