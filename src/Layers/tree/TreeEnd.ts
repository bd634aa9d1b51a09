import * as Effect from "effect/Effect"
import type { Ending, Tree, WorkerTree } from "./WorkerTree.ts"

/** Told the pids that cannot be ended, whenever they are others than before. */
export type OnRemains = (pids: ReadonlyArray<number>) => Effect.Effect<void>

/**
 * Ends a tree, again and again while something of it hangs in the kernel. `pause` is the time between two attempts; it
 * says whether there is to be another. Returns whether nothing is left.
 */
export const endTree = (
  trees: WorkerTree["Type"],
  tree: Tree,
  ending: Ending,
  onRemains: OnRemains,
  pause: Effect.Effect<boolean>
): Effect.Effect<boolean> =>
  Effect.gen(function* () {
    let told = ""
    for (;;) {
      const remains = yield* trees.end(tree, ending)
      if (remains.length === 0) return true
      // Only a change is news: what hangs may do so all night.
      if (remains.join() !== told) yield* onRemains(remains)
      told = remains.join()
      if (!(yield* pause)) return false
    }
  })
