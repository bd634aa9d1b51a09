import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { Lines } from "../../Domain/output/Lines.ts"
import type { OutputStream } from "../../Domain/output/OutputTail.ts"
import type { ProjectName } from "../../Domain/Project.ts"

/** Is told whole lines, as they are stored, at once. */
export type LineListener = (project: ProjectName, stream: OutputStream, lines: Lines) => void

/** The lines of all workers, for those who want them as they come. They cost nothing while nobody does. */
export class WorkerLines extends Context.Tag("WorkerLines")<
  WorkerLines,
  {
    readonly publish: LineListener
    /** Tells the listener from now on, until what is returned is called. */
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
