import type { ChildProcess, ChildProcessByStdio, SpawnOptions } from "node:child_process"
import type { Readable, Writable } from "node:stream"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { spawnProgram } from "./ProgramSpawn.ts"

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

const started = <Child extends ChildProcess>(
  start: Parameters<typeof spawnProgram<Child>>[0],
  attach: (child: Child) => void
): Effect.Effect<Child, ProgramNotStarted> =>
  Effect.async<Child, ProgramNotStarted>((resume) =>
    spawnProgram(start, attach, (outcome) =>
      resume(
        "_tag" in outcome
          ? new ProgramNotStarted({ code: outcome.code, reason: outcome.reason })
          : Effect.succeed(outcome)
      )
    )
  ).pipe(Effect.uninterruptible)

/** Starts a program. `attach` adds its listeners in the turn of the start, before any event of the process. */
export const startProgram = (
  command: string,
  args: ReadonlyArray<string>,
  options: SpawnOptions,
  attach: (child: ChildProcess) => void
): Effect.Effect<ChildProcess, ProgramNotStarted> => started((spawn) => spawn(command, args, options), attach)

/** Starts a program whose output is read. Its input is empty, or a pipe. */
export const startPiped = (
  command: string,
  args: ReadonlyArray<string>,
  options: Omit<SpawnOptions, "stdio">,
  attach: (child: PipedProcess) => void,
  input: "ignore" | "pipe" = "ignore"
): Effect.Effect<PipedProcess, ProgramNotStarted> =>
  started<PipedProcess>(
    (spawn) =>
      input === "pipe"
        ? spawn(command, args, { ...options, stdio: ["pipe", "pipe", "pipe"] })
        : spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] }),
    attach
  )
