import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { Lines } from "../../Domain/output/Lines.ts"
import type { OutputStream } from "../../Domain/output/OutputTail.ts"
import type { ProjectName } from "../../Domain/Project.ts"

/** Receives whole lines as stored. */
export type LineListener = (project: ProjectName, stream: OutputStream, lines: Lines) => void

/** The new lines of all workers for subscribers. Costs nothing without any. */
export class WorkerLines extends Context.Tag("WorkerLines")<
  WorkerLines,
  {
    readonly publish: LineListener
    /** Adds a listener. Returns the function that removes it. */
    readonly listen: (listener: LineListener) => () => void
  }
>() {}

export const layer: Layer.Layer<WorkerLines> = Layer.sync(WorkerLines, () => {
  const listeners = new Set<LineListener>()
  return {
    publish: (project, stream, lines) => {
      for (const listener of listeners) listener(project, stream, lines)
    },
    listen: (listener) => {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    }
  }
})
