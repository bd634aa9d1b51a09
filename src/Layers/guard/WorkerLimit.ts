import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import {
  limitOutcome,
  nextReportedLimit,
  nextSampleMs,
  proportionalOf,
  type ReportedLimit,
  restMs,
  type SizeSample,
  workerLimits
} from "../../Domain/guard/WorkerLimit.ts"
import { heldBytes, isStill } from "../../Domain/machine/ProcessEntry.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { countedEach, type TreeMember, type TreeMembers, treeMemory } from "../../Domain/tree/WorkerMemory.ts"
import { type LimitFigures, limitReason } from "../../Domain/verdict/OverLimit.ts"
import { nowAndAfterEach } from "../concurrency/Listeners.ts"
import { onceQuiet } from "../concurrency/PlainTimer.ts"
import { pollLoop } from "../concurrency/PollLoop.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { ProcFs } from "../machine/ProcFs.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import { Supervisor } from "../worker/Supervisor.ts"
import { WorkerMemory } from "./WorkerMemory.ts"

/** The state of a worker between two samples. */
interface Watched {
  readonly workerId: string
  readonly sample: SizeSample
  readonly reported: ReportedLimit | undefined
}

/** A worker that has just started holds nothing yet. */
const settlingMs = 250

/** No event reports that a starting worker runs, so it is polled. */
const startingMs = 1000

/** The delay after /proc could not be read. */
const retryMs = 1000

const make = Effect.gen(function* () {
  const { changed, now: inForce } = yield* SettingsInForce
  const supervisor = yield* Supervisor
  const memory = yield* WorkerMemory
  const proc = yield* ProcFs
  const concerns = yield* Concerns
  const events = yield* DaemonEvents
  const isWanted = yield* Effect.makeLatch(true)
  const watched = new Map<ProjectName, Watched>()

  /** Members may have exited since the scan, and their pids may be reused. */
  const stillThere = (members: ReadonlyArray<TreeMember>) =>
    Effect.filter(members, (member) => Effect.map(proc.process(member.pid), (now) => isStill(member, now)))

  /** Restarts this worker, unless another one has taken its place. */
  const restart = Effect.fnUntraced(
    function* ({ project, workerId }: TreeMembers, figures: LimitFigures) {
      const actor = yield* supervisor.project(project)
      const { plan, state, worker } = yield* actor.snapshot
      if (state.phase._tag !== "Running" || worker?.id !== workerId) return
      const uptimeMs = Number((yield* Clock.currentTimeNanos) - worker.startedNanos) / 1e6
      // A worker that exceeds its limit soon after each start must back off, and finally fail.
      const next = uptimeMs < plan.restart.successThresholdMs ? "fail" : "start"
      yield* actor.restartFor(limitReason(figures), { _tag: next }, { _tag: "Limit", figures })
    },
    // A project that is being removed has no worker to restart.
    Effect.catchTag("UnknownProject", () => Effect.void)
  )

  /** Checks one worker against its limit; returns the delay until its next sample. */
  const judge = Effect.fnUntraced(function* (tree: TreeMembers, limitBytes: number) {
    const { project, workerId } = tree
    const before = watched.get(project)
    const same = before?.workerId === workerId ? before : undefined
    const isLarge = heldBytes(treeMemory(tree)) > limitBytes
    // The figure of a cgroup is exact; only the other members need their proportional size.
    const each = countedEach(tree)
    const members = isLarge ? yield* stillThere(each) : each
    const holdings = treeMemory({ group: tree.group, members })
    const treeBytes = heldBytes(holdings)
    const proportionalBytes =
      treeBytes > limitBytes
        ? heldBytes(treeMemory({ group: tree.group, members: [] })) +
          proportionalOf(members, yield* proc.proportionalBytes(members.map(({ pid }) => pid)))
        : undefined
    const atMs = Number(yield* Clock.currentTimeNanos) / 1e6
    const sample = { atMs, treeBytes, proportionalBytes }
    const { dryRun } = inForce().memory
    const outcome = limitOutcome(proportionalBytes, limitBytes, dryRun)
    const reported = nextReportedLimit(same?.reported, { workerId, limitBytes, outcome }, treeBytes)
    watched.set(project, { workerId, sample, reported })
    if (proportionalBytes !== undefined && reported !== undefined && reported !== same?.reported) {
      const figures: LimitFigures = {
        outcome: reported.outcome,
        limitBytes,
        treeBytes,
        proportionalBytes,
        processes: holdings.processes
      }
      yield* events.publish({ _tag: "WorkerOverLimit", project, ...figures })
      if (reported.outcome === "restart") yield* restart(tree, figures)
    }
    return nextSampleMs(limitBytes, sample, same?.sample)
  })

  /** Checks all workers with a limit; returns the delay until the next check, or undefined if there is none. */
  const check = Effect.gen(function* () {
    const limits = workerLimits(inForce())
    const phases = (yield* supervisor.snapshots)
      .filter(({ plan: { project } }) => limits.has(project))
      .map(({ state: { phase } }) => phase._tag)
    if (!phases.includes("Running")) {
      watched.clear()
      return phases.includes("Starting") ? startingMs : undefined
    }
    const beganNanos = yield* Clock.currentTimeNanos
    const trees = (yield* memory.sample).flatMap((tree) => {
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

  const checks = pollLoop(isWanted, check)
  const changes = nowAndAfterEach(changed, isWanted.open)
  yield* events.hear(["WorkerStarted"], yield* onceQuiet(settlingMs, () => void isWanted.unsafeOpen()))
  yield* concerns.run("worker limit", Effect.all([checks, changes], { concurrency: "unbounded" }))
})

/**
 * Restarts a worker that holds more than its `worker_limit_bytes`. Samples become more frequent the faster a worker grows
 * and the closer it is to its limit; without a limit there are none. Changed settings apply at once.
 */
export const layer: Layer.Layer<
  never,
  never,
  SettingsInForce | Supervisor | WorkerMemory | ProcFs | Concerns | DaemonEvents
> = Layer.scopedDiscard(make)
