import type { ProcessIdentity } from "../machine/ProcessEntry.ts"

/** A process that survives SIGKILL. */
export interface Survivor extends ProcessIdentity {
  /** The user it belongs to, if the system forbids the daemon to signal it. Undefined: it hangs in the kernel. */
  readonly owner: string | undefined
}

export const pidsOf = (survivors: ReadonlyArray<Survivor>): ReadonlyArray<number> =>
  survivors.map(({ pid }) => pid)

const ofOwner = (owner: string | undefined, pids: ReadonlyArray<number>): string =>
  owner === undefined
    ? `pid ${pids.join(", ")} cannot be killed (it may hang in the kernel)`
    : `pid ${pids.join(", ")} ${pids.length === 1 ? "belongs" : "belong"} to ${owner}, whose processes this daemon may not kill (run: sudo kill ${pids.join(" ")})`

/** Why processes survive and what helps: `pid 7 belongs to root, whose processes ...`, no full stop. */
export const describeSurvivors = (survivors: ReadonlyArray<Survivor>): string => {
  const owners = [...new Set(survivors.map(({ owner }) => owner))]
  return owners
    .map((owner) => ofOwner(owner, pidsOf(survivors.filter((survivor) => survivor.owner === owner))))
    .join(", and ")
}

/** The text of events about processes that the daemon leaves behind. */
export const leftBehind = (
  survivors: ReadonlyArray<Survivor>
): { readonly leftBehind: ReadonlyArray<number>; readonly why?: string } => ({
  leftBehind: pidsOf(survivors),
  ...(survivors.length > 0 && { why: describeSurvivors(survivors) })
})
