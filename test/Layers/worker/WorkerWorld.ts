import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { memoryLook } from "../../../src/Domain/memory/MemoryLook.ts"
import type { RawSettings } from "../../../src/Domain/toml/RawSettings.ts"
import { InstanceLock } from "../../../src/Layers/daemon/InstanceLock.ts"
import * as WorkerMemory from "../../../src/Layers/guard/WorkerMemory.ts"
import { DaemonEvents } from "../../../src/Layers/history/DaemonEvents.ts"
import * as ProcessMemory from "../../../src/Layers/machine/ProcessMemory.ts"
import * as ProcessScan from "../../../src/Layers/machine/ProcessScan.ts"
import * as ProcFs from "../../../src/Layers/machine/ProcFs.ts"
import { MemoryMonitor } from "../../../src/Layers/memory/MemoryMonitor.ts"
import { SettingsInForce } from "../../../src/Layers/settings/SettingsInForce.ts"
import { type LivingGroup, WorkerGroups, withoutGroups } from "../../../src/Layers/tree/WorkerGroups.ts"
import * as LiveWorkers from "../../../src/Layers/verdict/LiveWorkers.ts"
import { Supervisor, type SupervisorOptions } from "../../../src/Layers/worker/Supervisor.ts"
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

/** Settings that can be changed. */
export class Settings extends Context.Tag("Settings")<
  Settings,
  { readonly set: (memory: RawSettings) => Effect.Effect<void> }
>() {}

const settingsOf = (memory: RawSettings) =>
  inForce({ worker_command: { type: "Command", argv: ["worker"] }, memory })

const unused = Effect.dieMessage("nobody asks for it here")

const scanOf = (world: WorkerWorld) =>
  Layer.effect(
    ProcessScan.ProcessScan,
    Effect.map(ProcessScan.ProcessScan, ({ look }) =>
      ProcessScan.ProcessScan.of({
        look: (aim, use) =>
          Effect.suspend(() => {
            world.looks++
            return world.isReadable
              ? look(aim, (facts) => {
                  world.detailed += facts.details.size
                  return use(facts)
                })
              : new ProcFs.ProcUnreadable({ reason: "no descriptor is free" })
          })
      })
    )
  ).pipe(
    Layer.provide(ProcessScan.layerOf({ root: world.proc.root, selfPid: 50, uid: process.getuid?.() ?? 0 }))
  )

const monitorOf = (world: WorkerWorld) =>
  Layer.succeed(MemoryMonitor, {
    last: Effect.sync(() =>
      memoryLook(
        {
          availableBytes: 4e9,
          totalBytes: 8e9,
          swapTotalBytes: 8e9,
          swapFreeBytes: 8e9 - world.swapInUseBytes,
          boundBy: undefined,
          stall: undefined
        },
        undefined,
        { minAvailableBytes: 2e9, criticalBytes: 1e9 }
      )
    ),
    now: unused,
    shortage: Stream.empty
  })

/** Workers that are pretended, in a /proc of the test's own, with real looks at it. */
export const worldLayer = (
  world: WorkerWorld,
  memory: RawSettings = {},
  options: Partial<SupervisorOptions> = {}
) => {
  const Events = Layer.scoped(
    DaemonEvents,
    Effect.map(PubSub.unbounded<DaemonEvent>(), (pubsub) => ({
      publish: (event: DaemonEvent) =>
        Effect.suspend(() => {
          world.events.push(event)
          return PubSub.publish(pubsub, event)
        }).pipe(Effect.asVoid),
      changes: Stream.fromPubSub(pubsub)
    }))
  )
  const InForce = Layer.effectContext(
    Effect.map(SubscriptionRef.make(settingsOf(memory)), (current) =>
      Context.make(SettingsInForce, { current, load: () => unused }).pipe(
        Context.add(Settings, { set: (changed) => SubscriptionRef.set(current, settingsOf(changed)) })
      )
    )
  )
  return WorkerMemory.layer.pipe(
    Layer.provideMerge(layerOf(makeSurroundings(), options, Events)),
    Layer.provideMerge(
      Layer.mergeAll(
        ProcFs.layerAt(world.proc.root),
        ProcessMemory.layerAt(world.proc.root),
        LiveWorkers.layer,
        scanOf(world),
        Layer.succeed(WorkerGroups, {
          ...withoutGroups,
          of: (id) => world.groups.get(id)?.group,
          living: () => [...world.groups.values()]
        }),
        monitorOf(world),
        Layer.succeed(InstanceLock, { homeId: "home" }),
        InForce,
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
