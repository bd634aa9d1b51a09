import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { ancestorsOf } from "../../Domain/machine/ProcessDescent.ts"
import type { ProcessEntry, ProcessIdentity } from "../../Domain/machine/ProcessEntry.ts"
import { type LivingTree, livingTree } from "../../Domain/machine/ProcessTree.ts"
import { describeSurvivors, type Survivor } from "../../Domain/tree/Survivor.ts"
import { variable } from "../../Domain/WorkerId.ts"
import { coalescedRead } from "../concurrency/CoalescedRead.ts"
import { patientRace } from "../concurrency/PatientRace.ts"
import { type EndSignal, ProcessSignal } from "../machine/ProcessSignal.ts"
import { ProcFs, ProcUnreadable } from "../machine/ProcFs.ts"
import { userName } from "../machine/UserName.ts"
import type { WorkerGroup } from "./WorkerGroup.ts"

/** The identity of a process tree. */
export interface Tree {
  /** Undefined for leftovers of an earlier daemon, of which only the mark is known. */
  readonly leader: ProcessIdentity | undefined
  /** The beginning of the entry in the environment of its processes: see `Domain/WorkerId`. */
  readonly mark: string
  /** The cgroups that the daemon has made for it. */
  readonly groups: ReadonlyArray<WorkerGroup>
  /** Processes that an earlier daemon has found in it. */
  readonly earlier: ReadonlyArray<ProcessIdentity>
  /** Start times of all processes ever found in it, by pid. Each scan adds to it. */
  readonly seen: Map<number, number>
}

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
     * can outrun, until two scans in a row are empty, at most 5 s. Returns the processes that are left then: those that
     * hang in the kernel, or belong to another user. It cannot be interrupted, only hastened.
     */
    readonly end: (tree: Tree, ending: Ending) => Effect.Effect<ReadonlyArray<Survivor>>
    /** Names the boot for which the pids and start times of a tree count. */
    readonly bootId: string
  }
>() {}

/** The beginning of every mark. */
const anyMark = `${variable}=`

/** SIGKILL takes effect at once, except on processes that hang in the kernel; `endTree` waits for those. */
const killLimit = Duration.seconds(5)

/** Short at first, because most workers exit at once; then long, because a grace period must not cost a core. */
const pollSchedule = Schedule.exponential("5 millis", 1.5).pipe(
  Schedule.modifyDelay((_, delay) => Duration.min(delay, Duration.millis(100)))
)

/** The result of one scan of a tree. */
interface Found extends LivingTree {
  /** The pids in its cgroups. A member may have been forked after /proc was read. */
  readonly members: ReadonlySet<number>
  /** The daemon and its ancestors. */
  readonly excluded: ReadonlySet<number>
  readonly isEmpty: boolean
}

const make = Effect.gen(function* () {
  const proc = yield* ProcFs
  const signals = yield* ProcessSignal

  /** Retries until /proc can be read: unknown must never count as empty. */
  const patiently = <A>(reading: Effect.Effect<A, ProcUnreadable>): Effect.Effect<A> =>
    reading.pipe(Effect.retry(Schedule.spaced("50 millis")), Effect.orDie)

  /** Trees that end at the same time share a scan: one for each of fifty would take longer than the grace period. */
  const sharedScan = coalescedRead(
    Effect.map(proc.processes, (table) => {
      const byPid = new Map(table.map((entry) => [entry.pid, entry]))
      return {
        table,
        excluded: new Set([process.pid, ...ancestorsOf(byPid, process.pid)]),
        /** Whether a process has the mark of any worker, as far as environments were read. */
        isMarked: new Map<number, boolean>()
      }
    })
  )

  const membersOf = Effect.fnUntraced(function* (
    { groups }: Pick<Tree, "groups">,
    excluded: ReadonlySet<number>
  ) {
    const members = new Set<number>()
    for (const group of groups) {
      for (const pid of yield* group.members) if (!excluded.has(pid)) members.add(pid)
    }
    return members
  })

  const scan = (tree: Tree): Effect.Effect<Found> =>
    sharedScan(({ excluded, isMarked, table }) =>
      Effect.gen(function* () {
        const leader = tree.leader
        const young =
          leader === undefined ? table : table.filter((entry) => entry.startTicks >= leader.startTicks)
        // Kernel threads, half of all processes on many machines, have no session; every worker has one.
        const pids = young.filter((entry) => entry.session !== 0).map((entry) => entry.pid)
        const unread = pids.filter((pid) => !isMarked.has(pid))
        const carriers = yield* proc.carrying(unread, anyMark)
        for (const pid of unread) isMarked.set(pid, carriers.has(pid))
        const marked = yield* proc.carrying(
          pids.filter((pid) => isMarked.get(pid)),
          tree.mark
        )
        const members = yield* membersOf(tree, excluded)
        const known = new Map([
          ...tree.earlier.map(({ pid, startTicks }) => [pid, startTicks] as const),
          ...tree.seen
        ])
        const living = livingTree(table, { leader, known, marked, members, excluded })
        for (const entry of living.processes) tree.seen.set(entry.pid, entry.startTicks)
        const isEmpty = living.processes.length === 0 && members.size === 0
        return { ...living, members, excluded, isEmpty }
      })
    ).pipe(patiently)

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

  /** Waits until two scans in a row are empty, `first` included. New processes get SIGTERM as well. */
  const awaitGone = (tree: Tree, first: Found) =>
    Effect.gen(function* () {
      let found = first
      let emptyScans = found.isEmpty ? 1 : 0
      while (emptyScans < 2) {
        // One stat for each signalled process while one is alive; a scan of all of /proc only after that.
        const gone = Effect.filter(found.processes, isStillThere).pipe(
          Effect.repeat({ schedule: pollSchedule, until: (alive) => alive.length === 0 })
        )
        // A process that only its cgroup shows was forked after the scan, or has lost its first thread.
        const next = found.processes.length > 0 || found.isEmpty ? gone : Effect.sleep("100 millis")
        yield* Effect.raceFirst(next, emptied(tree, found))
        found = yield* scan(tree)
        emptyScans = found.isEmpty ? emptyScans + 1 : 0
        // A stopped process handles SIGTERM only after SIGCONT.
        yield* signalEach(found.processes, "SIGTERM", "SIGCONT")
      }
    })

  /** Never kills a cgroup with the daemon or one of its ancestors in it. */
  const killCgroups = ({ groups }: Tree, { excluded }: Found) =>
    Effect.forEach(
      groups,
      (group) =>
        Effect.flatMap(group.members, (pids) =>
          pids.size > 0 && [...excluded].every((pid) => !pids.has(pid)) ? group.kill : Effect.void
        ),
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
    let emptyScans = 0
    let refused: ReadonlyArray<ProcessEntry> = []
    for (;;) {
      const found = yield* scan(tree)
      emptyScans = found.isEmpty ? emptyScans + 1 : 0
      if (emptyScans === 2) return []
      if ((yield* Clock.currentTimeNanos) > limitNanos) {
        return yield* survivorsOf(found, refused)
      }
      yield* killCgroups(tree, found)
      yield* killGroups(found)
      refused = yield* signalEach(found.processes, "SIGKILL")
      if (!found.isEmpty) yield* Effect.sleep("5 millis")
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
