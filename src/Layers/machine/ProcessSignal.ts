import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { isStill, type ProcessIdentity } from "../../Domain/machine/ProcessEntry.ts"
import { errorCode } from "../files/SystemError.ts"
import { ProcFs, ProcUnreadable } from "./ProcFs.ts"

/** The signals that end a process, and the one that makes a stopped process handle them. */
export type EndSignal = "SIGTERM" | "SIGCONT" | "SIGKILL"

/**
 * `gone`: the process has exited, so nothing was signalled. `refused`: the system forbids it, for example because the
 * process has changed its user.
 */
type Sent = "sent" | "gone" | "refused"

/**
 * The only sender of signals to worker processes and memory hogs. It signals a pid only while its start time matches,
 * and checks and sends in one event-loop turn.
 */
export class ProcessSignal extends Context.Tag("ProcessSignal")<
  ProcessSignal,
  {
    /** Sends the signals in order. */
    readonly send: (
      to: ProcessIdentity,
      ...signals: ReadonlyArray<EndSignal>
    ) => Effect.Effect<Sent, ProcUnreadable>
    /** Sends SIGKILL to a process group while `member` is alive: no fork can outrun it. */
    readonly killGroup: (group: number, member: ProcessIdentity) => Effect.Effect<Sent, ProcUnreadable>
    /** Whether that very process is alive. */
    readonly isThere: (process: ProcessIdentity) => Effect.Effect<boolean, ProcUnreadable>
  }
>() {}

const make = (kill: (pid: number, signal: NodeJS.Signals) => void) =>
  Effect.map(ProcFs, ({ reader }) => {
    /** Runs `act` in the turn in which /proc shows the process alive. */
    const whileThere = <A>(process: ProcessIdentity, act: () => A, otherwise: A) =>
      Effect.suspend(() => {
        let isThere: boolean
        try {
          isThere = isStill(process, reader.entry(process.pid))
        } catch (cause) {
          return new ProcUnreadable({ reason: String(cause) })
        }
        return Effect.succeed(isThere ? act() : otherwise)
      })

    const deliver = (target: number, signals: ReadonlyArray<NodeJS.Signals>): Sent => {
      let sent = 0
      try {
        for (const signal of signals) {
          kill(target, signal)
          sent++
        }
        return "sent"
      } catch (cause) {
        const code = errorCode(cause)
        // The process has died of the first signal before the second: the daemon did that and must report it.
        if (sent > 0 && (code === "ESRCH" || code === "EPERM")) return "sent"
        if (code === "ESRCH") return "gone"
        if (code === "EPERM") return "refused"
        throw cause
      }
    }

    return ProcessSignal.of({
      send: (to, ...signals) => whileThere(to, () => deliver(to.pid, signals), "gone"),
      killGroup: (group, member) => whileThere(member, () => deliver(-group, ["SIGKILL"]), "gone"),
      isThere: (process) => whileThere(process, () => true, false)
    })
  })

/** With another kill(2), for tests. */
export const layerWith = (
  kill: (pid: number, signal: NodeJS.Signals) => void
): Layer.Layer<ProcessSignal, never, ProcFs> => Layer.effect(ProcessSignal, make(kill))

export const layer: Layer.Layer<ProcessSignal, never, ProcFs> = layerWith(
  (pid, signal) => void process.kill(pid, signal)
)
