import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { LifeMemory } from "../../Domain/tree/WorkerMemory.ts"

/**
 * What the trees of workers held when last looked at, kept where also those can ask that are built before whoever looks.
 */
export class WorkerSamples extends Context.Tag("WorkerSamples")<
  WorkerSamples,
  {
    /** Of the worker whose leader has this pid; undefined until it has been looked at. */
    readonly of: (pid: number) => LifeMemory | undefined
    /** All that a look has shown, by the leaders' pids. It takes the place of the look before. */
    readonly put: (samples: ReadonlyMap<number, LifeMemory>) => void
  }
>() {}

/** Empty until somebody has looked. */
export const layer: Layer.Layer<WorkerSamples> = Layer.sync(WorkerSamples, () => {
  let samples: ReadonlyMap<number, LifeMemory> = new Map()
  return {
    of: (pid) => samples.get(pid),
    put: (found) => {
      samples = found
    }
  }
})
