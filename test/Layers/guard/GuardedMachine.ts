import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Guilt, HogChoice } from "../../../src/Domain/guard/HogChoice.ts"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { type MemoryLook, memoryLook } from "../../../src/Domain/memory/MemoryLook.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import type { RawSettings } from "../../../src/Domain/toml/RawSettings.ts"
import * as HogEnd from "../../../src/Layers/guard/HogEnd.ts"
import { HogSearch } from "../../../src/Layers/guard/HogSearch.ts"
import * as MemoryGuard from "../../../src/Layers/guard/MemoryGuard.ts"
import * as MemoryRestart from "../../../src/Layers/guard/MemoryRestart.ts"
import { DaemonEvents } from "../../../src/Layers/history/DaemonEvents.ts"
import { ProcessSignal } from "../../../src/Layers/machine/ProcessSignal.ts"
import { ProcUnreadable } from "../../../src/Layers/machine/ProcFs.ts"
import { MemoryMonitor } from "../../../src/Layers/memory/MemoryMonitor.ts"
import { SettingsInForce } from "../../../src/Layers/settings/SettingsInForce.ts"
import { inForce } from "../../fixtures/SettingsInForce.ts"
import { layerOf, makeSurroundings, plan } from "../worker/SupervisorWorld.ts"

export const GiB = 2 ** 30

export const shop = ProjectName.make("shop")
export const blog = ProjectName.make("blog")

/** A process that should be ended, in the order in which they should. */
export interface Hog {
  readonly pid: number
  readonly bytes: number
  /** The signal that ends it. */
  readonly endsBy: "SIGTERM" | "SIGKILL" | "nothing"
  /** How long after the signal. */
  readonly afterMs: number
  readonly guilt: Guilt
}

export const hog = (pid: number, bytes: number, more: Partial<Hog> = {}): Hog => ({
  pid,
  bytes,
  endsBy: "SIGTERM",
  afterMs: 10,
  guilt: { _tag: "Hog" },
  ...more
})

/** What happened to a process, and how much was available right before. */
export interface Deed {
  readonly pid: number
  readonly what: "SIGTERM" | "SIGKILL" | "ended"
  readonly availableBytes: number
}

/** A pretended machine of 16 GiB: memory is low below 2 GiB and critical below 1 GiB. */
export interface Machine {
  /** What others leave available. Written by the test. */
  freeBytes: number
  /** Each project's worker holds so much while it runs. */
  readonly workers: Map<ProjectName, number>
  readonly hogs: Map<number, Hog>
  readonly deeds: Array<Deed>
  readonly events: Array<DaemonEvent>
  /** How often all processes were looked at. */
  searches: number
  isReadable: boolean
  /** Looking at the processes never comes to an end. */
  isHung: boolean
  /** Runs at the end of a search. */
  meanwhile: () => void
  availableBytes: () => number
}

export const makeMachine = (freeBytes: number, hogs: ReadonlyArray<Hog> = []): Machine => {
  const machine: Machine = {
    freeBytes,
    workers: new Map(),
    hogs: new Map(hogs.map((one) => [one.pid, one])),
    deeds: [],
    events: [],
    searches: 0,
    isReadable: true,
    isHung: false,
    meanwhile: () => {},
    availableBytes: () =>
      machine.freeBytes +
      hogs.filter(({ pid }) => !machine.hogs.has(pid)).reduce((sum, { bytes }) => sum + bytes, 0)
  }
  return machine
}

const lookAt = (machine: Machine): MemoryLook =>
  memoryLook(
    {
      availableBytes: machine.availableBytes(),
      totalBytes: 16 * GiB,
      swapTotalBytes: 0,
      swapFreeBytes: 0,
      boundBy: undefined,
      stall: undefined
    },
    undefined,
    { minAvailableBytes: 2 * GiB, criticalBytes: GiB }
  )

const choiceOn = (machine: Machine): HogChoice => ({
  victims: [...machine.hogs.values()].map(({ bytes, guilt, pid }) => ({
    pid,
    startTicks: pid,
    heldBytes: bytes,
    swapBytes: 0,
    name: "node",
    argv: ["node"],
    because: guilt
  })),
  spared: [],
  holdings: [...machine.workers]
    .map(([project, heldBytes]) => ({ project, heldBytes, processes: 1 }))
    .toSorted((a, b) => b.heldBytes - a.heldBytes)
})

/** Looks every 50 ms while it is short, as the monitor does: whoever is busy finds the last of them waiting. */
const monitorOf = (machine: Machine) => {
  let wasShort = false
  const look = Effect.sync(() => {
    const seen = lookAt(machine)
    const isOfInterest = wasShort || seen.level !== "plentiful"
    wasShort = seen.level !== "plentiful"
    return { seen, isOfInterest }
  })
  return MemoryMonitor.of({
    last: Effect.sync(() => lookAt(machine)),
    now: Effect.map(look, ({ seen }) => seen),
    shortage: Stream.tick("50 millis").pipe(
      Stream.mapEffect(() => look),
      Stream.filter(({ isOfInterest }) => isOfInterest),
      Stream.map(({ seen }) => seen),
      Stream.buffer({ capacity: 1, strategy: "sliding" })
    )
  })
}

const signalsOf = (machine: Machine) =>
  Effect.gen(function* () {
    const clock = yield* Effect.clock
    const scope = yield* Effect.scope
    const end = (one: Hog) =>
      Effect.sync(() => {
        if (!machine.hogs.has(one.pid)) return
        machine.deeds.push({ pid: one.pid, what: "ended", availableBytes: machine.availableBytes() })
        machine.hogs.delete(one.pid)
      })
    return ProcessSignal.of({
      isThere: ({ pid }) => Effect.sync(() => machine.hogs.has(pid)),
      send: ({ pid }, ...[signal]) =>
        Effect.gen(function* () {
          const one = machine.hogs.get(pid)
          if (one === undefined) return "gone" as const
          if (signal === "SIGCONT" || signal === undefined) return "sent" as const
          machine.deeds.push({ pid, what: signal, availableBytes: machine.availableBytes() })
          if (one.endsBy === signal || (one.endsBy === "SIGTERM" && signal === "SIGKILL")) {
            yield* Effect.forkIn(Effect.delay(end(one), one.afterMs), scope)
          }
          return "sent" as const
        }).pipe(Effect.withClock(clock))
    })
  })

/** The guard on that machine, with real supervision of workers without processes. */
export const guarded = (
  machine: Machine,
  {
    memory = {},
    projects = [shop]
  }: { readonly memory?: RawSettings; readonly projects?: ReadonlyArray<ProjectName> } = {}
) => {
  const [first = shop, ...more] = projects
  const tables = Object.fromEntries(
    projects.map((name) => [name, { worker_command: { type: "Command", argv: ["worker"] } }])
  )
  const Settings = Layer.effect(
    SettingsInForce,
    Effect.map(SubscriptionRef.make(inForce({ projects: tables, memory })), (current) => ({
      current,
      load: () => Effect.dieMessage("nobody reloads")
    }))
  )
  const Events = Layer.scoped(
    DaemonEvents,
    Effect.map(PubSub.unbounded<DaemonEvent>(), (pubsub) => ({
      publish: (event: DaemonEvent) =>
        Effect.suspend(() => {
          machine.events.push(event)
          return Effect.asVoid(PubSub.publish(pubsub, event))
        }),
      changes: Stream.fromPubSub(pubsub)
    }))
  )
  const plans = [{ ...plan, project: first }, ...more.map((project) => ({ ...plan, project }))] as const
  const Search = Layer.succeed(HogSearch, {
    search: () =>
      Effect.suspend(() => {
        machine.searches++
        if (machine.isHung) return Effect.never
        if (!machine.isReadable) return new ProcUnreadable({ reason: "no descriptor is free" })
        const choice = choiceOn(machine)
        machine.meanwhile()
        return Effect.succeed(choice)
      })
  })
  return MemoryGuard.layer.pipe(
    Layer.provide(Layer.merge(HogEnd.layer, MemoryRestart.layer)),
    Layer.provideMerge(layerOf(makeSurroundings(), { projects: plans }, Events)),
    Layer.provideMerge(
      Layer.mergeAll(
        Search,
        Settings,
        Events,
        Layer.sync(MemoryMonitor, () => monitorOf(machine)),
        Layer.scoped(ProcessSignal, signalsOf(machine))
      )
    )
  )
}
