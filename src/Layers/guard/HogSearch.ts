import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { chooseHogs, type HogChoice } from "../../Domain/guard/HogChoice.ts"
import { withMembers } from "../../Domain/machine/ProcessFacts.ts"
import type { MemoryLook } from "../../Domain/memory/MemoryLook.ts"
import { InstanceLock } from "../daemon/InstanceLock.ts"
import { cgroupMembers } from "../machine/CgroupMembers.ts"
import { ProcessScan } from "../machine/ProcessScan.ts"
import type { ProcUnreadable } from "../machine/ProcFs.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import { WorkerGroups } from "../tree/WorkerGroups.ts"
import { Supervisor } from "../worker/Supervisor.ts"
import { inCharge } from "./WorkersInCharge.ts"

/** Finds out whom memory could be had from, by the settings in force and the workers that there are. It ends nobody. */
export class HogSearch extends Context.Tag("HogSearch")<
  HogSearch,
  {
    /** Of the memory that this look has found to be short, or that would be. */
    readonly search: (look: MemoryLook) => Effect.Effect<HogChoice, ProcUnreadable>
  }
>() {}

const make = Effect.gen(function* () {
  const { homeId } = yield* InstanceLock
  const { current } = yield* SettingsInForce
  const scan = yield* ProcessScan
  const supervisor = yield* Supervisor
  const groups = yield* WorkerGroups

  const workers = Effect.map(supervisor.snapshots, (snapshots) => snapshots.flatMap(inCharge))

  return HogSearch.of({
    search: Effect.fnUntraced(function* (look) {
      const { memory } = yield* SubscriptionRef.get(current)
      const { boundBy, swapFreeBytes, swapTotalBytes } = look.reading
      const before = yield* workers
      const within = boundBy === undefined ? undefined : yield* cgroupMembers(boundBy)
      const aim = {
        homeId,
        largeBytes: memory.nodeKillThresholdBytes,
        swapInUseBytes: swapTotalBytes - swapFreeBytes
      }
      return yield* scan.look(aim, (facts) =>
        // Whoever was started or ended while all processes were read is in somebody's hands, or was.
        Effect.map(Effect.all([workers, groups.members]), ([after, members]) =>
          chooseHogs(withMembers(facts, members), [...before, ...after], {
            ...memory,
            isCritical: look.level === "critical",
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
