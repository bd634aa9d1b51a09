import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { chooseVictims, type HogChoice } from "../../Domain/guard/HogChoice.ts"
import { withMembers } from "../../Domain/machine/ProcessFacts.ts"
import type { MemorySample } from "../../Domain/memory/MemorySample.ts"
import { InstanceLock } from "../daemon/InstanceLock.ts"
import { cgroupMembers } from "../machine/CgroupMembers.ts"
import { ProcessScan } from "../machine/ProcessScan.ts"
import type { ProcUnreadable } from "../machine/ProcFs.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import { WorkerGroups } from "../tree/WorkerGroups.ts"
import { Supervisor } from "../worker/Supervisor.ts"
import { liveWorkers } from "./WorkerMemory.ts"

/** Finds the processes to kill for memory, by the settings in force and the live workers. It kills nothing. */
export class HogSearch extends Context.Tag("HogSearch")<
  HogSearch,
  {
    /** For the memory of this sample, which is short, or would be. */
    readonly search: (sample: MemorySample) => Effect.Effect<HogChoice, ProcUnreadable>
  }
>() {}

const make = Effect.gen(function* () {
  const { homeId } = yield* InstanceLock
  const { now: inForce } = yield* SettingsInForce
  const { scan } = yield* ProcessScan
  const supervisor = yield* Supervisor
  const groups = yield* WorkerGroups

  const workers = Effect.map(supervisor.snapshots, liveWorkers)

  return HogSearch.of({
    search: Effect.fnUntraced(function* (sample) {
      const { memory } = inForce()
      const { boundBy, swapFreeBytes, swapTotalBytes } = sample.reading
      const before = yield* workers
      const within = boundBy === undefined ? undefined : cgroupMembers(boundBy)
      const aim = {
        homeId,
        largeBytes: memory.nodeKillThresholdBytes,
        swapInUseBytes: swapTotalBytes - swapFreeBytes
      }
      return yield* scan(aim, (facts) =>
        // Workers that started or stopped during the scan count as well.
        Effect.map(Effect.all([workers, groups.members]), ([after, members]) =>
          chooseVictims(withMembers(facts, members), [...before, ...after], {
            ...memory,
            isCritical: sample.level === "critical",
            within
          })
        )
      )
    })
  })
})

export const layer: Layer.Layer<
  HogSearch,
  never,
  InstanceLock | SettingsInForce | ProcessScan | Supervisor | WorkerGroups
> = Layer.effect(HogSearch, make)
