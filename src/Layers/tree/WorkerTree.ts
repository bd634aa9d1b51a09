import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type { ProcessEntry, ProcessIdentity } from "../../Domain/machine/ProcessEntry.ts"
import type { LivingTree } from "../../Domain/machine/ProcessTree.ts"
import { describeSurvivors, type Survivor } from "../../Domain/tree/Survivor.ts"
import { patientRace } from "../concurrency/PatientRace.ts"
import { type EndSignal, ProcessSignal } from "../machine/ProcessSignal.ts"
import { ProcFs, ProcUnreadable } from "../machine/ProcFs.ts"
import { userName } from "../machine/UserName.ts"
import { type Found, patiently, type Tree, treeScan } from "./TreeScan.ts"
import type { WorkerGroup } from "./WorkerGroup.ts"

export interface Ending {
  /** The grace period: the time between SIGTERM and SIGKILL. */
  readonly graceMs: number
  /** Completes when the grace period is to be cut. */
  readonly hasten: Effect.Effect<void>
}

/**
 * Finds and ends the process trees of workers. Nothing else signals processes of a worker.
 */
export class WorkerTree extends Context.Tag("WorkerTree")<
  WorkerTree,
  {
    /** The tree of a running leader. */
    readonly of: (
      pid: number,
      mark: string,
      group: WorkerGroup | undefined
    ) => Effect.Effect<Tree & { readonly leader: ProcessIdentity }>
    /**
     * Sends SIGTERM to all processes, waits for the grace period, then sends SIGKILL, to the cgroups first, which no fork
     * can outrun, until two looks at /proc in a row find nothing, at most 5 s. Returns the processes that are left then: those that
     * hang in the kernel, or belong to another user. It cannot be interrupted, only hastened.
     */
    readonly end: (tree: Tree, ending: Ending) => Effect.Effect<ReadonlyArray<Survivor>>
    /** Names the boot for which the pids and start times of a tree count. */
    readonly bootId: string
  }
>() {}

/** SIGKILL takes effect at once, except on processes that hang in the kernel; `endTree` waits for those. */
const killLimit = Duration.seconds(5)

/** Short at first, because most workers exit at once; then long, because a grace period must not cost a core. */
const pollSchedule = Schedule.exponential("5 millis", 1.5).pipe(
  Schedule.modifyDelay((_, delay) => Duration.min(delay, Duration.millis(100)))
)

const make = Effect.gen(function* () {
  const proc = yield* ProcFs
  const signals = yield* ProcessSignal
  const scan = treeScan(proc)

  const isStillThere = (entry: ProcessEntry) => patiently(signals.isThere(entry))

  /** Returns the processes that the system forbids to signal: those of another user. */
  const signalEach = (processes: ReadonlyArray<ProcessEntry>, ...which: ReadonlyArray<EndSignal>) =>
    Effect.filter(processes, (entry) =>
      Effect.map(patiently(signals.send(entry, ...which)), (sent) => sent === "refused")
    )

  const killGroups = ({ groups, processes }: LivingTree) =>
    Effect.forEach(
      groups,
      (group) => {
        const member = processes.find((entry) => entry.group === group)
        return member === undefined ? Effect.void : patiently(signals.killGroup(group, member))
      },
      { discard: true }
    )

  /** Completes when the kernel reports the cgroups empty. Processes outside of them are scanned for all the same. */
  const emptied = Effect.fnUntraced(function* ({ groups }: Tree, { members }: Found) {
    if (members.size === 0) return yield* Effect.never
    yield* Effect.forEach(groups, (group) => group.emptied, { concurrency: "unbounded", discard: true })
  })

  /** Waits until the tree is gone. New processes get SIGTERM as well. */
  const awaitGone = (tree: Tree, first: Found) =>
    Effect.gen(function* () {
      for (let found = first; !found.isGone; ) {
        // One stat for each signalled process while one is alive; a scan of all of /proc only after that.
        const gone = Effect.filter(found.processes, isStillThere).pipe(
          Effect.repeat({ schedule: pollSchedule, until: (alive) => alive.length === 0 })
        )
        // A process that only its cgroup shows was forked after the scan, or has lost its first thread.
        const next = found.processes.length > 0 ? gone : Effect.sleep("100 millis")
        yield* Effect.raceFirst(next, emptied(tree, found))
        found = yield* scan(tree)
        // A stopped process handles SIGTERM only after SIGCONT.
        yield* signalEach(found.processes, "SIGTERM", "SIGCONT")
      }
    })

  /** Never kills a cgroup with the daemon or one of its ancestors in it. */
  const killCgroups = ({ groups }: Tree, { excluded }: Found) =>
    Effect.forEach(
      groups,
      (group) =>
        Effect.suspend(() => {
          const pids = group.members()
          return pids.size > 0 && [...excluded].every((pid) => !pids.has(pid)) ? group.kill : Effect.void
        }),
      { discard: true }
    )

  /** A member of a cgroup that the scan of /proc has not shown is read now. */
  const survivorsOf = ({ members, processes }: Found, refused: ReadonlyArray<ProcessEntry>) =>
    Effect.forEach(new Set([...processes.map(({ pid }) => pid), ...members]), (pid) =>
      Effect.map(patiently(proc.process(pid)), (now): Survivor => {
        const uid = refused.some((entry) => entry.pid === pid) ? proc.reader.owner(pid) : undefined
        return {
          pid,
          startTicks: now?.startTicks ?? 0,
          owner: uid === undefined ? undefined : userName(uid)
        }
      })
    )

  const killAll = Effect.fnUntraced(function* (tree: Tree) {
    const limitNanos = (yield* Clock.currentTimeNanos) + Duration.unsafeToNanos(killLimit)
    let refused: ReadonlyArray<ProcessEntry> = []
    for (;;) {
      const found = yield* scan(tree)
      if (found.isGone) return []
      if ((yield* Clock.currentTimeNanos) > limitNanos) {
        return yield* survivorsOf(found, refused)
      }
      yield* killCgroups(tree, found)
      yield* killGroups(found)
      refused = yield* signalEach(found.processes, "SIGKILL")
      yield* Effect.sleep("5 millis")
    }
  })

  return WorkerTree.of({
    bootId: yield* patiently(
      Effect.try({
        try: proc.reader.bootId,
        catch: (cause) => new ProcUnreadable({ reason: String(cause) })
      })
    ),
    of: (pid, mark, group) =>
      proc.process(pid).pipe(
        patiently,
        Effect.map((entry) => ({
          // Gone already: start time 0 matches no process that may get the pid.
          leader: { pid, startTicks: entry?.startTicks ?? 0 },
          mark,
          groups: group === undefined ? [] : [group],
          earlier: [],
          seen: new Map<number, number>()
        }))
      ),
    // An interrupted end would leave the processes that ignore SIGTERM.
    end: Effect.fnUntraced(function* (tree, { graceMs, hasten }) {
      const living = yield* scan(tree)
      // The usual case after an exit by itself.
      if (living.isGone) return []
      yield* signalEach(living.processes, "SIGTERM", "SIGCONT")
      const isGone = yield* patientRace([
        Effect.as(awaitGone(tree, living), true),
        Effect.as(Effect.sleep(Duration.millis(graceMs)), false),
        Effect.as(hasten, false)
      ])
      return isGone ? [] : yield* killAll(tree)
    }, Effect.uninterruptible)
  })
})

export const layer: Layer.Layer<WorkerTree, never, ProcFs | ProcessSignal> = Layer.effect(WorkerTree, make)

/** Receives the processes that survive SIGKILL whenever they change. */
export type OnRemains = (survivors: ReadonlyArray<Survivor>) => Effect.Effect<void>

/**
 * Ends a tree, and tries again while a process of it survives SIGKILL. `pause` waits between two attempts and returns
 * whether there is another one. Returns whether the tree is empty.
 */
export const endTree = (
  trees: WorkerTree["Type"],
  tree: Tree,
  ending: Ending,
  onRemains: OnRemains,
  pause: Effect.Effect<boolean>
): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    let reported = ""
    for (;;) {
      const remains = yield* trees.end(tree, ending)
      if (remains.length === 0) return true
      // A process may hang all night.
      if (describeSurvivors(remains) !== reported) yield* onRemains(remains)
      reported = describeSurvivors(remains)
      if (!(yield* pause)) return false
    }
  })
