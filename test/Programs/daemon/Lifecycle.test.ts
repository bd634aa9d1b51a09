import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { ControlQuestion } from "../../../src/Domain/control/ControlProtocol.ts"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import type { MemoryReadResult } from "../../../src/Domain/machine/MemoryReading.ts"
import type { ProcessEntry } from "../../../src/Domain/machine/ProcessEntry.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { plansOf } from "../../../src/Domain/worker/ProjectPlan.ts"
import * as MinuteBeat from "../../../src/Layers/concurrency/MinuteBeat.ts"
import * as SettingsReload from "../../../src/Layers/config/SettingsReload.ts"
import * as SettingsStore from "../../../src/Layers/config/SettingsStore.ts"
import * as SettingsWatcher from "../../../src/Layers/config/SettingsWatcher.ts"
import * as ControlHandler from "../../../src/Layers/control/ControlHandler.ts"
import * as ControlServer from "../../../src/Layers/control/ControlServer.ts"
import { serverLimits } from "../../../src/Layers/control/ControlServer.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import { ClosingLimit } from "../../../src/Layers/daemon/ClosingLimit.ts"
import { HomeChanges } from "../../../src/Layers/daemon/HomeChanges.ts"
import * as ShutdownRequest from "../../../src/Layers/daemon/ShutdownRequest.ts"
import { type SignalEvent, Signals } from "../../../src/Layers/daemon/Signals.ts"
import { Uncaught } from "../../../src/Layers/daemon/Uncaught.ts"
import { HogReport } from "../../../src/Layers/guard/HogReport.ts"
import * as WorkerLimit from "../../../src/Layers/guard/WorkerLimit.ts"
import * as WorkerMemory from "../../../src/Layers/guard/WorkerMemory.ts"
import * as Concerns from "../../../src/Layers/history/Concerns.ts"
import { DaemonEvents } from "../../../src/Layers/history/DaemonEvents.ts"
import * as HistoryReader from "../../../src/Layers/history/HistoryReader.ts"
import { HistoryStore } from "../../../src/Layers/history/HistoryStore.ts"
import * as WorkerLines from "../../../src/Layers/logs/WorkerLines.ts"
import { WorkerLog } from "../../../src/Layers/logs/WorkerLog.ts"
import { MemoryReader } from "../../../src/Layers/machine/MemoryReader.ts"
import { ProcessScan } from "../../../src/Layers/machine/ProcessScan.ts"
import { ProcFs, walksOf } from "../../../src/Layers/machine/ProcFs.ts"
import { makeProcReader } from "../../../src/Layers/machine/ProcReader.ts"
import * as MemoryMonitor from "../../../src/Layers/memory/MemoryMonitor.ts"
import { MetricsReport } from "../../../src/Layers/metrics/MetricsReport.ts"
import * as SettingsFile from "../../../src/Layers/settings/SettingsFile.ts"
import { SettingsInForce } from "../../../src/Layers/settings/SettingsInForce.ts"
import { MemoryTimeline } from "../../../src/Layers/status/MemoryTimeline.ts"
import * as ProjectReports from "../../../src/Layers/status/ProjectReports.ts"
import { OwnUnit } from "../../../src/Layers/systemd/OwnUnit.ts"
import { WorkerGroups, withoutGroups } from "../../../src/Layers/tree/WorkerGroups.ts"
import * as LiveWorkers from "../../../src/Layers/verdict/LiveWorkers.ts"
import * as ProjectSwitch from "../../../src/Layers/worker/ProjectSwitch.ts"
import { SelectedProject } from "../../../src/Layers/worker/SelectedProject.ts"
import { StateStore } from "../../../src/Layers/worker/StateStore.ts"
import * as Supervisor from "../../../src/Layers/worker/Supervisor.ts"
import { supervise } from "../../../src/Programs/daemon/Lifecycle.ts"
import { heldHome } from "../../fixtures/HeldHome.ts"
import { readingOf } from "../../fixtures/MemorySamples.ts"
import { noHistory } from "../../fixtures/NoHistory.ts"
import { inForce, settingsOf } from "../../fixtures/SettingsInForce.ts"
import { unheardEvents } from "../../fixtures/UnheardEvents.ts"
import { fakeService } from "../../Layers/systemd/FakeService.ts"
import * as FakeRuns from "../../Layers/worker/FakeRuns.ts"
import { loginsOf, makeSurroundings } from "../../Layers/worker/SupervisorWorld.ts"
import { eventually, temporaryHome } from "../../live/TestDaemon.ts"

const memory: MemoryReadResult = { reading: readingOf(4096, { totalBytes: 8192 }), unusable: [] }

/** What the first worker is. */
const leader: ProcessEntry = {
  pid: 1000,
  parentPid: 50,
  group: 1000,
  session: 1000,
  startTicks: 1,
  state: "S",
  residentBytes: 4096,
  swapBytes: 0,
  isKernelThread: false,
  cpuMs: 0
}

/** Where a bug can be put in: each is run in place of what it names. */
interface Bugs {
  /** The next reading of the memory, then all others. */
  readonly memory?: () => MemoryReadResult
  readonly scan?: Effect.Effect<void>
  /** Whose worker then has a limit. */
  readonly proportional?: Effect.Effect<void>
  readonly reload?: Effect.Effect<never>
  readonly signal?: Effect.Effect<SignalEvent>
  readonly publish?: (event: DaemonEvent) => Effect.Effect<void>
  readonly uncaught?: Effect.Effect<void>
  /** Not a bug: until what an answer speaks of is in the history. */
  readonly recorded?: Effect.Effect<void>
  /** Not a bug: who hears how the daemon does. */
  readonly service?: ReturnType<typeof fakeService>
  /** Not a bug: takes what bounds the closing. */
  readonly closing?: (code: number, report: Effect.Effect<void>) => Effect.Effect<void>
  /** Sleeps of this length meet a bug, once. */
  readonly sleepMs?: number
}

/** A clock whose sleep of one length dies the first time. */
const brokenClock = (live: Clock.Clock, sleepMs: number): Clock.Clock => {
  let isBroken = true
  return Object.assign(Object.create(live), {
    sleep: (duration: Duration.Duration) => {
      if (!isBroken || Duration.toMillis(duration) !== sleepMs) return live.sleep(duration)
      isBroken = false
      return Effect.dieMessage("a bug in a timer")
    }
  })
}

/** The whole daemon but for processes, files and real signals. */
const daemonWith = (home: string, bugs: Bugs, events: Array<DaemonEvent>) => {
  const tell = bugs.publish ?? (() => Effect.void)
  const World = Layer.mergeAll(
    Layer.succeed(AutopilotHome, pathsBelow(home)),
    Layer.succeed(
      DaemonEvents,
      unheardEvents((event) =>
        Effect.zipRight(
          Effect.sync(() => void events.push(event)),
          tell(event)
        )
      )
    ),
    Layer.effect(
      HistoryStore,
      Effect.map(HistoryStore, (store) => ({ ...store, recorded: bugs.recorded ?? store.recorded }))
    ).pipe(Layer.provide(noHistory)),
    Layer.succeed(Signals, { next: bugs.signal ?? Effect.never }),
    (bugs.service ?? fakeService()).layer,
    Layer.succeed(OwnUnit, { facts: Effect.succeed(undefined) }),
    Layer.succeed(ClosingLimit, { begin: bugs.closing ?? (() => Effect.void) }),
    Layer.succeed(Uncaught, { first: bugs.uncaught ?? Effect.never }),
    Layer.succeed(SelectedProject, { load: Effect.succeed(undefined), save: () => Effect.void }),
    loginsOf(makeSurroundings()),
    Layer.succeed(StateStore, {
      load: () => Effect.succeed(undefined),
      save: () => Effect.void,
      saveNow: () => false
    }),
    Layer.succeed(WorkerLog, {
      open: () => Effect.succeed({ capture: () => Effect.never, note: () => Effect.void })
    }),
    Layer.mock(ProcFs, {
      reader: makeProcReader("/nonexistent"),
      walks: walksOf(makeProcReader("/nonexistent"), undefined),
      process: () => Effect.succeed(leader),
      swapBytes: () => Effect.succeed(new Map()),
      proportionalBytes: () => Effect.as(bugs.proportional ?? Effect.void, new Map([[leader.pid, 0]]))
    }),
    Layer.succeed(ProcessScan, {
      scan: (_aim, use) =>
        Effect.zipRight(
          bugs.scan ?? Effect.void,
          use({
            selfPid: 50,
            homeId: "home",
            processes: new Map([[leader.pid, leader]]),
            marks: new Map(),
            details: new Map()
          })
        )
    }),
    heldHome("home"),
    Layer.succeed(HomeChanges, { subscribe: Effect.succeed(Effect.succeed(true)) }),
    MinuteBeat.layer,
    LiveWorkers.layer,
    Layer.succeed(WorkerGroups, withoutGroups),
    Layer.succeed(MemoryReader, { read: bugs.memory ?? (() => memory) }),
    ShutdownRequest.layer,
    FakeRuns.layer
  )
  const settings = inForce({
    worker_command: { type: "Command", argv: ["worker"] },
    restart: { stop_grace_ms: 1000, initial_backoff_ms: 50 },
    memory: {
      poll_interval_ms: 50,
      ...(bugs.proportional === undefined ? {} : { worker_limit_bytes: 1 })
    },
    watch_config: true
  })
  const Settings = Layer.effect(
    SettingsInForce,
    Effect.map(SubscriptionRef.make(settings), (current) =>
      settingsOf(current, () => Effect.succeed(settings))
    )
  )
  // The file of these settings does not exist, which the watcher takes for a change.
  const Reload = Layer.succeed(SettingsReload.SettingsReload, {
    reload: () => bugs.reload ?? Effect.never,
    run: () => Effect.dieMessage("a project was added"),
    removals: Effect.succeed([])
  })
  return Layer.mergeAll(
    ControlServer.layer,
    Layer.provide(SettingsWatcher.layer, Reload),
    WorkerLimit.layer
  ).pipe(
    Layer.provideMerge(ControlHandler.layer),
    Layer.provide(WorkerLines.layer),
    Layer.provide(
      Layer.mergeAll(
        ProjectReports.layer({ pid: process.pid, version: "test" }),
        ProjectSwitch.layer,
        Layer.succeed(HogReport, { report: Effect.dieMessage("nobody asks for it here") }),
        Layer.succeed(MetricsReport, { report: Effect.dieMessage("nobody asks for it here") }),
        Layer.succeed(MemoryTimeline, { samples: () => Effect.dieMessage("nobody asks for it here") }),
        HistoryReader.layer,
        SettingsStore.layer
      )
    ),
    Layer.provide(SettingsReload.layer),
    Layer.provide(WorkerMemory.layer),
    Layer.provideMerge(
      Layer.merge(
        Supervisor.layer({ projects: Either.getOrThrow(plansOf(settings)), keepState: false }),
        MemoryMonitor.layer
      )
    ),
    Layer.provide(Settings),
    Layer.provide(SettingsFile.layer),
    Layer.provideMerge(Concerns.layer),
    Layer.provideMerge(World)
  )
}

/** Runs the daemon around a test; what `supervise` returns is the exit code. */
const inDaemon = <A, E>(
  bugs: Bugs,
  test: (daemon: {
    readonly exitCode: Effect.Effect<number>
    readonly events: ReadonlyArray<DaemonEvent>
  }) => Effect.Effect<
    A,
    E,
    ControlHandler.ControlHandler | FakeRuns.FakeRuns | ShutdownRequest.ShutdownRequest
  >
) =>
  Effect.gen(function* () {
    const home = yield* temporaryHome
    const events: Array<DaemonEvent> = []
    const clock = yield* Effect.clock
    return yield* Effect.gen(function* () {
      const running = yield* Effect.fork(supervise({ exitWhenFinished: false, terminationLog: undefined }))
      return yield* test({ exitCode: Fiber.join(running), events })
    }).pipe(
      Effect.provide(daemonWith(home, bugs, events)),
      bugs.sleepMs === undefined ? (self) => self : Effect.withClock(brokenClock(clock, bugs.sleepMs))
    )
  })

const asked = Effect.fnUntraced(function* (request: ControlQuestion) {
  const answered = (yield* ControlHandler.ControlHandler).handle(request)
  return Effect.isEffect(answered) ? yield* answered : answered
})

const status = Effect.gen(function* () {
  const { data } = yield* asked({ type: "Status" })
  return data !== undefined && "worker_status" in data ? data : undefined
})

/** The status, once it shows exactly these as degraded. */
const degraded = (...names: ReadonlyArray<string>) =>
  eventually(
    `degraded: ${names.join()}`,
    Effect.map(status, (data) =>
      data !== undefined && names.join() === data.degraded?.join() ? data : undefined
    )
  )

const stop = Effect.flatMap(ShutdownRequest.ShutdownRequest, ({ ask }) => ask("the test"))

/** The first run meets a bug, all later ones do as `good` does. */
const brokenOnce = <A>(good: Effect.Effect<A>): Effect.Effect<A> => {
  let isFirst = true
  return Effect.suspend(() => {
    if (!isFirst) return good
    isFirst = false
    return Effect.dieMessage("a bug")
  })
}

describe("a question about the present", () => {
  it.scopedLive("is answered without a fiber, and with the same data until something has changed", () =>
    inDaemon({}, ({ exitCode }) =>
      Effect.gen(function* () {
        const { handle } = yield* ControlHandler.ControlHandler
        for (const type of ["Status", "GetMetrics", "Projects"] as const) {
          const answered = handle({ type })
          assert.isFalse(Effect.isEffect(answered), type)
          assert.isTrue(!Effect.isEffect(answered) && answered.success)
        }
        const shop = handle({ type: "Status", project: ProjectName.make("shop") })
        assert.deepInclude(shop, { success: false, code: "unknown_project" })
        yield* stop
        yield* exitCode
      })
    )
  )
})

// A concern has recovered once it has worked for ten seconds: the tests wait side by side.
describe.concurrent("a defect in a concern", () => {
  const survived: Readonly<Record<string, Bugs>> = {
    "memory monitor": {
      // The first reading belongs to the construction: it is the second that is the concern's.
      memory: (() => {
        let readings = 0
        return () => {
          if (++readings === 2) throw new Error("a bug")
          return memory
        }
      })()
    },
    "control server": { sleepMs: serverLimits.socketCheckMs },
    "worker memory": { scan: brokenOnce(Effect.void) },
    "worker limit": { proportional: brokenOnce(Effect.void) },
    "settings watch": { reload: brokenOnce(Effect.never) },
    "signal listener": { signal: brokenOnce(Effect.never) }
  }

  for (const [name, bugs] of Object.entries(survived)) {
    it.scopedLive(`in the ${name} is seen in status and journal, and the concern works again`, () =>
      inDaemon(bugs, ({ events, exitCode }) =>
        Effect.gen(function* () {
          yield* degraded(name)
          const told = events.find((event) => event._tag === "ConcernFailed")
          assert.strictEqual(told?.name, name)
          assert.match(told?.cause ?? "", /a bug/)
          // The worker has gone on working all the while.
          assert.strictEqual((yield* degraded()).worker_status, "running")
          assert.deepInclude(events, { _tag: "ConcernRecovered", name })
          yield* stop
          assert.strictEqual(yield* exitCode, 0)
        })
      )
    )
  }

  it.scopedLive("in the supervisor stops the daemon with exit code 1, and its worker", () =>
    Effect.gen(function* () {
      const alive = yield* inDaemon(
        {
          publish: (event) =>
            event._tag === "CommandTaken" ? Effect.dieMessage("a bug in publishing") : Effect.void
        },
        ({ events, exitCode }) =>
          Effect.gen(function* () {
            const { alive } = yield* FakeRuns.FakeRuns
            yield* eventually("a worker", () => alive() === 1)
            const reply = yield* asked({ type: "RestartWorker" })
            assert.isFalse(reply.success)
            assert.strictEqual(yield* exitCode, 1)
            const told = events.find((event) => event._tag === "ConcernBeyondHelp")
            assert.match(told?.cause ?? "", /a bug in publishing/)
            return alive
          })
      )
      assert.strictEqual(alive(), 0)
    })
  )

  it.scopedLive("that keeps coming back stops the daemon with exit code 1, and its worker", () =>
    inDaemon({ signal: Effect.dieMessage("a bug that stays") }, ({ events, exitCode }) =>
      Effect.gen(function* () {
        const { alive } = yield* FakeRuns.FakeRuns
        assert.strictEqual(yield* exitCode, 1)
        assert.strictEqual(alive(), 0)
        assert.lengthOf(
          events.filter((event) => event._tag === "ConcernFailed"),
          4
        )
      })
    )
  )

  it.scopedLive("outside of every fiber stops the daemon with exit code 1, and its worker", () =>
    inDaemon({ uncaught: Effect.sleep("100 millis") }, ({ exitCode }) =>
      Effect.gen(function* () {
        const { alive } = yield* FakeRuns.FakeRuns
        assert.strictEqual(yield* exitCode, 1)
        assert.strictEqual(alive(), 0)
      })
    )
  )
})

describe("the shutdown of the daemon", () => {
  it.scopedLive("status answers `stopping` until the worker is gone, and the exit code is 0", () =>
    inDaemon({}, ({ events, exitCode }) =>
      Effect.gen(function* () {
        const lives = yield* FakeRuns.FakeRuns
        yield* eventually("a worker", () => lives.alive() === 1)
        lives.endsAfter(60_000)
        yield* stop
        yield* eventually(
          "stopping",
          Effect.map(status, (data) => (data?.worker_status === "stopping" ? true : undefined))
        )
        assert.strictEqual(lives.alive(), 1)
        yield* stop
        assert.strictEqual(yield* exitCode, 0)
        assert.strictEqual(lives.alive(), 0)
        assert.includeMembers(
          events.map((event) => event._tag),
          ["DaemonStarted", "DaemonStopping", "DaemonHastened", "DaemonStopped"]
        )
      })
    )
  )

  it.scopedLive("is answered before it closes the socket, also where the disk is slow", () =>
    inDaemon({ recorded: Effect.sleep("300 millis") }, ({ exitCode }) =>
      Effect.gen(function* () {
        const order: Array<string> = []
        yield* Effect.all(
          [
            Effect.tap(asked({ type: "Shutdown" }), ({ message }) => order.push(message)),
            Effect.tap(exitCode, (code) => order.push(`exit code ${code}`))
          ],
          { concurrency: "unbounded" }
        )
        assert.deepStrictEqual(order, ["Daemon shutting down", "exit code 0"])
      })
    )
  )

  it.scopedLive("has a limit for all that closes after the last worker, which says what hangs", () => {
    const said: Array<unknown> = []
    const log = Logger.make(({ message }) => void said.push(message))
    const closing: Bugs["closing"] = (code, report) =>
      Effect.zipRight(
        Effect.sync(() => void said.push(code)),
        report
      )
    return inDaemon({ closing }, ({ events, exitCode }) =>
      Effect.gen(function* () {
        yield* stop
        assert.strictEqual(yield* exitCode, 0)
        assert.strictEqual(events.at(-1)?._tag, "DaemonStopped")
        assert.strictEqual(said[0], 0)
        assert.match(
          String(said[1]),
          /within 30 s after the last worker.* still run: .*memory monitor, .*home keeper\.$/
        )
      })
    ).pipe(Effect.provide(Logger.replace(Logger.defaultLogger, log)))
  })

  it.scopedLive("is announced to systemd, with an extended timeout, as was the start", () => {
    const service = fakeService()
    const told = () => service.messages.map(({ _tag }) => _tag).join()
    return inDaemon({ service }, ({ exitCode }) =>
      Effect.gen(function* () {
        const lives = yield* FakeRuns.FakeRuns
        yield* eventually("a worker", () => lives.alive() === 1)
        assert.strictEqual(told(), "Ready")
        lives.endsAfter(60_000)
        yield* stop
        yield* eventually("it is asked again", () => told() === "Ready,Stopping,ExtendTimeout,ExtendTimeout")
        yield* stop
        assert.strictEqual(yield* exitCode, 0)
        assert.strictEqual(lives.alive(), 0)
      })
    )
  })
})
