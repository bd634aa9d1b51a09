import * as fs from "node:fs"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import type { AgentSeen } from "../../../src/Domain/agent/AgentSeen.ts"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { makeListeners } from "../../../src/Layers/concurrency/Listeners.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import { Leftovers } from "../../../src/Layers/tree/Leftovers.ts"
import { WorkerGroups, withoutGroups } from "../../../src/Layers/tree/WorkerGroups.ts"
import { WorkerProcess } from "../../../src/Layers/tree/WorkerProcess.ts"
import { WorkerTree } from "../../../src/Layers/tree/WorkerTree.ts"
import { KernelOomKills } from "../../../src/Layers/verdict/KernelOomKills.ts"
import * as LiveWorkers from "../../../src/Layers/verdict/LiveWorkers.ts"
import { EnvFile } from "../../../src/Layers/worker/EnvFile.ts"
import * as WorkerRun from "../../../src/Layers/worker/WorkerRun.ts"
import { agentWith, claudePlan, resultAt } from "../../fixtures/AgentPlans.ts"
import { heldHome } from "../../fixtures/HeldHome.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"
import { eventually, temporaryHome } from "../../live/TestDaemon.ts"
import { plan, silentLog } from "./SupervisorWorld.ts"

/** A machine on which the process of a worker is there only when `isUp` completes. */
const machine = (
  asked: Deferred.Deferred<void>,
  isUp: Deferred.Deferred<void>,
  events: Array<DaemonEvent> = [],
  exited: Effect.Effect<void> = Effect.void
) => {
  const exit = { exit: { code: null, signal: "SIGTERM" }, uptimeMs: 5 }
  const worker = {
    pid: 70,
    stdout: new PassThrough(),
    stderr: new PassThrough(),
    exit: Effect.as(exited, exit)
  }
  return WorkerRun.layer.pipe(
    Layer.provide(
      Layer.mergeAll(
        heldHome("home"),
        Layer.succeed(AutopilotHome, pathsBelow("/nonexistent")),
        Layer.succeed(Leftovers, {
          remember: () => Effect.void,
          end: () => Effect.void,
          areGone: () => Effect.void
        }),
        Layer.succeed(WorkerGroups, withoutGroups),
        Layer.succeed(WorkerTree, {
          bootId: "boot",
          of: (pid, mark) =>
            Effect.succeed({
              leader: { pid, startTicks: 1 },
              mark,
              groups: [],
              earlier: [],
              seen: new Map<number, number>()
            }),
          end: () => Effect.succeed([])
        }),
        Layer.succeed(WorkerProcess, {
          start: () =>
            Deferred.succeed(asked, undefined).pipe(Effect.zipRight(Deferred.await(isUp)), Effect.as(worker))
        }),
        Layer.succeed(EnvFile, { read: () => Effect.succeed({ values: {}, warnings: [] }) }),
        Layer.succeed(KernelOomKills, {
          watch: () =>
            Effect.succeed({
              begin: () => Effect.void,
              verdict: () => Effect.succeed(undefined),
              end: Effect.void
            })
        }),
        LiveWorkers.layer,
        recordedEvents(events)
      )
    )
  )
}

const opened = Effect.tap(Deferred.make<void>(), (latch) => Deferred.succeed(latch, undefined))

const patienceOf = (lingerMs: number) => ({
  graceMs: Effect.succeed(0),
  lingerMs: Effect.succeed(lingerMs),
  hasten: Effect.never,
  abandon: Effect.never
})

describe("a run that was killed", () => {
  it.scopedLive("tells the lock that its git has left, once after its end", () =>
    Effect.gen(function* () {
      const cwd = yield* temporaryHome
      const path = join(cwd, ".git/index.lock")
      fs.mkdirSync(join(cwd, ".git"))
      const events: Array<DaemonEvent> = []
      const locks = () => events.filter((event) => event._tag === "GitLockLeft")
      const none = Effect.succeed(undefined).pipe(Effect.asVoid)
      yield* Effect.gen(function* () {
        const { run } = yield* WorkerRun.WorkerRun
        const patience = {
          graceMs: Effect.succeed(0),
          lingerMs: Effect.succeed(0),
          hasten: none,
          abandon: Effect.never
        }
        yield* run({ ...plan, cwd }, "home:default:1", silentLog, patience, {
          onAgent: () => none,
          onSpawned: () =>
            Effect.sync(() => {
              fs.writeFileSync(path, "")
              // Younger than the start, which is looked at too, and older than the end.
              const nowMs = Date.now()
              fs.utimesSync(path, nowMs / 1000, nowMs / 1000)
              while (Date.now() <= nowMs + 1);
            }),
          onExited: () => none,
          onRemains: () => none,
          onGone: none,
          onEvidence: () => none
        })
        yield* eventually("the lock is told", () => locks()[0])
      }).pipe(Effect.provide(machine(yield* Deferred.make<void>(), yield* opened, events)))
      assert.deepStrictEqual(locks(), [{ _tag: "GitLockLeft", project: plan.project, path }])
    })
  )
})

describe("what an agent reports during its run", () => {
  it.effect(
    "is saved at once, every five seconds at most, never while it prints nothing, and when it lingers too long",
    () =>
      Effect.gen(function* () {
        const { listen, tell } = makeListeners<[]>()
        let seen = agentWith({})
        const saved: Array<number> = []
        const asked = yield* Deferred.make<void>()
        const exited = yield* Deferred.make<void>()
        const capture = { ...(yield* silentLog.capture()), agent: () => seen, onAgent: listen }
        const prints = (next: AgentSeen) =>
          Effect.suspend(() => {
            seen = next
            tell()
            return TestClock.adjust(0)
          })
        yield* Effect.gen(function* () {
          const { run } = yield* WorkerRun.WorkerRun
          const patience = patienceOf(60_000)
          const fiber = yield* Effect.fork(
            run(
              { ...plan, agent: claudePlan },
              "home:default:1",
              { capture: () => Effect.succeed(capture), note: () => Effect.void },
              patience,
              {
                onAgent: ({ turns }) => Effect.sync(() => void saved.push(turns)),
                onSpawned: () => Effect.void,
                onExited: () => Effect.void,
                onRemains: () => Effect.void,
                onGone: Effect.void,
                onEvidence: () => Effect.void
              }
            )
          )
          yield* Deferred.await(asked)
          yield* TestClock.adjust("1 hour")
          assert.deepStrictEqual(saved, [])
          for (const turns of [1, 2, 3]) yield* prints(agentWith({ turns }))
          assert.deepStrictEqual(saved, [1])
          yield* TestClock.adjust("5 seconds")
          assert.deepStrictEqual(saved, [1, 3])
          yield* TestClock.adjust("1 hour")
          assert.deepStrictEqual(saved, [1, 3])
          yield* prints(agentWith({ turns: 4, result: resultAt(yield* Clock.currentTimeMillis) }))
          yield* TestClock.adjust("59 seconds")
          assert.deepStrictEqual(saved, [1, 3, 4])
          yield* TestClock.adjust("1 second")
          assert.deepStrictEqual(saved, [1, 3, 4, 4], "its time is over")
          yield* Deferred.succeed(exited, undefined)
          yield* Fiber.join(fiber)
        }).pipe(Effect.provide(machine(asked, yield* opened, [], Deferred.await(exited))))
      })
  )
})

describe("a run that is stopped while its worker starts", () => {
  it.effect("reports the start and the exit of a worker that has run", () =>
    Effect.gen(function* () {
      const told: Array<string> = []
      const note = (what: string) => Effect.sync(() => void told.push(what))
      const asked = yield* Deferred.make<void>()
      const isUp = yield* Deferred.make<void>()
      yield* Effect.gen(function* () {
        const { run } = yield* WorkerRun.WorkerRun
        const patience = patienceOf(0)
        const fiber = yield* Effect.fork(
          run(plan, "home:default:1", silentLog, patience, {
            onAgent: () => Effect.void,
            onSpawned: ({ pid }) => note(`started ${pid}`),
            onExited: () => note("exited"),
            onRemains: () => note("remains"),
            onGone: note("gone"),
            onEvidence: () => note("evidence")
          })
        )
        yield* Deferred.await(asked)
        yield* Fiber.interruptFork(fiber)
        yield* Deferred.succeed(isUp, undefined)
        yield* Fiber.await(fiber)
      }).pipe(Effect.provide(machine(asked, isUp)))
      assert.deepStrictEqual(told, ["started 70", "gone", "exited", "evidence"])
    })
  )
})
