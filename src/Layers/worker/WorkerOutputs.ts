import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { AgentSeen } from "../../Domain/agent/AgentSeen.ts"

/** What can be asked at any moment of what a worker has said so far. */
export interface WorkerOutput {
  /** When it has said anything last, on the monotonic clock; its start when it never has. */
  readonly lastOutputNanos: () => bigint
  /** What its standard output tells of an agent. */
  readonly agent: () => AgentSeen
}

/** What the workers that run say, for those who watch them. */
export class WorkerOutputs extends Context.Tag("WorkerOutputs")<
  WorkerOutputs,
  {
    /** Of the worker with this pid; undefined when none runs. */
    readonly of: (pid: number) => WorkerOutput | undefined
    readonly add: (pid: number, output: WorkerOutput) => void
    readonly remove: (pid: number) => void
  }
>() {}

export const layer: Layer.Layer<WorkerOutputs> = Layer.sync(WorkerOutputs, () => {
  const outputs = new Map<number, WorkerOutput>()
  return {
    of: (pid) => outputs.get(pid),
    add: (pid, output) => void outputs.set(pid, output),
    remove: (pid) => void outputs.delete(pid)
  }
})
