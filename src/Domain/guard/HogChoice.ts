import { ancestorsOf, strayed } from "../machine/ProcessDescent.ts"
import { heldBytes, isAlive, type ProcessFacts, type ScannedProcess } from "../machine/ProcessFacts.ts"
import { processName, protectedBy } from "../machine/ProcessName.ts"
import type { ProjectName } from "../Project.ts"
import type { MemorySettings } from "../settings/MemorySettings.ts"
import {
  type Origin,
  originsOf,
  type WorkerHolding,
  type WorkerInCharge,
  workerHoldings
} from "../tree/ProcessOrigin.ts"

/** By what is decided who is ended when memory is low. */
export interface HogRules
  extends Pick<MemorySettings, "hogNames" | "hogPolicy" | "protect" | "nodeKillThresholdBytes"> {
  /** Memory is not only low but critical: a hog need not be larger than a worker then. */
  readonly isCritical: boolean
  /** The pids in the cgroup whose limit is what runs out; undefined when the machine's own memory does. */
  readonly within?: ReadonlySet<number> | undefined
}

/** Why a process is ended, in the order in which they are. */
export type Guilt =
  /** What a worker of ours has left that is gone, of any size. */
  | { readonly _tag: "Leftover"; readonly project: string }
  /** What a worker that goes on has lost, if it is large. */
  | { readonly _tag: "Orphan"; readonly project: ProjectName }
  /** A large process of the same user, with a name that was given as a hog's. */
  | { readonly _tag: "Hog" }

/** Why a process is not ended. */
export type Innocence =
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

/** One process that was looked at. With its start time the pid names it for ever: look again before a signal. */
export interface Looked<Verdict> {
  readonly pid: number
  readonly startTicks: number
  /** Swap included. */
  readonly heldBytes: number
  readonly swapBytes: number
  readonly name: string
  readonly argv: ReadonlyArray<string>
  readonly because: Verdict
}

export type Victim = Looked<Guilt>
type Spared = Looked<Innocence>

/** Everyone who is large or has strayed from a worker of ours. */
export interface HogChoice {
  /** Who would be ended, one at a time and in this order, as long as memory stays low. */
  readonly victims: ReadonlyArray<Victim>
  /** The largest first. */
  readonly spared: ReadonlyArray<Spared>
  /** What the workers hold of the memory that is short, the one with most first. */
  readonly holdings: ReadonlyArray<WorkerHolding>
}

const ranks = { Leftover: 0, Orphan: 1, Hog: 2 } as const satisfies Record<Guilt["_tag"], number>

const isGuilt = (verdict: Guilt | Innocence): verdict is Guilt => Object.hasOwn(ranks, verdict._tag)

const largestFirst = (a: Looked<unknown>, b: Looked<unknown>): number =>
  b.heldBytes - a.heldBytes || a.pid - b.pid

/**
 * Whom to end when memory is low, and why nobody else. Only a process of which all is known can be a victim: one whose
 * details are missing is gone.
 */
export const chooseHogs = (
  facts: ProcessFacts,
  workers: ReadonlyArray<WorkerInCharge>,
  rules: HogRules
): HogChoice => {
  const { details, processes, selfPid } = facts
  const ancestors = ancestorsOf(processes, selfPid)
  const originOf = originsOf(facts, workers)
  const isWithin = ({ pid }: ScannedProcess): boolean => rules.within?.has(pid) !== false
  const holdings =
    workers.length === 0 ? [] : workerHoldings([...processes.values()].filter(isWithin), originOf)
  const [largest] = holdings
  const isLarge = (entry: ScannedProcess): boolean => heldBytes(entry) >= rules.nodeKillThresholdBytes

  const ofStranger = (entry: ScannedProcess, name: string): Guilt | Innocence => {
    if (rules.hogPolicy === "own") return { _tag: "OwnOnly" }
    if (!rules.hogNames.includes(name)) return { _tag: "OtherName" }
    const isCause = largest === undefined || heldBytes(entry) > largest.heldBytes
    return isCause || rules.isCritical || rules.hogPolicy === "any"
      ? { _tag: "Hog" }
      : { _tag: "SmallerThanWorker", project: largest.project, bytes: largest.heldBytes }
  }

  const byOrigin = (entry: ScannedProcess, origin: Origin, name: string): Guilt | Innocence => {
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

  const verdictOn = (entry: ScannedProcess): Guilt | Innocence => {
    const { pid } = entry
    if (pid === selfPid) return { _tag: "Daemon" }
    if (ancestors.has(pid)) return { _tag: "Ancestor" }
    if (pid <= 1 || entry.isKernelThread) return { _tag: "System" }
    const own = details.get(pid)
    if (!isAlive(entry) || own === undefined) return { _tag: "Gone" }
    if (!own.isOwnUser) return { _tag: "OtherUser" }
    // Before whose it is, for a person's word holds for what workers have left too.
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
    const looked = {
      pid: entry.pid,
      startTicks: entry.startTicks,
      heldBytes: heldBytes(entry),
      swapBytes: entry.swapBytes,
      name: own === undefined ? "" : processName(own),
      argv: own?.argv ?? []
    }
    const because = verdictOn(entry)
    if (isGuilt(because)) victims.push({ ...looked, because })
    else spared.push({ ...looked, because })
  }
  return {
    victims: victims.toSorted((a, b) => ranks[a.because._tag] - ranks[b.because._tag] || largestFirst(a, b)),
    spared: spared.toSorted(largestFirst),
    holdings
  }
}
