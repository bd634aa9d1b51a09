/** One row of the process table, as `/proc/<pid>/stat` tells it. */
export interface ProcessEntry {
  readonly pid: number
  readonly parentPid: number
  readonly group: number
  readonly session: number
  /** When it started, in clock ticks since boot. With the pid it names one process for ever. */
  readonly startTicks: number
  /** What it holds in memory, shared pages included. */
  readonly residentBytes: number
  /** The kernel's letter: R, S, D, T, Z (zombie), X (dead) ... */
  readonly state: string
}

/** How the processes of a worker are recognised. */
export interface TreeIdentity {
  /** The process we started; undefined when only the mark is left, as after a crash of the daemon. */
  readonly leader: { readonly pid: number; readonly startTicks: number } | undefined
  /** Processes seen in the tree before, by pid with their start time. */
  readonly known: ReadonlyMap<number, number>
  /** The pids that carry the worker's id in their environment. */
  readonly marked: ReadonlySet<number>
  /** The pids in the cgroups that are its own: nobody else is ever put there. */
  readonly members: ReadonlySet<number>
  /** The daemon, its ancestors: someone may have started it from a shell inside the old worker. */
  readonly excluded: ReadonlySet<number>
}

/** Zombies are gone: they hold nothing but their row, and signals do nothing to them. */
const isAlive = (entry: ProcessEntry): boolean => entry.state !== "Z" && entry.state !== "X"

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

/** The living part of a worker's tree. */
export interface LivingTree {
  readonly processes: ReadonlyArray<ProcessEntry>
  /** The process groups that hold nothing but the tree: one signal to such a group cannot be outrun by forking. */
  readonly groups: ReadonlySet<number>
}

/**
 * The living processes of a worker: its leader, its process group and session, all their descendants, everything
 * that carries the worker's id or is in its cgroup, and the sessions they lead. A pid whose start time differs is
 * another process.
 *
 * A session can only be entered by being forked into it, so whoever shares one with its leader, or with what a leader
 * that is gone has left, descends from the tree too. A session led by somebody else is not the tree's: a person may
 * have taken the id over into a shell, or a worker may have started the daemon.
 */
export const livingTree = (table: ReadonlyArray<ProcessEntry>, identity: TreeIdentity): LivingTree => {
  const { leader, known, marked, members, excluded } = identity
  const reused =
    leader !== undefined && table.some((e) => e.pid === leader.pid && e.startTicks !== leader.startTicks)
  const livingPids = new Set(table.filter(isAlive).map((e) => e.pid))
  const sessionsOfExcluded = new Set(table.filter((e) => excluded.has(e.pid)).map((e) => e.session))
  // Nothing of the tree is older than its leader, unless it was moved into its cgroup.
  const candidates = table.filter(
    (e) =>
      e.pid > 1 &&
      !excluded.has(e.pid) &&
      (leader === undefined || e.startTicks >= leader.startTicks || members.has(e.pid))
  )
  const isFound = (e: ProcessEntry): boolean =>
    known.get(e.pid) === e.startTicks ||
    marked.has(e.pid) ||
    members.has(e.pid) ||
    (leader !== undefined &&
      !reused &&
      (e.pid === leader.pid || e.group === leader.pid || e.session === leader.pid))
  const found = new Map(candidates.filter(isFound).map((e) => [e.pid, e]))
  // Session and group 0 are of another pid namespace, and a signal to group 0 or 1 would reach the daemon or everybody.
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
