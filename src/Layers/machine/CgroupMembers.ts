import * as fs from "node:fs"
import { join } from "node:path"

const pidsIn = (folder: string): ReadonlyArray<number> =>
  fs.readFileSync(join(folder, "cgroup.procs"), "latin1").split("\n").filter(Boolean).map(Number)

const below = (folder: string): ReadonlyArray<number> => {
  const groups = fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return groups.flatMap(({ name }) => membersBelow(join(folder, name)))
}

const orNone = (read: () => ReadonlyArray<number>): ReadonlyArray<number> => {
  try {
    return read()
  } catch {
    // The group is gone, belongs to another user, or is threaded (its processes are in the group above).
    return []
  }
}

const membersBelow = (folder: string): ReadonlyArray<number> => [
  ...orNone(() => pidsIn(folder)),
  ...orNone(() => below(folder))
]

/** Whether a process is in a cgroup or in a group below it. A worker seldom makes groups, so one file is enough. */
export const isCgroupMember = (folder: string, pid: number): boolean =>
  orNone(() => pidsIn(folder)).includes(pid) || orNone(() => below(folder)).includes(pid)

/**
 * The pids in a cgroup and in the groups below it. Unreadable groups are omitted, which can only spare a process.
 */
export const cgroupMembers = (folder: string): ReadonlySet<number> => new Set(membersBelow(folder))
