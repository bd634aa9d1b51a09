import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import type { RawSettings } from "../../../src/Domain/toml/RawSettings.ts"
import * as MinuteBeat from "../../../src/Layers/concurrency/MinuteBeat.ts"
import * as WorkerMemory from "../../../src/Layers/guard/WorkerMemory.ts"
import * as ProcessScan from "../../../src/Layers/machine/ProcessScan.ts"
import * as ProcFs from "../../../src/Layers/machine/ProcFs.ts"
import { MemoryMonitor } from "../../../src/Layers/memory/MemoryMonitor.ts"
import { type LivingGroup, WorkerGroups, withoutGroups } from "../../../src/Layers/tree/WorkerGroups.ts"
import * as LiveWorkers from "../../../src/Layers/verdict/LiveWorkers.ts"
import { Supervisor, type SupervisorOptions } from "../../../src/Layers/worker/Supervisor.ts"
import { changeableSettings } from "../../fixtures/ChangeableSettings.ts"
import { heldHome } from "../../fixtures/HeldHome.ts"
import { sampleOf } from "../../fixtures/MemorySamples.ts"
import { testTimers } from "../../fixtures/PlainTimers.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"
import { inForce } from "../../fixtures/SettingsInForce.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"
import { type ProcFolder, procFolder } from "../machine/ProcFolder.ts"
import { layerOf, makeSurroundings, settle } from "./SupervisorWorld.ts"

/** What the test changes and counts. */
export interface WorkerWorld {
  readonly proc: ProcFolder
  readonly events: Array<DaemonEvent>
  /** The cgroups of the workers by their ids; none at first. */
  readonly groups: Map<string, LivingGroup>
  /** How often all processes were looked at. */
  looks: number
  /** Of how many the program and the command line were read. */
  detailed: number
  /** How much swap the machine has in use. */
  swapInUseBytes: number
  /** False: /proc is of no use at the moment. */
  isReadable: boolean
}

/** A machine with init, the daemon (50), and what is to be its first worker (1000). */
export const workerWorld = Effect.map(temporaryHome, (root): WorkerWorld => {
  const proc = procFolder(root)
  proc.put(1, { parent: 0 })
  proc.put(50)
  proc.put(1000, { parent: 50, mark: "home:default:1" })
  return {
    proc,
    events: [],
    groups: new Map(),
    looks: 0,
    detailed: 0,
    swapInUseBytes: 0,
    isReadable: true
  }
})

const settingsOf = (memory: RawSettings) =>
  inForce({ worker_command: { type: "Command", argv: ["worker"] }, memory })

const unused = Effect.dieMessage("nobody asks for it here")

const scanOf = (world: WorkerWorld) =>
  Layer.effect(
    ProcessScan.ProcessScan,
    Effect.map(ProcessScan.ProcessScan, ({ scan }) =>
      ProcessScan.ProcessScan.of({
        scan: (aim, use) =>
          Effect.suspend(() => {
            world.looks++
            return world.isReadable
              ? scan(aim, (facts) => {
                  world.detailed += facts.details.size
                  return use(facts)
                })
              : new ProcFs.ProcUnreadable({ reason: "no descriptor is free" })
          })
      })
    )
  ).pipe(Layer.provide(ProcessScan.layerOf({ selfPid: 50, uid: process.getuid?.() ?? 0 })))

const monitorOf = (world: WorkerWorld) =>
  Layer.succeed(MemoryMonitor, {
    last: Effect.sync(() =>
      sampleOf(4e9, { swapTotalBytes: 8e9, swapFreeBytes: 8e9 - world.swapInUseBytes })
    ),
    now: unused,
    shortage: () => Effect.void,
    observe: () => Effect.void
  })

/** What tests in that world may ask for. */
export type InWorld = Layer.Layer.Success<ReturnType<typeof worldLayer>> | Scope.Scope

/** Workers that are pretended, in a /proc of the test's own, with real looks at it. */
export const worldLayer = (
  world: WorkerWorld,
  memory: RawSettings = {},
  options: Partial<SupervisorOptions> = {}
) => {
  const Events = recordedEvents(world.events)
  return WorkerMemory.layer.pipe(
    Layer.provideMerge(layerOf(makeSurroundings(), options, Events)),
    Layer.provideMerge(
      Layer.mergeAll(
        LiveWorkers.layer,
        Layer.provide(MinuteBeat.layer, testTimers),
        Layer.provideMerge(scanOf(world), ProcFs.layerAt(world.proc.root)),
        Layer.succeed(WorkerGroups, {
          ...withoutGroups,
          of: (id) => world.groups.get(id)?.group,
          living: () => [...world.groups.values()]
        }),
        monitorOf(world),
        heldHome("home"),
        changeableSettings(settingsOf, memory),
        Events
      )
    )
  )
}

/** Starts the workers. Whoever follows events has to listen before there are any. */
export const begin = settle.pipe(
  Effect.zipRight(Effect.flatMap(Supervisor, (supervisor) => supervisor.begin)),
  Effect.zipRight(settle)
)
