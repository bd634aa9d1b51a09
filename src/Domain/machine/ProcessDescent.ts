import { isAlive, type ProcessFacts, type ScannedProcess } from "./ProcessFacts.ts"

type Processes = ProcessFacts["processes"]

/**
 * A value for any process that is made from its parent's, each made once; undefined for a parent that is not there. A
 * table that is read while it changes may have a circle, which counts as a parent that is not there; a chain of
 * forks may be longer than the stack is deep.
 */
export const handedDown = <A>(
  processes: Processes,
  make: (entry: ScannedProcess, parent: A | undefined) => A
): ((pid: number) => A | undefined) => {
  const made = new Map<number, A>()
  return (pid) => {
    const chain: Array<ScannedProcess> = []
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

/** The processes that a process descends from, without itself. */
export const ancestorsOf = (processes: Processes, pid: number): ReadonlySet<number> => {
  const ancestors = new Set<number>()
  for (let at = processes.get(pid)?.parentPid; at !== undefined; at = processes.get(at)?.parentPid) {
    if (at === pid || ancestors.has(at)) break
    ancestors.add(at)
  }
  return ancestors
}

/**
 * The processes whose own environment has to be read to know who has started them; all others are as their parents.
 * Whoever has lost its parent has another session than who has taken it over: workers lead sessions of their own. And
 * a child that shares its parent's session was born to it, with its environment.
 */
export const withParentsUnknown = ({
  processes,
  selfPid
}: Pick<ProcessFacts, "processes" | "selfPid">): ReadonlyArray<ScannedProcess> => {
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

/** Whether a worker's id is of this home. */
export const isOfHome = (mark: string, homeId: string): boolean => mark.startsWith(`${homeId}:`)

/**
 * The processes that a worker of this home has started, directly or not, and that do not descend from the daemon any
 * more. As pid 1 of a container the daemon takes over what has lost its parents, so descending from it says nothing
 * there.
 */
export const strayed = ({
  homeId,
  marks,
  processes,
  selfPid
}: Omit<ProcessFacts, "details">): ReadonlyArray<ScannedProcess> => {
  // The usual case, and most of a scan's time that is not the kernel's.
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
