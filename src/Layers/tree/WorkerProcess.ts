import type { Readable, Writable } from "node:stream"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Layer from "effect/Layer"
import { nulIn, tooLarge, tooManyFiles } from "../../Domain/tree/StartLimits.ts"
import { starterName } from "../../Domain/tree/StartRefusal.ts"
import type { WorkerExit } from "../../Domain/tree/WorkerExit.ts"
import { patientRace } from "../concurrency/PatientRace.ts"
import { umaskVariable } from "../daemon/FileModes.ts"
import type { FileStamps } from "../files/FileStamps.ts"
import { openFilesLimit } from "../files/OpenFilesLimit.ts"
import { type ProgramNotStarted, startPiped } from "../files/ProgramStart.ts"
import { ProcFs } from "../machine/ProcFs.ts"
import { holdOutput } from "../output/HeldOutput.ts"
import { CannotStart, checkExecutable } from "./Executable.ts"
import type { LeaderTrace } from "./SavedTraces.ts"

/** A worker to start. */
export interface WorkerSpec {
  readonly project: string
  readonly argv: readonly [command: string, ...args: ReadonlyArray<string>]
  readonly cwd: string
  /** The whole environment: nothing is inherited. */
  readonly env: Readonly<Record<string, string>>
  /** The `cgroup.procs` of its cgroup, which it enters before anything else. */
  readonly entrance?: string | undefined
  /** Where it writes who it is, before the agent can run. */
  readonly trace?: LeaderTrace | undefined
  /** What its program and folder look like just now: see `checkExecutable`. */
  readonly stamps?: FileStamps
  /** Whether the worker gets a pipe as standard input; otherwise it gets /dev/null. */
  readonly isFed?: boolean
}

/** A started worker. */
interface RunningWorker {
  readonly pid: number
  /** Held, as `HeldOutput` says, until its reader releases it. */
  readonly stdout: Readable
  readonly stderr: Readable
  /** Undefined for a worker that reads nothing. */
  readonly stdin?: Writable | undefined
  /** Completes when the leader exits. Other processes of the tree may still be alive. */
  readonly exit: Effect.Effect<{ readonly exit: WorkerExit; readonly uptimeMs: number }>
}

/** Starts workers, each as the leader of its own session and process group. */
export class WorkerProcess extends Context.Tag("WorkerProcess")<
  WorkerProcess,
  { readonly start: (spec: WorkerSpec) => Effect.Effect<RunningWorker, CannotStart> }
>() {}

/** The beginning of the shell's own variables: the worker may have one of any other name. */
const own = "__autopilotd_"

/**
 * Prepares the process of a worker in sh: it writes its pid and its start time (field 22 of stat), without waiting for a
 * reader where the file is a pipe; it enters its cgroup before it can fork; it restores the soft limit of open
 * files, which Node raises for itself, because programs with select(2) break above 1024, and the umask; and it raises its
 * OOM score, so that the kernel kills the worker and not the daemon. Errors are ignored: none of this is worth a failed
 * start. It also enters the working directory, because the daemon waits for a process that Node starts until that has
 * entered its own.
 */
const startLine = [
  `[ -z "$3" ] || { read -r ${own}pid${` ${own}`.repeat(20)} ${own}start ${own} </proc/self/stat && echo "$4$${own}pid,\\"startTicks\\":$${own}start}]}" 1<>"$3"; } 2>/dev/null`,
  '[ -z "$2" ] || { echo $$ >"$2"; } 2>/dev/null',
  '[ -z "$1" ] || ulimit -S -n "$1" 2>/dev/null',
  'cd -- "$5" 2>/dev/null || { echo "$0: $5: cannot execute: the working directory cannot be entered"; exit 126; } >&2',
  // cd sets it, and the worker gets what it would have without this shell.
  'if [ -n "$6" ]; then OLDPWD=$6; else unset OLDPWD; fi',
  `{ read -r ${own} && echo $((${own} > 700 ? 1000 : ${own} + 300)) >/proc/self/oom_score_adj; } </proc/self/oom_score_adj 2>/dev/null`,
  `unset ${own} ${own}pid ${own}start`,
  '[ -z "$7" ] || umask "$7"',
  'shift 7; exec "$@"'
].join("\n")

/** The reason of the system, with the argument or variable that it refuses. */
const because = ({ code, reason }: ProgramNotStarted, { argv, env }: WorkerSpec): CannotStart => {
  const said = code === "E2BIG" ? tooLarge(argv, env) : (nulIn(argv, env) ?? reason)
  return new CannotStart({ reason: `the system refused to start it: ${said}` })
}

/** `onClosed` runs when the worker's streams are closed, but not for one that is not started. */
const launch = Effect.fnUntraced(function* (
  spec: WorkerSpec,
  openFilesSoftLimit: string,
  onClosed: () => void
) {
  const exit = Deferred.unsafeMake<{ readonly exit: WorkerExit; readonly atNanos: bigint }>(FiberId.none)
  const clock = yield* Effect.clock
  const child = yield* startPiped(
    "/bin/sh",
    [
      "-c",
      startLine,
      starterName,
      openFilesSoftLimit,
      spec.entrance ?? "",
      spec.trace?.file ?? "",
      spec.trace?.before ?? "",
      spec.cwd,
      spec.env["OLDPWD"] ?? "",
      process.env[umaskVariable] ?? "",
      ...spec.argv
    ],
    // A shell asks the disk about PWD before anything else, and sets it when it enters a folder.
    { cwd: "/", env: { ...spec.env, PWD: "/" }, detached: true },
    (started) => {
      started.once("exit", (code, signal) =>
        Deferred.unsafeDone(
          exit,
          Exit.succeed({ exit: { code, signal }, atNanos: clock.unsafeCurrentTimeNanos() })
        )
      )
      started.once("close", onClosed)
      holdOutput(started.stdout)
      holdOutput(started.stderr)
    },
    spec.isFed === true ? "pipe" : "ignore"
  ).pipe(Effect.mapError((error) => because(error, spec)))
  return { child, exit }
})

/** Limits the time from the start of a process to the worker's program: a disk may have stopped answering. */
const startLimit = Duration.seconds(30)

/** SIGKILL has to reach one shell only. The next start kills one that hangs in the kernel, as a leftover. */
const killLimit = Duration.seconds(1)

const hung = ({ argv: [command], cwd }: WorkerSpec): CannotStart =>
  new CannotStart({
    reason: `its start hung for ${Duration.format(startLimit)}: the disk of ${cwd}, or of ${command}, does not answer. Check that disk, or unmount it`
  })

const make = Effect.gen(function* () {
  const proc = yield* ProcFs
  // The launcher records the limit before Node raises it. Without a launcher the parent's is the best guess.
  const limitOfParent = Effect.orElseSucceed(
    Effect.try(() => proc.reader.openFilesLimit(process.ppid)),
    () => undefined
  )
  const openFilesSoftLimit = process.env["AUTOPILOTD_NOFILE_SOFT"] ?? (yield* limitOfParent) ?? ""

  const isShell = (pid: number): boolean => {
    try {
      return proc.reader.argv(pid)?.[2] === startLine
    } catch {
      // An unreadable /proc is no reason to kill a worker.
      return false
    }
  }

  /** Returns whether the shell has become the worker's program, or has exited, within the limit. */
  const executed = Effect.fnUntraced(function* (pid: number) {
    const untilNanos = (yield* Clock.currentTimeNanos) + Duration.unsafeToNanos(startLimit)
    // A shell that has just begun is one for a millisecond at least.
    for (let waitMs = 1; ; waitMs = Math.min(waitMs * 2, 100)) {
      yield* Effect.sleep(waitMs)
      if (!isShell(pid)) return true
      if ((yield* Clock.currentTimeNanos) > untilNanos) return false
    }
  })

  /** The workers whose streams are open. */
  let running = 0

  return WorkerProcess.of({
    start: Effect.fnUntraced(function* (spec: WorkerSpec) {
      // A disk may keep the checks and the shell waiting, and a stop does not wait for them.
      yield* Effect.interruptible(
        checkExecutable(spec.argv[0], spec.cwd, spec.env["PATH"] ?? "", spec.project, spec.stamps)
      )
      const refusal = tooManyFiles(openFilesLimit(), running)
      if (refusal !== undefined) return yield* new CannotStart({ reason: refusal })
      running++
      const isClosed = () => void running--
      const { child, exit } = yield* Effect.tapError(launch(spec, openFilesSoftLimit, isClosed), () =>
        Effect.sync(isClosed)
      )
      const startedNanos = yield* Clock.currentTimeNanos
      const inTime = Effect.filterOrFail(
        executed(child.pid ?? 0),
        (isInTime) => isInTime,
        () => hung(spec)
      )
      const waited = yield* Effect.exit(Effect.interruptible(inTime))
      // A shell has no children. Once it is the worker it may have some: then it has started, and a stop ends its whole tree.
      if (Exit.isFailure(waited) && isShell(child.pid ?? 0)) {
        child.kill("SIGKILL")
        child.stdout.destroy()
        child.stderr.destroy()
        yield* patientRace([Deferred.await(exit), Effect.sleep(killLimit)])
        return yield* Exit.failCause(waited.cause)
      }
      return {
        // A process that has spawned has a pid.
        pid: child.pid ?? 0,
        stdin: child.stdin ?? undefined,
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
