import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { HogsData } from "../../Domain/guard/HogsData.ts"
import { hogsData } from "../../Domain/guard/HogsReport.ts"
import type { ProcUnreadable } from "../machine/ProcFs.ts"
import { MemoryMonitor } from "../memory/MemoryMonitor.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import { HogSearch } from "./HogSearch.ts"

/** The daemon has not been able to read memory yet. */
export class MemoryUnknown extends Data.TaggedError("MemoryUnknown") {
  override get message() {
    return "The daemon has not been able to read the machine's memory yet. Try again in a moment."
  }
}

/** Reports which processes the daemon would kill if memory were low now, and why not the others. It kills nothing. */
export class HogReport extends Context.Tag("HogReport")<
  HogReport,
  { readonly report: Effect.Effect<HogsData, MemoryUnknown | ProcUnreadable> }
>() {}

const make = Effect.gen(function* () {
  const { last } = yield* MemoryMonitor
  const { now: inForce } = yield* SettingsInForce
  const { search } = yield* HogSearch

  return HogReport.of({
    report: Effect.gen(function* () {
      const sample = yield* last
      if (sample === undefined) return yield* new MemoryUnknown()
      return hogsData(yield* search(sample), sample, inForce().memory)
    })
  })
})

export const layer: Layer.Layer<HogReport, never, HogSearch | MemoryMonitor | SettingsInForce> = Layer.effect(
  HogReport,
  make
)
