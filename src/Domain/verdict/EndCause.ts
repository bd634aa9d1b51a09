import type { MemoryFigures } from "../memory/MemoryLook.ts"
import type { Stall } from "../guard/StallWatch.ts"
import type { LimitFigures } from "../guard/WorkerLimit.ts"

/** For what the daemon has ended a worker, where the verdict on it must know more than a sentence. */
export type EndCause =
  | { readonly _tag: "Limit"; readonly figures: LimitFigures }
  | { readonly _tag: "Memory"; readonly figures: MemoryFigures }
  | { readonly _tag: "Stall"; readonly stall: Stall }
