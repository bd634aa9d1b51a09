import * as Equal from "effect/Equal"
import { structuralRegion } from "effect/Utils"
import type { SavedState } from "./SavedState.ts"

/**
 * How a change is saved. `now`: before it takes effect, and it outlasts a power failure. `quickly`: before it takes
 * effect, for the daemon may be killed; it outlasts a power failure within a second. `soon`: within a second.
 */
export type Saving = "none" | "soon" | "quickly" | "now"

/** Compares by content, in any order of fields. */
const isSame = <A>(before: A, after: A): boolean => structuralRegion(() => Equal.equals(before, after))

/** The parts by which a later daemon decides. */
const decisiveOf = (saved: SavedState): SavedState => {
  const { lastEnd: _, sinceMs: __, tree: ___, ...decisive } = saved
  return decisive
}

/**
 * How the change from the last state that was saved is saved. Each step of a restart is answered by the next daemon's sweep
 * of leftovers, whatever of it is saved, so only the id of the next run must be. After a power failure no worker is left.
 * `isStopping`: another change follows once the worker's processes are gone.
 */
export const savingOf = (before: SavedState | undefined, after: SavedState, isStopping = false): Saving => {
  if (before === undefined) return "now"
  if (isSame(before, after)) return "none"
  const isNextRun =
    before.workerId !== after.workerId &&
    before.wanted === after.wanted &&
    before.failed === after.failed &&
    before.stopped === after.stopped
  if (isNextRun) return "quickly"
  // A leader has written its own file before, and the verdict follows the end of its tree.
  const { tree } = before
  const isTreeKept = tree === undefined || (after.tree === undefined ? isStopping : isSame(tree, after.tree))
  return isTreeKept && isSame(decisiveOf(before), decisiveOf(after)) ? "soon" : "now"
}
