import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { tallyOf } from "../../../src/Domain/metrics/Tally.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { DaemonEvents } from "../../../src/Layers/history/DaemonEvents.ts"
import * as Tallies from "../../../src/Layers/metrics/Tallies.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"

const shop = ProjectName.make("shop")

describe("the tallies", () => {
  it.effect("count each event when it is published, and pass it on once", () => {
    const told: Array<DaemonEvent> = []
    const event: DaemonEvent = { _tag: "OutputDropped", project: shop, lines: 3, reason: "disk full" }
    return Effect.gen(function* () {
      const { publish } = yield* DaemonEvents
      yield* Effect.forEach(Array.from({ length: 2000 }), () => publish(event), { discard: true })
      assert.strictEqual(tallyOf(yield* Ref.get(yield* Tallies.Tallies), shop).linesDropped, 6000)
      assert.strictEqual(told.length, 2000)
    }).pipe(Effect.provide(Layer.provideMerge(Tallies.layer, recordedEvents(told))))
  })
})
