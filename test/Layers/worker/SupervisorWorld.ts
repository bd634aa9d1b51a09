import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import { noAgent } from "../../../src/Domain/agent/AgentSeen.ts"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import type { MetLimit } from "../../../src/Domain/login/LoginLimit.ts"
import { type ProjectName, unnamed } from "../../../src/Domain/Project.ts"
import type { ProjectPlan } from "../../../src/Domain/worker/ProjectPlan.ts"
import type { SavedState } from "../../../src/Domain/worker/SavedState.ts"
import * as Concerns from "../../../src/Layers/history/Concerns.ts"
import { DaemonEvents } from "../../../src/Layers/history/DaemonEvents.ts"
import { WorkerLog } from "../../../src/Layers/logs/WorkerLog.ts"
import { Logins } from "../../../src/Layers/worker/Logins.ts"
import { SelectedProject } from "../../../src/Layers/worker/SelectedProject.ts"
import { StateStore, StateStoreError } from "../../../src/Layers/worker/StateStore.ts"
import * as Supervisor from "../../../src/Layers/worker/Supervisor.ts"
import { testTimers } from "../../fixtures/PlainTimers.ts"
import { defaultPolicy } from "../../fixtures/policies.ts"
import { unheardEvents } from "../../fixtures/UnheardEvents.ts"
import * as FakeRuns from "./FakeRuns.ts"

/** A project as it is when nothing is set. */
export const plan: ProjectPlan = {
  project: unnamed,
  argv: ["worker"],
  cwd: "/",
  envFile: { path: "/nonexistent", mustExist: false },
  envTable: {},
  graceMs: 10_000,
  restart: defaultPolicy,
  autostart: true
}

/** The exit of a worker that crashes. */
export const crash = { code: 1, signal: null }

/** What is around a Supervisor, to look at and to change. */
export interface Surroundings {
  readonly events: Array<DaemonEvent>
  readonly saved: Map<string, SavedState>
  /** How each save came about: whether it outlasts a power failure. */
  readonly saves: Array<"durable" | "quick">
  selected: ProjectName | undefined
  /** What the disk says to a save; undefined: it is saved. */
  disk: "works" | "fails" | "hangs" | "slow"
  /** The id of the login of a project. */
  login: (project: ProjectName) => string | undefined
  readonly loginFiles: ReadonlyArray<string>
  limits: ReadonlyArray<MetLimit>
}

export const makeSurroundings = (saved: Record<string, SavedState> = {}): Surroundings => ({
  events: [],
  saved: new Map(Object.entries(saved)),
  saves: [],
  selected: undefined,
  disk: "works",
  login: () => undefined,
  loginFiles: [],
  limits: []
})

/** The logins of the surroundings. */
export const loginsOf = (around: Pick<Surroundings, "login" | "loginFiles" | "limits">) =>
  Layer.succeed(Logins, {
    of: ({ project }) => Effect.sync(() => ({ id: around.login(project), files: around.loginFiles })),
    load: Effect.sync(() => around.limits),
    save: (limits) => Effect.sync(() => void (around.limits = limits))
  })

/** A Supervisor whose workers, disk and log are pretended. */
export const layerOf = (
  around: Surroundings,
  options: Partial<Supervisor.SupervisorOptions> = {},
  Events = Layer.succeed(
    DaemonEvents,
    unheardEvents((event) => Effect.sync(() => void around.events.push(event)))
  )
) => {
  const State = Layer.succeed(StateStore, {
    load: (project) => Effect.sync(() => around.saved.get(project)),
    save: (project, state, isDurable) =>
      Effect.suspend(() => {
        around.saves.push(isDurable ? "durable" : "quick")
        if (around.disk === "fails")
          return new StateStoreError({ path: "/state", reason: "no space left on device" })
        if (around.disk === "hangs") return Effect.never
        const save = Effect.sync(() => void around.saved.set(project, state))
        return around.disk === "slow" ? Effect.delay(save, "2 seconds") : save
      }),
    saveNow: (project, state) => {
      if (around.disk !== "works") return false
      around.saves.push("quick")
      around.saved.set(project, state)
      return true
    }
  })
  const Selected = Layer.sync(SelectedProject, () => ({
    load: Effect.sync(() => around.selected),
    save: (project) => Effect.sync(() => void (around.selected = project))
  }))
  const Log = Layer.succeed(WorkerLog, {
    open: () => Effect.succeed({ capture: () => Effect.never, note: () => Effect.void })
  })
  return Supervisor.layer({ projects: [plan], keepState: false, ...options }).pipe(
    Layer.provideMerge(
      Layer.mergeAll(
        Concerns.layer.pipe(Layer.provideMerge(Events)),
        State,
        Selected,
        Log,
        loginsOf(around),
        FakeRuns.layer,
        testTimers
      )
    )
  )
}

/** Lets everything that can run now run. */
export const settle = TestClock.adjust(0).pipe(Effect.repeatN(5))

/** The log of a worker that prints nothing. */
export const silentLog = {
  capture: () =>
    Effect.succeed({
      lastOutputNanos: () => 0n,
      unfinished: () => undefined,
      agent: () => noAgent,
      onAgent: () => () => {},
      tail: Effect.succeed([]),
      finish: Effect.void
    }),
  note: () => Effect.void
}
