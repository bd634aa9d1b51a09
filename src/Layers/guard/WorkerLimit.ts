import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import {
  limitOutcome,
  nextSampleMs,
  nextToldLimit,
  proportionalOf,
  restMs,
  type SizeSample,
  type ToldLimit,
  workerLimits
} from "../../Domain/guard/WorkerLimit.ts"
import { isAlive } from "../../Domain/machine/ProcessFacts.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import {
  countedEach,
  type TreeMember,
  type TreeMembers,
  treeBytes,
  treeMemory
} from "../../Domain/tree/WorkerMemory.ts"
import { type LimitFigures, limitReason } from "../../Domain/verdict/OverLimit.ts"
import { pollLoop } from "../concurrency/PollLoop.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { ProcessMemory } from "../machine/ProcessMemory.ts"
import { ProcFs } from "../machine/ProcFs.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import { Supervisor } from "../worker/Supervisor.ts"
import { WorkerMemory } from "./WorkerMemory.ts"

/** What is remembered of a worker from one look to the next. */
interface Watched {
  readonly workerId: string
  readonly sample: SizeSample
  readonly told: ToldLimit | undefined
}

/** A worker that has just been started holds nothing yet. */
const settlingTime = Duration.millis(250)

/** A worker that is being started is no worker to be looked at yet, and nobody tells when it is. */
const startingMs = 1000

/** /proc could not be read: it is tried again. */
const retryMs = 1000

const make = Effect.gen(function* () {
  const { current } = yield* SettingsInForce
  const supervisor = yield* Supervisor
  const memory = yield* WorkerMemory
  const { proportional } = yield* ProcessMemory
  const proc = yield* ProcFs
  const concerns = yield* Concerns
  const events = yield* DaemonEvents
  const isWanted = yield* Effect.makeLatch(true)
  const watched = new Map<ProjectName, Watched>()

  /** What was seen may have ended since, and its pid been given to somebody else. */
  const stillThere = (members: ReadonlyArray<TreeMember>) =>
    Effect.filter(members, ({ pid, startTicks }) =>
      Effect.map(proc.process(pid), (now) => now?.startTicks === startTicks && isAlive(now))
    )

  /** In its place another one may run by now, which has done nothing. */
  const restart = Effect.fnUntraced(
    function* ({ project, workerId }: TreeMembers, figures: LimitFigures) {
      const actor = yield* supervisor.project(project)
      const { plan, state, worker } = yield* actor.snapshot
      if (state.phase._tag !== "Running" || worker?.id !== workerId) return
      const uptimeMs = Number((yield* Clock.currentTimeNanos) - worker.startedNanos) / 1e6
      // One that is above its limit soon after each start must back off, and give up in the end.
      const next = uptimeMs < plan.restart.successThresholdMs ? "fail" : "start"
      yield* actor.restartFor(limitReason(figures), { _tag: next }, { _tag: "Limit", figures })
      // A project that is being removed has no worker to restart.
    },
    Effect.catchTag("UnknownProject", () => Effect.void)
  )

  /** Looks at one worker's size and does what follows; returns how long it may be left alone. */
  const judge = Effect.fnUntraced(function* (tree: TreeMembers, limitBytes: number) {
    const { project, workerId } = tree
    const before = watched.get(project)
    const same = before?.workerId === workerId ? before : undefined
    const isLarge = treeBytes(treeMemory(tree)) > limitBytes
    // What its cgroup accounts is exact, and needs no closer look.
    const each = countedEach(tree)
    const members = isLarge ? yield* stillThere(each) : each
    const holdings = treeMemory({ group: tree.group, members })
    const heldBytes = treeBytes(holdings)
    const proportionalBytes =
      heldBytes > limitBytes
        ? treeBytes(treeMemory({ group: tree.group, members: [] })) +
          proportionalOf(members, yield* proportional(members.map(({ pid }) => pid)))
        : undefined
    const atMs = Number(yield* Clock.currentTimeNanos) / 1e6
    const sample = { atMs, treeBytes: heldBytes, proportionalBytes }
    const { dryRun } = (yield* SubscriptionRef.get(current)).memory
    const outcome = limitOutcome(proportionalBytes, limitBytes, dryRun)
    const told = nextToldLimit(same?.told, { workerId, limitBytes, outcome }, heldBytes)
    watched.set(project, { workerId, sample, told })
    if (proportionalBytes !== undefined && told !== undefined && told !== same?.told) {
      const figures: LimitFigures = {
        outcome: told.outcome,
        limitBytes,
        treeBytes: heldBytes,
        proportionalBytes,
        processes: holdings.processes
      }
      yield* events.publish({ _tag: "WorkerOverLimit", project, ...figures })
      if (told.outcome === "restart") yield* restart(tree, figures)
    }
    return nextSampleMs(limitBytes, sample, same?.sample)
  })

  /** Looks at all workers with a limit; returns how long they may be left alone, or undefined where there is none. */
  const look = Effect.gen(function* () {
    const limits = workerLimits(yield* SubscriptionRef.get(current))
    const phases = (yield* supervisor.snapshots)
      .filter(({ plan: { project } }) => limits.has(project))
      .map(({ state: { phase } }) => phase._tag)
    if (!phases.includes("Running")) {
      watched.clear()
      return phases.includes("Starting") ? startingMs : undefined
    }
    const beganNanos = yield* Clock.currentTimeNanos
    const trees = (yield* memory.look).flatMap((tree) => {
      const limitBytes = limits.get(tree.project)
      return limitBytes === undefined ? [] : [{ tree, limitBytes }]
    })
    for (const project of watched.keys()) {
      if (trees.every(({ tree }) => tree.project !== project)) watched.delete(project)
    }
    let wantedMs = phases.includes("Starting") ? startingMs : Number.POSITIVE_INFINITY
    for (const { limitBytes, tree } of trees) wantedMs = Math.min(wantedMs, yield* judge(tree, limitBytes))
    return restMs(wantedMs, Number((yield* Clock.currentTimeNanos) - beganNanos) / 1e6)
  }).pipe(Effect.catchTag("ProcUnreadable", () => Effect.succeed(retryMs)))

  const looks = pollLoop(isWanted, look)
  const changes = Stream.runForEach(current.changes, () => isWanted.open)
  const starts = events.changes.pipe(
    Stream.filter(({ _tag }) => _tag === "WorkerStarted"),
    Stream.debounce(settlingTime),
    Stream.runForEach(() => isWanted.open)
  )
  yield* concerns.run("worker limit", Effect.all([looks, changes, starts], { concurrency: "unbounded" }))
})

/**
 * Restarts a worker that holds more than its `worker_limit_bytes`. It is looked at the more often the faster it grows
 * and the closer it is to that; while no worker has a limit, this does nothing. Settings that change hold at once.
 */
export const layer: Layer.Layer<
  never,
  never,
  SettingsInForce | Supervisor | WorkerMemory | ProcessMemory | ProcFs | Concerns | DaemonEvents
> = Layer.scopedDiscard(make)
