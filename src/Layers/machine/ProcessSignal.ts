import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isAlive } from "../../Domain/machine/ProcessFacts.ts"
import { scannedProcess } from "../../Domain/machine/ProcessStat.ts"
import { errorCode } from "../files/SystemError.ts"
import { makeProcReader } from "./ProcReader.ts"

/** A process for ever: its pid may be given to another one, but not with this start time. */
export interface ProcessIdentity {
  readonly pid: number
  readonly startTicks: number
}

/** Signals processes that are not of a worker that runs. Only the guard of the memory does. */
export class ProcessSignal extends Context.Tag("ProcessSignal")<
  ProcessSignal,
  {
    /**
     * Signals a process if it is still the one that is meant, which is looked at right before, in the same turn of the
     * event loop. `refused`: the system does not let us, as when it has become another user's.
     */
    readonly send: (
      to: ProcessIdentity,
      ...signals: ReadonlyArray<"SIGTERM" | "SIGCONT" | "SIGKILL">
    ) => Effect.Effect<"sent" | "gone" | "refused">
    /** Whether it lives and holds memory. */
    readonly isThere: (process: ProcessIdentity) => Effect.Effect<boolean>
  }
>() {}

const make = (root: string, kill: (pid: number, signal: NodeJS.Signals) => void) => {
  const reader = makeProcReader()

  const isThere = ({ pid, startTicks }: ProcessIdentity): boolean => {
    const length = reader.short(`${root}/${pid}/stat`)
    // The size of a page does not matter here.
    const now = length === undefined ? undefined : scannedProcess(reader.bytes, length, pid, 1)
    return now !== undefined && now.startTicks === startTicks && isAlive(now)
  }

  return ProcessSignal.of({
    send: (to, ...signals) =>
      Effect.sync(() => {
        if (!isThere(to)) return "gone"
        let sent = 0
        try {
          for (const signal of signals) {
            kill(to.pid, signal)
            sent++
          }
          return "sent"
        } catch (cause) {
          const code = errorCode(cause)
          // It has died of the first one before the next: that is our doing, and must be told.
          if (sent > 0 && (code === "ESRCH" || code === "EPERM")) return "sent"
          if (code === "ESRCH") return "gone"
          if (code === "EPERM") return "refused"
          throw cause
        }
      }),
    isThere: (process) => Effect.sync(() => isThere(process))
  })
}

/** Looks below another root and signals otherwise, as tests do. */
export const layerOf = (
  root: string,
  kill: (pid: number, signal: NodeJS.Signals) => void
): Layer.Layer<ProcessSignal> => Layer.sync(ProcessSignal, () => make(root, kill))

export const layer: Layer.Layer<ProcessSignal> = Layer.sync(ProcessSignal, () =>
  make("/proc", (pid, signal) => void process.kill(pid, signal))
)
