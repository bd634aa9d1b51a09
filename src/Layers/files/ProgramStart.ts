import { type ChildProcess, type ChildProcessByStdio, type SpawnOptions, spawn } from "node:child_process"
import type { Readable, Writable } from "node:stream"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { errorCode, messageOf } from "./SystemError.ts"

type PipedProcess = ChildProcessByStdio<Writable | null, Readable, Readable>

/** The system did not start a program. Nothing of it has run. */
export class ProgramNotStarted extends Data.TaggedError("ProgramNotStarted")<{
  /** The system's code, as `EAGAIN`, or Node's; undefined when there is none. */
  readonly code: string | undefined
  /** A clause without its full stop: the cause, and the fix where there is one. */
  readonly reason: string
}> {
  override get message() {
    return this.reason
  }
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

const notStarted = (cause: unknown): ProgramNotStarted => {
  const code = errorCode(cause)
  return new ProgramNotStarted({ code, reason: reasons[code ?? ""] ?? messageOf(cause) })
}

/** Node throws some refusals, such as ENOMEM and E2BIG, and reports others as an event. */
const started = <Child extends ChildProcess>(
  start: () => Child,
  attach: (child: Child) => void
): Effect.Effect<Child, ProgramNotStarted> =>
  Effect.async<Child, ProgramNotStarted>((resume) => {
    try {
      const child = start()
      child.once("error", (cause) => resume(notStarted(cause)))
      // Without a pid there may be no pipes either.
      if (child.pid === undefined) return
      child.once("spawn", () => resume(Effect.succeed(child)))
      attach(child)
    } catch (cause) {
      if (errorCode(cause) === undefined) throw cause
      resume(notStarted(cause))
    }
  }).pipe(Effect.uninterruptible)

/** Starts a program. `attach` adds its listeners in the turn of the start, before any event of the process. */
export const startProgram = (
  command: string,
  args: ReadonlyArray<string>,
  options: SpawnOptions,
  attach: (child: ChildProcess) => void
): Effect.Effect<ChildProcess, ProgramNotStarted> => started(() => spawn(command, args, options), attach)

/** Starts a program whose output is read. Its input is empty, or a pipe. */
export const startPiped = (
  command: string,
  args: ReadonlyArray<string>,
  options: Omit<SpawnOptions, "stdio">,
  attach: (child: PipedProcess) => void,
  input: "ignore" | "pipe" = "ignore"
): Effect.Effect<PipedProcess, ProgramNotStarted> =>
  started<PipedProcess>(
    () =>
      input === "pipe"
        ? spawn(command, args, { ...options, stdio: ["pipe", "pipe", "pipe"] })
        : spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] }),
    attach
  )
