import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import { chooseHogs } from "../Domain/HogChoice.ts"
import type { HogsData } from "../Domain/HogsData.ts"
import { hogsData } from "../Domain/HogsReport.ts"
import type { WorkerInCharge } from "../Domain/ProcessOrigin.ts"
import { cgroupMembers } from "./CgroupMembers.ts"
import { InstanceLock } from "./InstanceLock.ts"
import { MemoryMonitor } from "./MemoryMonitor.ts"
import type { ProcUnreadable } from "./ProcFs.ts"
import { ProcessScan } from "./ProcessScan.ts"
import type { ProjectSnapshot } from "./ProjectActor.ts"
import { SettingsInForce } from "./SettingsInForce.ts"
import { Supervisor } from "./Supervisor.ts"

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

/** What a project's worker answers for. */
const inCharge = ({
  plan: { project },
  state: { phase },
  worker
}: ProjectSnapshot): ReadonlyArray<WorkerInCharge> => {
  switch (phase._tag) {
    case "Running":
      return [
        { project, running: worker === undefined ? undefined : { id: worker.id, leaderPid: phase.pid } }
      ]
    case "Starting":
    case "Stopping":
      return [{ project, running: undefined }]
    case "Stopped":
    case "Restarting":
    case "Waiting":
    case "Failed":
      return []
  }
}

const make = Effect.gen(function* () {
  const { homeId } = yield* InstanceLock
  const { last } = yield* MemoryMonitor
  const { current } = yield* SettingsInForce
  const scan = yield* ProcessScan
  const supervisor = yield* Supervisor

  const workers = Effect.map(supervisor.snapshots, (snapshots) => snapshots.flatMap(inCharge))

  return HogReport.of({
    look: Effect.gen(function* () {
      const look = yield* last
      if (look === undefined) return yield* new MemoryUnknown()
      const { memory } = yield* SubscriptionRef.get(current)
      const { boundBy, swapFreeBytes, swapTotalBytes } = look.reading
      const before = yield* workers
      const within = boundBy === undefined ? undefined : yield* cgroupMembers(boundBy)
      const aim = {
        homeId,
        largeBytes: memory.nodeKillThresholdBytes,
        swapInUseBytes: swapTotalBytes - swapFreeBytes
      }
      const choice = yield* scan.look(aim, (facts) =>
        // Whoever was started or ended while all processes were read is in somebody's hands, or was.
        Effect.map(workers, (after) =>
          chooseHogs(facts, [...before, ...after], {
            ...memory,
            isCritical: look.level === "critical",
            within
          })
        )
      )
      return hogsData(choice, look, memory)
    })
  })
})

export const layer: Layer.Layer<
  HogReport,
  never,
  InstanceLock | MemoryMonitor | SettingsInForce | ProcessScan | Supervisor
> = Layer.effect(HogReport, make)
