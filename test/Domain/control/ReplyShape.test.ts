import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import { ControlResponse, replyTo } from "../../../src/Domain/control/ControlProtocol.ts"
import { decodeReply, subscriptionLineIn } from "../../../src/Domain/control/ControlReply.ts"
import { quickReplyShapes } from "../../../src/Domain/control/ReplyShapes.ts"
import { responseShape } from "../../../src/Domain/control/ResponseShape.ts"
import { SubscriptionLine } from "../../../src/Domain/control/Subscription.ts"
import { misfit } from "../../../src/Domain/Shape.ts"
import { originalReplies } from "../../fixtures/OriginalDaemon.ts"
import { byShape, readsAsSchema } from "../../fixtures/ReadsAsSchema.ts"

const { of, shapes } = quickReplyShapes()

/** One request for each form of an answer. */
const types = Struct.keys(replyTo).filter(
  (type, at, all) => all.findIndex((other) => replyTo[other] === replyTo[type]) === at
)

for (const type of types) {
  readsAsSchema(
    `the answer to ${type}`,
    (value) => Either.getOrElse(decodeReply(type, JSON.stringify(value)), () => misfit),
    replyTo[type]
  )
  const quick = shapes[of[type] ?? -1]
  if (quick !== undefined)
    readsAsSchema(`the quick reading of the answer to ${type}`, byShape(quick), replyTo[type])
}

readsAsSchema("the answer that the daemon writes", byShape(responseShape()), ControlResponse)

readsAsSchema(
  "a line to a subscriber",
  (value) => subscriptionLineIn(JSON.stringify(value)) ?? misfit,
  SubscriptionLine
)

describe("an answer of the original", () => {
  it("is read as its schema would", () => {
    const replies = Object.values(originalReplies)
    assert.isNotEmpty(replies)
    const decode = Schema.decodeSync(Schema.parseJson(replyTo.Status))
    for (const reply of replies)
      assert.deepStrictEqual(decodeReply("Status", reply), Either.right(decode(reply)))
  })
})
