import * as fs from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"

const pidsIn = (folder: string): ReadonlyArray<number> =>
  fs.readFileSync(join(folder, "cgroup.procs"), "latin1").split("\n").filter(Boolean).map(Number)

const below = (folder: string): ReadonlyArray<number> => {
  const groups = fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return groups.flatMap(({ name }) => membersBelow(join(folder, name)))
}

const orNobody = (read: () => ReadonlyArray<number>): ReadonlyArray<number> => {
  try {
    return read()
  } catch {
    // A group can vanish, belong to somebody else, or have its processes counted in the group above.
    return []
  }
}

const membersBelow = (folder: string): ReadonlyArray<number> => [
  ...orNobody(() => pidsIn(folder)),
  ...orNobody(() => below(folder))
]

/**
 * The processes in a cgroup and the groups in it, by its folder: only they use up its memory. Whoever cannot be read is
 * left out: that spares somebody, and harms nobody.
 */
export const cgroupMembers = (folder: string): Effect.Effect<ReadonlySet<number>> =>
  Effect.sync(() => new Set(membersBelow(folder)))
