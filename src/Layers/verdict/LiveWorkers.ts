import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { AgentSeen } from "../../Domain/agent/AgentSeen.ts"
import type { RunMemory } from "../../Domain/tree/WorkerMemory.ts"
import { type Listen, makeListeners } from "../concurrency/Listeners.ts"

/** The output of a running worker, as read so far. */
export interface WorkerOutput {
  /** Time of the last output on the monotonic clock; the start of the worker before its first output. */
  readonly lastOutputNanos: () => bigint
  /** The state of the agent, from the worker's standard output. */
  readonly agent: () => AgentSeen
  /** Tells when the state of the agent has changed. */
  readonly onAgent: Listen<[]>
  /** The line without an end after which it has been quiet for a second, such as a question. */
  readonly unfinished: () => string | undefined
}

/** The observations of a running worker that several subjects share. */
interface LiveWorker {
  readonly output: WorkerOutput
  /** The latest sample of the process tree; undefined until the first one. */
  memory: RunMemory | undefined
}

/**
 * The running workers by the pids of their leaders. The run of a worker registers it, the memory guard adds samples,
 * and the stall detector and the recognition of out-of-memory kills read both.
 */
export class LiveWorkers extends Context.Tag("LiveWorkers")<
  LiveWorkers,
  {
    /** Undefined when no worker with this pid runs. */
    readonly of: (pid: number) => Readonly<LiveWorker> | undefined
    readonly add: (pid: number, output: WorkerOutput) => void
    readonly remove: (pid: number) => void
    /** Replaces the sample of a worker. Ignores a worker that has stopped. */
    readonly sampled: (pid: number, memory: RunMemory) => void
    /** Tells when the agent of any running worker has changed. */
    readonly onAgent: Listen<[]>
  }
>() {}

export const layer: Layer.Layer<LiveWorkers> = Layer.sync(LiveWorkers, () => {
  const workers = new Map<number, LiveWorker>()
  const agents = makeListeners<[]>()
  return {
    of: (pid) => workers.get(pid),
    add: (pid, output) => {
      workers.set(pid, { output, memory: undefined })
      output.onAgent(agents.tell)
    },
    remove: (pid) => void workers.delete(pid),
    sampled: (pid, memory) => {
      const worker = workers.get(pid)
      if (worker !== undefined) worker.memory = memory
    },
    onAgent: agents.listen
  }
})
