import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { Lines } from "../../Domain/output/Lines.ts"
import type { OutputStream } from "../../Domain/output/OutputTail.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { type Listen, makeListeners } from "../concurrency/Listeners.ts"

/** Receives whole lines as stored. */
export type LineListener = (project: ProjectName, stream: OutputStream, lines: Lines) => void

/** The new lines of all workers for subscribers. Costs nothing without any. */
export class WorkerLines extends Context.Tag("WorkerLines")<
  WorkerLines,
  {
    readonly publish: LineListener
    readonly listen: Listen<Parameters<LineListener>>
  }
>() {}

export const layer: Layer.Layer<WorkerLines> = Layer.sync(WorkerLines, () => {
  const { listen, tell } = makeListeners<Parameters<LineListener>>()
  return { publish: tell, listen }
})
