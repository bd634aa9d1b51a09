import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { HogsData } from "../../Domain/guard/HogsData.ts"
import { hogsData } from "../../Domain/guard/HogsReport.ts"
import type { ProcUnreadable } from "../machine/ProcFs.ts"
import { MemoryMonitor } from "../memory/MemoryMonitor.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import { HogSearch } from "./HogSearch.ts"

/** The memory could not be read yet, so that nothing can be said about it. */
export class MemoryUnknown extends Data.TaggedError("MemoryUnknown") {
  override get message() {
    return "The machine's memory could not be read yet. Ask again in a moment."
  }
}

/** Whom the daemon would end if memory were low at this moment, and why nobody else. It ends nobody. */
export class HogReport extends Context.Tag("HogReport")<
  HogReport,
  { readonly look: Effect.Effect<HogsData, MemoryUnknown | ProcUnreadable> }
>() {}

const make = Effect.gen(function* () {
  const { last } = yield* MemoryMonitor
  const { current } = yield* SettingsInForce
  const { search } = yield* HogSearch

  return HogReport.of({
    look: Effect.gen(function* () {
      const look = yield* last
      if (look === undefined) return yield* new MemoryUnknown()
      const choice = yield* search(look)
      return hogsData(choice, look, (yield* SubscriptionRef.get(current)).memory)
    })
  })
})

export const layer: Layer.Layer<HogReport, never, HogSearch | MemoryMonitor | SettingsInForce> = Layer.effect(
  HogReport,
  make
)
