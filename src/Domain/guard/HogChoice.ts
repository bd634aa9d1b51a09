import { ancestorsOf, strayed } from "../machine/ProcessDescent.ts"
import { heldBytes, isAlive, type ProcessEntry, type ProcessIdentity } from "../machine/ProcessEntry.ts"
import type { ProcessFacts } from "../machine/ProcessFacts.ts"
import { processName, protectedBy } from "../machine/ProcessName.ts"
import type { ProjectName } from "../Project.ts"
import type { MemorySettings } from "../settings/MemorySettings.ts"
import {
  type LiveWorker,
  type Origin,
  originsOf,
  type WorkerHolding,
  workerHoldings
} from "../tree/ProcessOrigin.ts"

/** The rules that decide which processes are killed when memory is low. */
export interface HogRules
  extends Pick<MemorySettings, "hogNames" | "hogPolicy" | "protect" | "nodeKillThresholdBytes"> {
  /** Memory is critical: then a hog does not have to be larger than a worker. */
  readonly isCritical: boolean
  /** The pids in the cgroup whose limit is short of memory; undefined when the machine as a whole is. */
  readonly within?: ReadonlySet<number> | undefined
}

/** Why a process is killed, in the order of kills. */
export type VictimReason =
  /** Left behind by a worker that is gone, of any size. */
  | { readonly _tag: "Leftover"; readonly project: string }
  /** Large, and no longer a descendant of the running worker that started it. */
  | { readonly _tag: "Orphan"; readonly project: ProjectName }
  /** A large process of the same user whose name is in `hog_names`. */
  | { readonly _tag: "Hog" }

/** Why a process is spared. */
export type SpareReason =
  | { readonly _tag: "Daemon" }
  | { readonly _tag: "Ancestor" }
  | { readonly _tag: "System" }
  | { readonly _tag: "Gone" }
  | { readonly _tag: "OtherUser" }
  | { readonly _tag: "Protected"; readonly rule: string }
  | { readonly _tag: "OtherDaemon" }
  | { readonly _tag: "Worker"; readonly project: ProjectName }
  | { readonly _tag: "Unclear"; readonly project: ProjectName }
  | { readonly _tag: "OutsideGroup" }
  | { readonly _tag: "Small"; readonly project: ProjectName }
  | { readonly _tag: "OwnOnly" }
  | { readonly _tag: "OtherName" }
  | { readonly _tag: "SmallerThanWorker"; readonly project: ProjectName; readonly bytes: number }

/** A process and the decision on it. Before a signal its start time must be compared again. */
export interface Judged<Reason> extends ProcessIdentity {
  /** Swap included. */
  readonly heldBytes: number
  readonly swapBytes: number
  readonly name: string
  readonly argv: ReadonlyArray<string>
  readonly because: Reason
}

export type Victim = Judged<VictimReason>
type Spared = Judged<SpareReason>

/** A decision on every process that is large or has strayed from a worker. */
export interface HogChoice {
  /** To be killed one at a time in this order, as long as memory stays low. */
  readonly victims: ReadonlyArray<Victim>
  /** Largest first. */
  readonly spared: ReadonlyArray<Spared>
  /** The part of the short memory that each worker holds, largest first. */
  readonly holdings: ReadonlyArray<WorkerHolding>
}

const ranks = { Leftover: 0, Orphan: 1, Hog: 2 } as const satisfies Record<VictimReason["_tag"], number>

const isVictim = (reason: VictimReason | SpareReason): reason is VictimReason =>
  Object.hasOwn(ranks, reason._tag)

const largestFirst = (a: Judged<unknown>, b: Judged<unknown>): number =>
  b.heldBytes - a.heldBytes || a.pid - b.pid

/**
 * Decides which processes to kill when memory is low, and why to spare the others. A process of which anything is unknown
 * is never a victim: one without details counts as gone.
 */
export const chooseVictims = (
  facts: ProcessFacts,
  workers: ReadonlyArray<LiveWorker>,
  rules: HogRules
): HogChoice => {
  const { details, processes, selfPid } = facts
  const ancestors = ancestorsOf(processes, selfPid)
  const originOf = originsOf(facts, workers)
  const isWithin = ({ pid }: ProcessEntry): boolean => rules.within?.has(pid) !== false
  const holdings =
    workers.length === 0 ? [] : workerHoldings([...processes.values()].filter(isWithin), originOf)
  const [largest] = holdings
  const isLarge = (entry: ProcessEntry): boolean => heldBytes(entry) >= rules.nodeKillThresholdBytes

  const ofStranger = (entry: ProcessEntry, name: string): VictimReason | SpareReason => {
    if (rules.hogPolicy === "own") return { _tag: "OwnOnly" }
    if (!rules.hogNames.includes(name)) return { _tag: "OtherName" }
    const isCause = largest === undefined || heldBytes(entry) > largest.heldBytes
    return isCause || rules.isCritical || rules.hogPolicy === "any"
      ? { _tag: "Hog" }
      : { _tag: "SmallerThanWorker", project: largest.project, bytes: largest.heldBytes }
  }

  const byOrigin = (entry: ProcessEntry, origin: Origin, name: string): VictimReason | SpareReason => {
    switch (origin._tag) {
      case "Orphan":
        return isLarge(entry) ? origin : { _tag: "Small", project: origin.project }
      case "Stranger":
        return ofStranger(entry, name)
      case "Worker":
      case "Daemon":
      case "OtherDaemon":
      case "Unclear":
      case "Leftover":
        return origin
    }
  }

  const reasonFor = (entry: ProcessEntry): VictimReason | SpareReason => {
    const { pid } = entry
    if (pid === selfPid) return { _tag: "Daemon" }
    if (ancestors.has(pid)) return { _tag: "Ancestor" }
    if (pid <= 1 || entry.isKernelThread) return { _tag: "System" }
    const own = details.get(pid)
    if (!isAlive(entry) || own === undefined) return { _tag: "Gone" }
    if (!own.isOwnUser) return { _tag: "OtherUser" }
    // `protect` comes before the origin: it also covers what a worker has left behind.
    const rule = protectedBy(own, rules.protect)
    if (rule !== undefined) return { _tag: "Protected", rule }
    if (!isWithin(entry)) return { _tag: "OutsideGroup" }
    return byOrigin(entry, originOf(entry), processName(own))
  }

  const victims: Array<Victim> = []
  const spared: Array<Spared> = []
  const astray = new Set(strayed(facts).map(({ pid }) => pid))
  for (const entry of processes.values()) {
    if (!isLarge(entry) && !astray.has(entry.pid)) continue
    const own = details.get(entry.pid)
    const judged = {
      pid: entry.pid,
      startTicks: entry.startTicks,
      heldBytes: heldBytes(entry),
      swapBytes: entry.swapBytes,
      name: own === undefined ? "" : processName(own),
      argv: own?.argv ?? []
    }
    const because = reasonFor(entry)
    if (isVictim(because)) victims.push({ ...judged, because })
    else spared.push({ ...judged, because })
  }
  return {
    victims: victims.toSorted((a, b) => ranks[a.because._tag] - ranks[b.because._tag] || largestFirst(a, b)),
    spared: spared.toSorted(largestFirst),
    holdings
  }
}
