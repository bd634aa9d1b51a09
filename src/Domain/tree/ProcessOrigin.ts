import { ancestorsOf, handedDown, isOfHome } from "../machine/ProcessDescent.ts"
import { heldBytes, type ProcessFacts, type ScannedProcess } from "../machine/ProcessFacts.ts"
import { isAutopilotd } from "../machine/ProcessName.ts"
import type { ProjectName } from "../Project.ts"
import { workerId } from "../WorkerId.ts"

/** A worker that runs, or whose tree is being started or ended by whoever does that. */
export interface WorkerInCharge {
  readonly project: ProjectName
  /** Undefined while its tree is started or ended: then whatever was started for the project is in good hands. */
  readonly running: { readonly id: string; readonly leaderPid: number } | undefined
}

/** Whose a process is. */
export type Origin =
  /** It belongs to a worker: it descends from its leader, shares the leader's session or group, or is being ended. */
  | { readonly _tag: "Worker"; readonly project: ProjectName }
  /** It descends from the daemon otherwise. */
  | { readonly _tag: "Daemon" }
  /** A worker that runs has started it, but it no longer descends from that worker's leader. */
  | { readonly _tag: "Orphan"; readonly project: ProjectName }
  /** A worker of ours that is gone has started it. `project` is the name it had then. */
  | { readonly _tag: "Leftover"; readonly project: string }
  /** A worker that runs has started it, and what it descends from cannot be seen. */
  | { readonly _tag: "Unclear"; readonly project: ProjectName }
  /** Another autopilotd, or a worker of one, has started it. */
  | { readonly _tag: "OtherDaemon" }
  | { readonly _tag: "Stranger" }

/** How the chain of parents ends, and the nearest worker's id on it. */
interface Descent {
  readonly end:
    | { readonly _tag: "Leader"; readonly project: ProjectName }
    | { readonly _tag: "Daemon" | "OtherDaemon" | "Init" | "Unseen" }
  readonly mark: string | undefined
}

const daemon: Descent = { end: { _tag: "Daemon" }, mark: undefined }
const otherDaemon: Descent = { end: { _tag: "OtherDaemon" }, mark: undefined }
const init: Descent["end"] = { _tag: "Init" }
const unseen: Descent["end"] = { _tag: "Unseen" }

/** Tells of each process whose it is. */
export const originsOf = (
  { details, homeId, marks, processes, selfPid }: ProcessFacts,
  workers: ReadonlyArray<WorkerInCharge>
): ((entry: ScannedProcess) => Origin) => {
  const ancestors = ancestorsOf(processes, selfPid)
  const leaders = new Map(
    workers.flatMap(({ project, running }) => (running === undefined ? [] : [[running.leaderPid, project]]))
  )
  const living = new Map(
    workers.flatMap(({ project, running }) => (running === undefined ? [] : [[running.id, project]]))
  )
  const inOtherHands = workers.filter(({ running }) => running === undefined)

  const descentOf = handedDown<Descent>(processes, ({ parentPid, pid }, parent): Descent => {
    // As pid 1 of a container the daemon is the parent of whatever has lost its own.
    if (pid === selfPid && pid > 1) return daemon
    if (pid <= 1 || ancestors.has(pid)) return { end: init, mark: undefined }
    const mark = marks.get(pid) ?? parent?.mark
    const project = leaders.get(pid)
    if (project !== undefined) return { end: { _tag: "Leader", project }, mark }
    // A daemon that a worker runs for itself is a part of that worker.
    const isWithin = parent?.end._tag === "Leader" || parent?.end._tag === "Daemon"
    const own = details.get(pid)
    if (own !== undefined && !isWithin && isAutopilotd(own)) return otherDaemon
    return { end: parent?.end ?? (parentPid <= 1 ? init : unseen), mark }
  })

  return (entry) => {
    const { end, mark } = descentOf(entry.pid) ?? { end: unseen, mark: undefined }
    if (end._tag === "Leader") return { _tag: "Worker", project: end.project }
    if (end._tag === "Daemon" || end._tag === "OtherDaemon") return { _tag: end._tag }
    if (mark === undefined || !isOfHome(mark, homeId)) {
      // Who has cleared its environment is known by where it was born: nobody enters a session from outside.
      const kin = leaders.get(entry.session) ?? leaders.get(entry.group)
      if (kin !== undefined) return { _tag: "Worker", project: kin }
      return { _tag: mark === undefined ? "Stranger" : "OtherDaemon" }
    }
    const busy = inOtherHands.find(({ project }) => mark.startsWith(workerId(homeId, project, "")))
    if (busy !== undefined) return { _tag: "Worker", project: busy.project }
    const project = living.get(mark)
    if (project !== undefined) return { _tag: end._tag === "Unseen" ? "Unclear" : "Orphan", project }
    return { _tag: "Leftover", project: mark.split(":")[1] ?? "" }
  }
}

/** What a worker's processes hold together, as far as they are known to be its own. */
export interface WorkerHolding {
  readonly project: ProjectName
  /** Swap included. */
  readonly heldBytes: number
  readonly processes: number
}

/** What the workers hold, the one with most first. One that has no process is left out. */
export const workerHoldings = (
  processes: Iterable<ScannedProcess>,
  originOf: (entry: ScannedProcess) => Origin
): ReadonlyArray<WorkerHolding> => {
  const totals = new Map<ProjectName, WorkerHolding>()
  for (const entry of processes) {
    const origin = originOf(entry)
    if (origin._tag !== "Worker") continue
    const { project } = origin
    const before = totals.get(project) ?? { project, heldBytes: 0, processes: 0 }
    totals.set(project, {
      project,
      heldBytes: before.heldBytes + heldBytes(entry),
      processes: before.processes + 1
    })
  }
  return [...totals.values()].toSorted((a, b) => b.heldBytes - a.heldBytes)
}
