import { isAlive, type ProcessEntry } from "./ProcessEntry.ts"
import type { ProcessFacts } from "./ProcessFacts.ts"

type Processes = ProcessFacts["processes"]

/**
 * Computes a value for each process from that of its parent, each once; undefined for a process that does not exist. A
 * table that was read while it changed may contain a cycle, which counts as a missing parent. No recursion: a chain of
 * forks may be longer than the stack is deep.
 */
export const handedDown = <A>(
  processes: Processes,
  make: (entry: ProcessEntry, parent: A | undefined) => A
): ((pid: number) => A | undefined) => {
  const made = new Map<number, A>()
  return (pid) => {
    const process = processes.get(pid)
    if (process === undefined || made.has(pid)) return made.get(pid)
    // The usual case: a table is read in the order of pids, and parents are older. It leaves no garbage.
    const { parentPid } = process
    if (made.has(parentPid) || !processes.has(parentPid)) {
      const value = make(process, made.get(parentPid))
      made.set(pid, value)
      return value
    }
    const chain: Array<ProcessEntry> = []
    const climbed = new Set<number>()
    for (
      let at = processes.get(pid);
      at !== undefined && !made.has(at.pid) && !climbed.has(at.pid);
      at = processes.get(at.parentPid)
    ) {
      chain.push(at)
      climbed.add(at.pid)
    }
    for (const entry of chain.toReversed()) made.set(entry.pid, make(entry, made.get(entry.parentPid)))
    return made.get(pid)
  }
}

/** The pids of all ancestors of a process, without itself. One that began later has the pid of an ancestor that is gone. */
export const ancestorsOf = (processes: Processes, pid: number): ReadonlySet<number> => {
  const ancestors = new Set<number>()
  let child = processes.get(pid)
  while (child !== undefined) {
    const parent = processes.get(child.parentPid)
    if (parent === undefined || parent.startTicks > child.startTicks) break
    if (parent.pid === pid || ancestors.has(parent.pid)) break
    ancestors.add(parent.pid)
    child = parent
  }
  return ancestors
}

/**
 * The processes whose environment must be read to know which worker started them; all others belong where their parent
 * belongs. A process that shares its parent's session was born to it, with its environment. A process that has lost its
 * parent has another session than its new parent, because every worker leads a session of its own.
 */
export const withParentsUnknown = ({
  processes,
  selfPid
}: Pick<ProcessFacts, "processes" | "selfPid">): ReadonlyArray<ProcessEntry> => {
  const ancestors = ancestorsOf(processes, selfPid)
  return [...processes.values()].filter(
    (entry) =>
      entry.pid > 1 &&
      entry.pid !== selfPid &&
      !entry.isKernelThread &&
      isAlive(entry) &&
      !ancestors.has(entry.pid) &&
      processes.get(entry.parentPid)?.session !== entry.session
  )
}

/** Whether a worker id belongs to this home. */
export const isOfHome = (mark: string, homeId: string): boolean => mark.startsWith(`${homeId}:`)

/**
 * The processes that a worker of this home has started, directly or not, and that no longer descend from the daemon. As
 * pid 1 of a container the daemon adopts orphans, so there descent from it proves nothing.
 */
export const strayed = ({
  homeId,
  marks,
  processes,
  selfPid
}: Omit<ProcessFacts, "details">): ReadonlyArray<ProcessEntry> => {
  // The usual case. The rest is most of a scan's time outside of the kernel.
  if (![...marks.values()].some((mark) => isOfHome(mark, homeId))) return []
  const ancestors = ancestorsOf(processes, selfPid)
  const isStrayed = handedDown<boolean>(processes, ({ pid }, parent = false) => {
    if (pid <= 1 || pid === selfPid || ancestors.has(pid)) return false
    const mark = marks.get(pid)
    return mark === undefined ? parent : isOfHome(mark, homeId)
  })
  const isDaemons = handedDown<boolean>(
    processes,
    ({ pid }, parent = false) => parent || (pid === selfPid && pid > 1)
  )
  return [...processes.values()].filter(
    (entry) => isAlive(entry) && isStrayed(entry.pid) === true && isDaemons(entry.pid) !== true
  )
}
