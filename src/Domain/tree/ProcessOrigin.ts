import { ancestorsOf, handedDown, isOfHome } from "../machine/ProcessDescent.ts"
import { heldBytes, type ProcessEntry } from "../machine/ProcessEntry.ts"
import type { ProcessFacts } from "../machine/ProcessFacts.ts"
import { isAutopilotd } from "../machine/ProcessName.ts"
import type { ProjectName } from "../Project.ts"
import { workerId } from "../WorkerId.ts"

/** A worker that is starting, running or stopping. */
export interface LiveWorker {
  readonly project: ProjectName
  /** Undefined while it starts or stops: then the supervisor takes care of every process of the project. */
  readonly running: { readonly id: string; readonly leaderPid: number } | undefined
}

/** Where a process comes from. */
export type Origin =
  /** A part of a worker: it descends from the leader, shares the leader's session or group, or is being stopped. */
  | { readonly _tag: "Worker"; readonly project: ProjectName }
  /** Descends from the daemon otherwise. */
  | { readonly _tag: "Daemon" }
  /** Started by a running worker, but no longer a descendant of its leader. */
  | { readonly _tag: "Orphan"; readonly project: ProjectName }
  /** Started by a worker of this home that is gone. `project` is its name at that time. */
  | { readonly _tag: "Leftover"; readonly project: string }
  /** Started by a running worker, with ancestors that cannot be read. */
  | { readonly _tag: "Unclear"; readonly project: ProjectName }
  /** Started by another autopilotd, or by a worker of one. */
  | { readonly _tag: "OtherDaemon" }
  | { readonly _tag: "Stranger" }

/** Where the chain of parents ends, and the nearest worker id on it. */
interface Descent {
  readonly end:
    | { readonly _tag: "Leader"; readonly project: ProjectName }
    | { readonly _tag: "Daemon" | "OtherDaemon" | "Init" | "Unseen" }
  readonly mark: string | undefined
}

const daemon: Descent = { end: { _tag: "Daemon" }, mark: undefined }
const otherDaemon: Descent = { end: { _tag: "OtherDaemon" }, mark: undefined }
const init: Descent = { end: { _tag: "Init" }, mark: undefined }
const unseen: Descent = { end: { _tag: "Unseen" }, mark: undefined }
const stranger: Origin = { _tag: "Stranger" }

/** Returns the function that finds the origin of a process. */
export const originsOf = (
  { details, homeId, marks, processes, selfPid }: ProcessFacts,
  workers: ReadonlyArray<LiveWorker>
): ((entry: ProcessEntry) => Origin) => {
  const ancestors = ancestorsOf(processes, selfPid)
  const leaders = new Map(
    workers.flatMap(({ project, running }) => (running === undefined ? [] : [[running.leaderPid, project]]))
  )
  const living = new Map(
    workers.flatMap(({ project, running }) => (running === undefined ? [] : [[running.id, project]]))
  )
  const changing = workers.filter(({ running }) => running === undefined)

  const descentOf = handedDown<Descent>(processes, ({ parentPid, pid }, parent): Descent => {
    // As pid 1 of a container the daemon adopts every orphan.
    if (pid === selfPid && pid > 1) return daemon
    if (pid <= 1 || ancestors.has(pid)) return init
    const mark = marks.get(pid) ?? parent?.mark
    const project = leaders.get(pid)
    if (project !== undefined) return { end: { _tag: "Leader", project }, mark }
    // A daemon that a worker has started is a part of that worker.
    const isWithin = parent?.end._tag === "Leader" || parent?.end._tag === "Daemon"
    const own = details.get(pid)
    if (own !== undefined && !isWithin && isAutopilotd(own)) return otherDaemon
    const from = parent ?? (parentPid <= 1 ? init : unseen)
    // Shared: a new object for each of thousands of processes would be most of the garbage of a scan.
    return mark === from.mark ? from : { end: from.end, mark }
  })

  return (entry) => {
    const { end, mark } = descentOf(entry.pid) ?? unseen
    if (end._tag === "Leader") return { _tag: "Worker", project: end.project }
    if (end._tag === "Daemon" || end._tag === "OtherDaemon") return { _tag: end._tag }
    if (mark === undefined || !isOfHome(mark, homeId)) {
      // A process without the id is found by its session: processes are born into one and cannot join it.
      const kin = leaders.get(entry.session) ?? leaders.get(entry.group)
      if (kin !== undefined) return { _tag: "Worker", project: kin }
      return mark === undefined ? stranger : { _tag: "OtherDaemon" }
    }
    const change = changing.find(({ project }) => mark.startsWith(workerId(homeId, project, "")))
    if (change !== undefined) return { _tag: "Worker", project: change.project }
    const project = living.get(mark)
    if (project !== undefined) return { _tag: end._tag === "Unseen" ? "Unclear" : "Orphan", project }
    return { _tag: "Leftover", project: mark.split(":")[1] ?? "" }
  }
}

/** The memory of a worker's processes. */
export interface WorkerHolding {
  readonly project: ProjectName
  /** Swap included, shared pages counted for each process. */
  readonly heldBytes: number
  readonly processes: number
}

/** The memory of all workers that have a process, largest first. */
export const workerHoldings = (
  processes: Iterable<ProcessEntry>,
  originOf: (entry: ProcessEntry) => Origin
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
