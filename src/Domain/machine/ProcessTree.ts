import { isAlive, type ProcessEntry, type ProcessIdentity } from "./ProcessEntry.ts"

/** The marks by which the processes of a worker are recognised. */
export interface TreeIdentity {
  /** Undefined when only the mark is known, as after a crash of the daemon. */
  readonly leader: ProcessIdentity | undefined
  /** Start times of the processes that earlier scans found in the tree, by pid. */
  readonly known: ReadonlyMap<number, number>
  /** Pids with the worker's id in their environment. */
  readonly marked: ReadonlySet<number>
  /** Pids in the cgroups of the worker, which hold nothing else. */
  readonly members: ReadonlySet<number>
  /** The daemon and its ancestors: a user may have started the daemon from a shell inside an old worker. */
  readonly excluded: ReadonlySet<number>
}

const groupedBy = (
  entries: ReadonlyArray<ProcessEntry>,
  key: (entry: ProcessEntry) => number
): ReadonlyMap<number, ReadonlyArray<ProcessEntry>> => {
  const groups = new Map<number, Array<ProcessEntry>>()
  for (const entry of entries) {
    const group = groups.get(key(entry))
    if (group === undefined) groups.set(key(entry), [entry])
    else group.push(entry)
  }
  return groups
}

/** The live processes of a worker. */
export interface LivingTree {
  readonly processes: ReadonlyArray<ProcessEntry>
  /** Process groups that belong to the tree as a whole: no fork can outrun a signal to such a group. */
  readonly groups: ReadonlySet<number>
}

/**
 * Whether a process is in the session of a known leader that has exited. The kernel gives no process the pid of a session
 * that has members, so the session is still that one.
 */
export const isOfKnownSession = (
  { session, startTicks }: ProcessEntry,
  known: ReadonlyMap<number, number>,
  startOf: (pid: number) => number | undefined
): boolean => {
  const begun = known.get(session)
  // Zero is the start of a process that had exited before it was read.
  if (begun === undefined || begun === 0 || startTicks < begun) return false
  return (startOf(session) ?? begun) === begun
}

/**
 * Finds the live processes of a worker: its leader, the leader's process group and session, also those of leaders that
 * earlier scans found, all their descendants,
 * every process with the worker's id or in its cgroup, and the sessions that these lead. A pid with another start time
 * is another process.
 *
 * A process enters a session only by being forked into it, so all processes of a session whose leader is in the tree,
 * or has exited, descend from the tree. A session with another leader is not the tree's: a user may have exported the
 * worker's id in a shell, or a worker may have started the daemon.
 */
export const livingTree = (table: ReadonlyArray<ProcessEntry>, identity: TreeIdentity): LivingTree => {
  const { leader, known, marked, members, excluded } = identity
  const reused =
    leader !== undefined && table.some((e) => e.pid === leader.pid && e.startTicks !== leader.startTicks)
  const sessionsOfExcluded = new Set(table.filter((e) => excluded.has(e.pid)).map((e) => e.session))
  // Only a process that was moved into the cgroup can be older than the leader.
  const candidates = table.filter(
    (e) =>
      e.pid > 1 &&
      !excluded.has(e.pid) &&
      (leader === undefined || e.startTicks >= leader.startTicks || members.has(e.pid))
  )
  // Made when it is first asked for: most tables have no process of the tree.
  let starts: ReadonlyMap<number, number> | undefined
  const startOf = (pid: number): number | undefined => {
    starts ??= new Map(table.map((e) => [e.pid, e.startTicks]))
    return starts.get(pid)
  }
  const isFound = (e: ProcessEntry): boolean =>
    known.get(e.pid) === e.startTicks ||
    (!sessionsOfExcluded.has(e.session) && isOfKnownSession(e, known, startOf)) ||
    marked.has(e.pid) ||
    members.has(e.pid) ||
    (leader !== undefined &&
      !reused &&
      (e.pid === leader.pid || e.group === leader.pid || e.session === leader.pid))
  const found = new Map(candidates.filter(isFound).map((e) => [e.pid, e]))
  if (found.size === 0) return { processes: [], groups: new Set() }
  const livingPids = new Set(table.filter(isAlive).map((e) => e.pid))
  // Session and group 0 belong to another pid namespace. A signal to group 0 reaches the daemon, to group 1 everything.
  const isOwn = (session: number): boolean =>
    session > 1 && !sessionsOfExcluded.has(session) && (found.has(session) || !livingPids.has(session))
  const byParent = groupedBy(candidates, (e) => e.parentPid)
  const bySession = groupedBy(candidates, (e) => e.session)
  const open = [...found.values()]
  for (let entry = open.pop(); entry !== undefined; entry = open.pop()) {
    const kin = [
      ...(byParent.get(entry.pid) ?? []),
      ...(isOwn(entry.session) ? (bySession.get(entry.session) ?? []) : [])
    ]
    for (const next of kin) {
      if (found.has(next.pid)) continue
      found.set(next.pid, next)
      open.push(next)
    }
  }
  const processes = [...found.values()].filter(isAlive)
  return {
    processes,
    groups: new Set(processes.filter((e) => e.group > 1 && isOwn(e.session)).map((e) => e.group))
  }
}
