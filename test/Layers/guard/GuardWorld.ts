import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type { HogChoice, VictimReason } from "../../../src/Domain/guard/HogChoice.ts"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import type { RawSettings } from "../../../src/Domain/toml/RawSettings.ts"
import { HogSearch } from "../../../src/Layers/guard/HogSearch.ts"
import * as MemoryGuard from "../../../src/Layers/guard/MemoryGuard.ts"
import { ProcessSignal } from "../../../src/Layers/machine/ProcessSignal.ts"
import { ProcUnreadable } from "../../../src/Layers/machine/ProcFs.ts"
import { MemoryMonitor } from "../../../src/Layers/memory/MemoryMonitor.ts"
import { changeableSettings } from "../../fixtures/ChangeableSettings.ts"
import { sampleOf } from "../../fixtures/MemorySamples.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"
import { inForce } from "../../fixtures/SettingsInForce.ts"
import { layerOf, makeSurroundings, plan } from "../worker/SupervisorWorld.ts"

export const GiB = 2 ** 30

export const shop = ProjectName.make("shop")
export const blog = ProjectName.make("blog")

/** A process to kill. */
export interface Hog {
  readonly pid: number
  readonly bytes: number
  /** The signal that it does not survive. */
  readonly endsBy: "SIGTERM" | "SIGKILL" | "nothing"
  /** How long after the signal. */
  readonly afterMs: number
  readonly reason: VictimReason
}

export const hog = (pid: number, bytes: number, more: Partial<Hog> = {}): Hog => ({
  pid,
  bytes,
  endsBy: "SIGTERM",
  afterMs: 10,
  reason: { _tag: "Hog" },
  ...more
})

/** A signal to a process or its exit, and the memory available right before. */
export interface Deed {
  readonly pid: number
  readonly what: "SIGTERM" | "SIGKILL" | "ended"
  readonly availableBytes: number
}

/** A pretended machine. */
export interface Machine {
  /** Available without the hogs. Written by the test. */
  freeBytes: number
  /** The memory of each project's worker. */
  readonly workers: Map<ProjectName, number>
  readonly hogs: Map<number, Hog>
  readonly deeds: Array<Deed>
  readonly events: Array<DaemonEvent>
  /** The number of scans. */
  searches: number
  isReadable: boolean
  /** A scan never completes. */
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

const choiceOn = (machine: Machine): HogChoice => ({
  victims: [...machine.hogs.values()].map(({ bytes, pid, reason }) => ({
    pid,
    startTicks: pid,
    heldBytes: bytes,
    swapBytes: 0,
    name: "node",
    argv: ["node"],
    because: reason
  })),
  spared: [],
  holdings: [...machine.workers]
    .map(([project, heldBytes]) => ({ project, heldBytes, processes: 1 }))
    .toSorted((a, b) => b.heldBytes - a.heldBytes)
})

/** Like the monitor, it samples every 100 ms. */
const monitorOf = (machine: Machine) => {
  let wasShort = false
  const look = Effect.sync(() => {
    const seen = sampleOf(machine.availableBytes())
    const isOfInterest = wasShort || seen.level !== "plentiful"
    wasShort = seen.level !== "plentiful"
    return { seen, isOfInterest }
  })
  return MemoryMonitor.of({
    last: Effect.sync(() => sampleOf(machine.availableBytes())),
    now: Effect.map(look, ({ seen }) => seen),
    shortage: (see) =>
      Effect.map(look, ({ isOfInterest, seen }) => isOfInterest && see(seen)).pipe(
        Effect.repeat(Schedule.spaced("100 millis")),
        Effect.forkScoped,
        Effect.asVoid
      ),
    observe: () => Effect.void
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
      killGroup: () => Effect.dieMessage("the guard signals no group"),
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

/** The guard on that machine, with a real supervisor of pretended workers. */
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
  const Settings = changeableSettings((table) => inForce({ projects: tables, memory: table }), memory)
  const Events = recordedEvents(machine.events)
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
