import * as Effect from "effect/Effect"
import { ancestorsOf } from "../../Domain/machine/ProcessDescent.ts"
import type { ProcessEntry, ProcessIdentity } from "../../Domain/machine/ProcessEntry.ts"
import { type LivingTree, livingTree } from "../../Domain/machine/ProcessTree.ts"
import { variable } from "../../Domain/WorkerId.ts"
import { coalescedRead, type Walk } from "../concurrency/CoalescedRead.ts"
import { type ProcFs, type ProcUnreadable, unreadable } from "../machine/ProcFs.ts"
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

/** The beginning of every mark. */
const anyMark = `${variable}=`

/** The result of a scan of a tree. */
export interface Found extends LivingTree {
  /** The pids in its cgroups. A member may have been forked after /proc was read. */
  readonly members: ReadonlySet<number>
  /** The daemon and its ancestors. */
  readonly excluded: ReadonlySet<number>
  /** Two looks at /proc in a row have found nothing. */
  readonly isGone: boolean
}

/** One look at /proc. */
interface Sight {
  /** When it was over, on the monotonic clock. */
  readonly atNanos: bigint
  readonly byPid: ReadonlyMap<number, ProcessEntry>
  readonly table: ReadonlyArray<ProcessEntry>
  readonly excluded: ReadonlySet<number>
  /** Whether a process has the mark of any worker, as far as environments were read. */
  readonly isMarked: Map<number, boolean>
  /** The look after this one, once there was one. */
  next: Sight | undefined
}

/**
 * A look may rely on the one before for so long: 0.1 s. It reads the processes that are new, because only a process that
 * was forked meanwhile can be of the tree without having been found, and all environments, because exec replaces one.
 */
const knownNanos = 100_000_000n

/** Retries until /proc can be read: unknown must never count as empty. */
export const patiently = <A>(reading: Effect.Effect<A, ProcUnreadable>): Effect.Effect<A> =>
  Effect.catchAll(reading, () => Effect.delay(patiently(reading), "50 millis"))

/** The scan of a process tree. */
export const treeScan = (proc: ProcFs["Type"]) => {
  /** `ofOwn`: for trees whose leader this process has started. */
  function* look(ofOwn: boolean, before?: Sight): Walk<Sight> {
    const isFresh = before !== undefined && process.hrtime.bigint() - before.atNanos < knownNanos
    const byPid = yield* proc.walks.processes(isFresh ? before.byPid : undefined, ofOwn)
    const excluded = new Set([process.pid, ...ancestorsOf(byPid, process.pid)])
    const atNanos = process.hrtime.bigint()
    return { atNanos, byPid, table: [...byPid.values()], excluded, isMarked: new Map(), next: undefined }
  }

  /** The processes with the mark of a tree. */
  function* markedIn({ isMarked, table }: Sight, { leader, mark }: Tree): Walk<ReadonlySet<number>> {
    const pids: Array<number> = []
    for (const { pid, session, startTicks } of table) {
      // Kernel threads, half of all processes on many machines, have no session; every worker has one.
      if (session !== 0 && (leader === undefined || startTicks >= leader.startTicks)) pids.push(pid)
    }
    const unread = pids.filter((pid) => !isMarked.has(pid))
    const carriers = yield* proc.walks.carrying(unread, anyMark)
    for (const pid of unread) isMarked.set(pid, carriers.has(pid))
    return yield* proc.walks.carrying(
      pids.filter((pid) => isMarked.get(pid)),
      mark
    )
  }

  function* foundIn(tree: Tree, sight: Sight) {
    const { earlier, groups, leader, seen } = tree
    const { excluded, table } = sight
    const marked = yield* markedIn(sight, tree)
    const members = new Set(
      groups.flatMap((group) => [...group.members()].filter((pid) => !excluded.has(pid)))
    )
    const known = new Map([...earlier.map(({ pid, startTicks }) => [pid, startTicks] as const), ...seen])
    const living = livingTree(table, { leader, known, marked, members, excluded })
    for (const entry of living.processes) seen.set(entry.pid, entry.startTicks)
    return { ...living, members, excluded, isEmpty: living.processes.length === 0 && members.size === 0 }
  }

  /** A look that finds nothing counts only when the next one finds nothing either: a fork may outrun one. */
  function* twiceFoundIn(tree: Tree, ofOwn: boolean, first: Sight): Walk<Found> {
    const found = yield* foundIn(tree, first)
    if (!found.isEmpty) return { ...found, isGone: false }
    first.next ??= yield* look(ofOwn, first)
    const again = yield* foundIn(tree, first.next)
    return { ...again, isGone: again.isEmpty }
  }

  /** Trees that end at the same time share looks: one for each of fifty would take longer than the grace period. */
  const sharedLook = coalescedRead(() => look(true), unreadable)
  const sharedFullLook = coalescedRead(() => look(false), unreadable)

  return (tree: Tree): Effect.Effect<Found> => {
    const ofOwn = tree.leader !== undefined
    const shared = ofOwn ? sharedLook : sharedFullLook
    return patiently(shared((first) => twiceFoundIn(tree, ofOwn, first)))
  }
}
