import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { type LivingTree, livingTree, type ProcessEntry } from "../../Domain/machine/ProcessTree.ts"
import { variable } from "../../Domain/WorkerId.ts"
import { coalescedRead } from "../concurrency/CoalescedRead.ts"
import { patientRace } from "../concurrency/PatientRace.ts"
import { errorCode } from "../files/SystemError.ts"
import { ProcFs, type ProcUnreadable } from "../machine/ProcFs.ts"
import type { WorkerGroup } from "./WorkerGroup.ts"

/** A worker's processes, as far as they are known. */
export interface Tree {
  /** The process we started; undefined for what an earlier daemon left, of which only the mark is known. */
  readonly leader: { readonly pid: number; readonly startTicks: number } | undefined
  /** How the environment entry of its processes begins: see `Domain/WorkerId`. */
  readonly mark: string
  /** The cgroups that were made for it: whoever is in them belongs to it. */
  readonly groups: ReadonlyArray<WorkerGroup>
  /** Every process ever seen in it, by pid with its start time. Grows with each scan. */
  readonly seen: Map<number, number>
}

export interface Ending {
  /** How long after TERM the tree may take to end by itself. */
  readonly graceMs: number
  /** Completes when the grace is to be cut short. */
  readonly hasten: Effect.Effect<void>
}

/**
 * Finds and ends workers' trees. It is the only one that signals what belongs to a worker, and it signals a pid only
 * while its start time is the one that was seen.
 */
export class WorkerTree extends Context.Tag("WorkerTree")<
  WorkerTree,
  {
    /** The tree of a process that runs. */
    readonly of: (pid: number, mark: string, group: WorkerGroup | undefined) => Effect.Effect<Tree>
    /**
     * TERM to all, the grace, then KILL, to its cgroups first, which nothing outruns by forking, until two scans in a
     * row find nobody, at most 5 s. Returns what is still there then: processes that hang in the kernel. It cannot be
     * interrupted, only hastened.
     */
    readonly end: (tree: Tree, ending: Ending) => Effect.Effect<ReadonlyArray<number>>
  }
>() {}

/** How the mark of every worker begins. */
const anyMark = `${variable}=`

/** KILL is immediate but for processes that hang in the kernel; those are waited for elsewhere. */
const killLimit = Duration.seconds(5)

/** Soon at first, because most workers end at once; then rarely, because a full grace must not cost a core. */
const pollSchedule = Schedule.exponential("5 millis", 1.5).pipe(
  Schedule.modifyDelay((_, delay) => Duration.min(delay, Duration.millis(100)))
)

/** What a look at a tree has found. */
interface Found extends LivingTree {
  /** The pids in its cgroups; one of them may have been forked after the processes were read. */
  readonly members: ReadonlySet<number>
  /** The daemon and its ancestors. */
  readonly excluded: ReadonlySet<number>
  /** Nobody is left, as far as this look can tell. */
  readonly isEmpty: boolean
}

const make = Effect.gen(function* () {
  const proc = yield* ProcFs

  /** What is not known must never count as "nobody there", so an unreadable /proc is read until it can be. */
  const patiently = <A>(reading: Effect.Effect<A, ProcUnreadable>): Effect.Effect<A> =>
    reading.pipe(Effect.retry(Schedule.spaced("50 millis")), Effect.orDie)

  const excludedFrom = (table: ReadonlyArray<ProcessEntry>): ReadonlySet<number> => {
    const parents = new Map(table.map((entry) => [entry.pid, entry.parentPid]))
    const excluded = new Set<number>()
    for (
      let pid: number | undefined = process.pid;
      pid !== undefined && !excluded.has(pid);
      pid = parents.get(pid)
    ) {
      excluded.add(pid)
    }
    return excluded
  }

  /** Trees that end together look together: with fifty projects, a look of each would take longer than a grace. */
  const look = coalescedRead(
    Effect.map(proc.processes, (table) => ({
      table,
      excluded: excludedFrom(table),
      /** Whether a process carries a worker's mark, whichever; only of those that somebody has asked for. */
      isMarked: new Map<number, boolean>()
    }))
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
    look(({ excluded, isMarked, table }) =>
      Effect.gen(function* () {
        const leader = tree.leader
        const young =
          leader === undefined ? table : table.filter((entry) => entry.startTicks >= leader.startTicks)
        // Half of all processes may be threads of the kernel. They have no session, and every worker has one.
        const pids = young.filter((entry) => entry.session !== 0).map((entry) => entry.pid)
        const unread = pids.filter((pid) => !isMarked.has(pid))
        const carriers = yield* proc.carrying(unread, anyMark)
        for (const pid of unread) isMarked.set(pid, carriers.has(pid))
        const marked = yield* proc.carrying(
          pids.filter((pid) => isMarked.get(pid)),
          tree.mark
        )
        const members = yield* membersOf(tree, excluded)
        const living = livingTree(table, { leader, known: tree.seen, marked, members, excluded })
        for (const entry of living.processes) tree.seen.set(entry.pid, entry.startTicks)
        const isEmpty = living.processes.length === 0 && members.size === 0
        return { ...living, members, excluded, isEmpty }
      })
    ).pipe(patiently)

  const isStillThere = (entry: ProcessEntry): Effect.Effect<boolean> =>
    proc.process(entry.pid).pipe(
      patiently,
      Effect.map((now) => now !== undefined && now.startTicks === entry.startTicks && now.state !== "Z")
    )

  /** True when the signal was delivered; a process that ended meanwhile is as good as signalled. */
  const kill = (pid: number, signal: NodeJS.Signals) =>
    Effect.sync(() => {
      try {
        process.kill(pid, signal)
      } catch (cause) {
        // EPERM: a member that has become another user cannot be signalled; the next scan still finds and names it.
        const code = errorCode(cause)
        if (code !== "ESRCH" && code !== "EPERM") throw cause
      }
    })

  const signalEach = (processes: ReadonlyArray<ProcessEntry>, ...signals: ReadonlyArray<NodeJS.Signals>) =>
    Effect.forEach(
      processes,
      (entry) =>
        Effect.if(isStillThere(entry), {
          onTrue: () => Effect.forEach(signals, (signal) => kill(entry.pid, signal), { discard: true }),
          onFalse: () => Effect.void
        }),
      { discard: true }
    )

  const signalGroups = (living: LivingTree) =>
    Effect.forEach(
      living.groups,
      (group) => {
        const member = living.processes.find((entry) => entry.group === group)
        return member === undefined
          ? Effect.void
          : Effect.whenEffect(kill(-group, "SIGKILL"), isStillThere(member))
      },
      { discard: true }
    )

  /** The kernel tells when nobody is left in the cgroups. Those who are elsewhere are looked for all the same. */
  const emptied = Effect.fnUntraced(function* ({ groups }: Tree, { members }: Found) {
    if (members.size === 0) return yield* Effect.never
    yield* Effect.forEach(groups, (group) => group.emptied, { concurrency: "unbounded", discard: true })
  })

  /** Waits until two scans in a row are empty, `first` included. Whoever appears meanwhile gets its own TERM. */
  const awaitGone = (tree: Tree, first: Found) =>
    Effect.gen(function* () {
      let found = first
      let emptyScans = found.isEmpty ? 1 : 0
      while (emptyScans < 2) {
        // Cheap while those that were signalled live: one stat each. A scan of all of /proc only when they are gone.
        const gone = Effect.filter(found.processes, isStillThere).pipe(
          Effect.repeat({ schedule: pollSchedule, until: (alive) => alive.length === 0 })
        )
        // Whoever is only seen in a cgroup was forked after /proc was read, or has lost its first thread.
        const next = found.processes.length > 0 || found.isEmpty ? gone : Effect.sleep("100 millis")
        yield* Effect.raceFirst(next, emptied(tree, found))
        found = yield* scan(tree)
        emptyScans = found.isEmpty ? emptyScans + 1 : 0
        // A stopped process acts on TERM only once it goes on.
        yield* signalEach(found.processes, "SIGTERM", "SIGCONT")
      }
    })

  /** Never a group in which the daemon is, or one of its ancestors. */
  const killCgroups = ({ groups }: Tree, { excluded }: Found) =>
    Effect.forEach(
      groups,
      (group) =>
        Effect.flatMap(group.members, (pids) =>
          pids.size > 0 && [...excluded].every((pid) => !pids.has(pid)) ? group.kill : Effect.void
        ),
      { discard: true }
    )

  const killAll = Effect.fnUntraced(function* (tree: Tree) {
    const limitNanos = (yield* Clock.currentTimeNanos) + Duration.unsafeToNanos(killLimit)
    let emptyScans = 0
    for (;;) {
      const found = yield* scan(tree)
      emptyScans = found.isEmpty ? emptyScans + 1 : 0
      if (emptyScans === 2) return []
      if ((yield* Clock.currentTimeNanos) > limitNanos) {
        return [...new Set([...found.processes.map((entry) => entry.pid), ...found.members])]
      }
      yield* killCgroups(tree, found)
      yield* signalGroups(found)
      yield* signalEach(found.processes, "SIGKILL")
      if (!found.isEmpty) yield* Effect.sleep("5 millis")
    }
  })

  return WorkerTree.of({
    of: (pid, mark, group) =>
      proc.process(pid).pipe(
        patiently,
        Effect.map((entry) => ({
          // Gone already: then whoever has the pid now is somebody else, as start time 0 says of everybody.
          leader: { pid, startTicks: entry?.startTicks ?? 0 },
          mark,
          groups: group === undefined ? [] : [group],
          seen: new Map<number, number>()
        }))
      ),
    // Half an end would leave the half that ignores TERM.
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

export const layer: Layer.Layer<WorkerTree, never, ProcFs> = Layer.effect(WorkerTree, make)
/** Told the pids that cannot be ended, whenever they are others than before. */

export type OnRemains = (pids: ReadonlyArray<number>) => Effect.Effect<void>
/**
 * Ends a tree, again and again while something of it hangs in the kernel. `pause` is the time between two attempts; it
 * says whether there is to be another. Returns whether nothing is left.
 */

export const endTree = (
  trees: WorkerTree["Type"],
  tree: Tree,
  ending: Ending,
  onRemains: OnRemains,
  pause: Effect.Effect<boolean>
): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    let told = ""
    for (;;) {
      const remains = yield* trees.end(tree, ending)
      if (remains.length === 0) return true
      // Only a change is news: what hangs may do so all night.
      if (remains.join() !== told) yield* onRemains(remains)
      told = remains.join()
      if (!(yield* pause)) return false
    }
  })
