import type { Readable } from "node:stream"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import { nulIn, tooLarge } from "../../Domain/tree/StartLimits.ts"
import { starterName } from "../../Domain/tree/StartRefusal.ts"
import type { WorkerExit } from "../../Domain/tree/WorkerExit.ts"
import { type ProgramNotStarted, startPiped } from "../files/ProgramStart.ts"
import { ProcFs } from "../machine/ProcFs.ts"
import { CannotStart, checkExecutable } from "./Executable.ts"

/** A worker to start. */
export interface WorkerSpec {
  readonly argv: readonly [command: string, ...args: ReadonlyArray<string>]
  readonly cwd: string
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  /** The `cgroup.procs` of its cgroup, which it enters before anything else. */
  readonly entrance?: string | undefined
}

/** A started worker. */
interface RunningWorker {
  readonly pid: number
  readonly stdout: Readable
  readonly stderr: Readable
  /** Completes when the leader exits. Other processes of the tree may still be alive. */
  readonly exit: Effect.Effect<{ readonly exit: WorkerExit; readonly uptimeMs: number }>
}

/** Starts workers, each as the leader of its own session and process group. */
export class WorkerProcess extends Context.Tag("WorkerProcess")<
  WorkerProcess,
  { readonly start: (spec: WorkerSpec) => Effect.Effect<RunningWorker, CannotStart> }
>() {}

/**
 * Prepares the process of a worker in sh: it enters its cgroup before it can fork; it restores the soft limit of open
 * files, which Node raises for itself, because programs with select(2) break above 1024; and it raises its OOM score, so
 * that the kernel kills the worker and not the daemon. Errors are ignored: none of this is worth a failed start.
 */
const startLine = [
  '[ -z "$2" ] || { echo $$ >"$2"; } 2>/dev/null',
  '[ -z "$1" ] || ulimit -S -n "$1" 2>/dev/null',
  "{ read -r own && echo $((own > 700 ? 1000 : own + 300)) >/proc/self/oom_score_adj; } </proc/self/oom_score_adj 2>/dev/null",
  'shift 2; exec "$@"'
].join("\n")

/** What the system said, with the argument or variable that it does not take. */
const because = ({ code, reason }: ProgramNotStarted, { argv, env }: WorkerSpec): CannotStart => {
  const said = code === "E2BIG" ? tooLarge(argv, env) : (nulIn(argv, env) ?? reason)
  return new CannotStart({ reason: `the system refused to start it: ${said}` })
}

const launch = Effect.fnUntraced(function* (spec: WorkerSpec, openFilesSoftLimit: string) {
  const exit = yield* Deferred.make<{ readonly exit: WorkerExit; readonly atNanos: bigint }>()
  const clock = yield* Effect.clock
  const child = yield* startPiped(
    "/bin/sh",
    ["-c", startLine, starterName, openFilesSoftLimit, spec.entrance ?? "", ...spec.argv],
    { cwd: spec.cwd, env: spec.env, detached: true },
    (started) =>
      started.once("exit", (code, signal) =>
        Deferred.unsafeDone(
          exit,
          Exit.succeed({ exit: { code, signal }, atNanos: clock.unsafeCurrentTimeNanos() })
        )
      )
  ).pipe(Effect.mapError((error) => because(error, spec)))
  return { child, exit }
})

const make = Effect.gen(function* () {
  const proc = yield* ProcFs
  // The launcher records the limit before Node raises it. Without a launcher the parent's is the best guess.
  const limitOfParent = Effect.orElseSucceed(
    Effect.try(() => proc.reader.openFilesLimit(process.ppid)),
    () => undefined
  )
  const openFilesSoftLimit = process.env["AUTOPILOTD_NOFILE_SOFT"] ?? (yield* limitOfParent) ?? ""
  return WorkerProcess.of({
    start: Effect.fnUntraced(function* (spec: WorkerSpec) {
      yield* checkExecutable(spec.argv[0], spec.cwd, spec.env["PATH"] ?? "")
      const { child, exit } = yield* launch(spec, openFilesSoftLimit)
      const startedNanos = yield* Clock.currentTimeNanos
      return {
        // A process that has spawned has a pid.
        pid: child.pid ?? 0,
        stdout: child.stdout,
        stderr: child.stderr,
        exit: Deferred.await(exit).pipe(
          Effect.map(({ exit, atNanos }) => ({ exit, uptimeMs: Number(atNanos - startedNanos) / 1e6 }))
        )
      }
    })
  })
})

export const layer: Layer.Layer<WorkerProcess, never, ProcFs> = Layer.effect(WorkerProcess, make)
