import { type ChildProcess, spawn } from "node:child_process"
import { errorCode, messageOf } from "./SystemError.ts"

/** Why the system did not start a program. Nothing of it has run. */
export interface NotSpawned {
  readonly _tag: "NotSpawned"
  /** The system's code, as `EAGAIN`, or Node's; undefined when there is none. */
  readonly code: string | undefined
  /** A clause without its full stop: the cause, and the fix where there is one. */
  readonly reason: string
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "it is not installed or not on PATH",
  EACCES: "permission denied",
  EAGAIN:
    "no further process is allowed: raise the limit of processes (ulimit -u, TasksMax= of the unit, the container's pids limit), or stop others",
  ENOMEM: "there is not enough memory for another process",
  EMFILE: "too many files are open: raise the limit (ulimit -n)",
  ENFILE: "too many files are open on this machine",
  E2BIG: "its arguments and its environment are too large for Linux: make them smaller",
  // Node's own message shows the value, which may be a secret.
  ERR_INVALID_ARG_VALUE: "an argument or a variable holds a NUL character, which ends it for Linux: remove it"
}

const notSpawned = (cause: unknown): NotSpawned => {
  const code = errorCode(cause)
  return { _tag: "NotSpawned", code, reason: reasons[code ?? ""] ?? messageOf(cause) }
}

/**
 * Starts a program, and calls `done` once, with the program or with why it did not start: Node throws some refusals, such
 * as ENOMEM and E2BIG, and reports others as an event. `attach` adds the listeners in the turn of the start, before any
 * event of the process. In plain callbacks, for a command that does not load Effect.
 */
export const spawnProgram = <Child extends ChildProcess>(
  start: (spawning: typeof spawn) => Child,
  attach: (child: Child) => void,
  done: (outcome: Child | NotSpawned) => void
): void => {
  try {
    const child = start(spawn)
    child.once("error", (cause) => done(notSpawned(cause)))
    // Without a pid there may be no pipes either.
    if (child.pid === undefined) return
    child.once("spawn", () => done(child))
    attach(child)
  } catch (cause) {
    if (errorCode(cause) === undefined) throw cause
    done(notSpawned(cause))
  }
}
