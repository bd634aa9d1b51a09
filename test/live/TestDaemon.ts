import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import { createConnection } from "node:net"
import { availableParallelism, loadavg, tmpdir } from "node:os"
import { join, resolve } from "node:path"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import type * as Scope from "effect/Scope"
import type { StatusReply } from "../../src/Domain/status/StatusData.ts"
import { type CommandRan, commandHere, runsHere } from "../fixtures/CommandHere.ts"
import { keep } from "./Keeper.ts"

/** The launcher of this checkout, which runs the bundle: what a user runs. */
export const launcher = resolve(import.meta.dirname, "../../bin/autopilotd")

/** A fixture worker: `fixture("ignores-term.sh")`. */
export const fixture = (name: string): string => resolve(import.meta.dirname, "../fixtures/workers", name)

export interface Answer {
  readonly success: boolean
  readonly message: string
  readonly data?: StatusReply
}

/**
 * Limits one wait to 40 seconds on an idle machine, so that a test that hangs ends with the name of what it waits for. A
 * busy machine multiplies it by its load per core, or by `AUTOPILOTD_TEST_PATIENCE` where that is set.
 */
export const patience = (): Duration.Duration => {
  const load = (loadavg()[0] ?? 0) / availableParallelism()
  const factor = Number(process.env["AUTOPILOTD_TEST_PATIENCE"] ?? Math.min(Math.max(1, load), 20))
  return Duration.seconds(40 * factor)
}

/** A wait is over and its condition does not hold. `cause` is what the last check returned. */
class NeverCameAbout extends Data.TaggedError("NeverCameAbout")<{
  readonly what: string
  readonly cause: unknown
}> {
  override get message(): string {
    return `never came about: ${this.what}`
  }
}

const orUndefined = <A>(found: A | false): A | undefined => (found === false ? undefined : found)

/**
 * Waits until a look finds something; a function may also return false for nothing yet. Between two looks it pauses for as
 * long as a look takes, and for an eighth of the time waited so far, up to a quarter second: a look costs the daemon under
 * test as much as the test.
 */
export const eventually = <A, R = never>(
  what: string,
  find: Effect.Effect<A | undefined, unknown, R> | (() => A | false | undefined)
): Effect.Effect<A, never, R> =>
  Effect.suspend(() => {
    const look = Effect.isEffect(find) ? find : Effect.sync(() => orUndefined(find()))
    const begunMs = Date.now()
    let last: unknown
    const poll: Effect.Effect<A, never, R> = Effect.flatMap(
      Effect.timed(Effect.either(look)),
      ([took, found]) => {
        if (Either.isRight(found) && found.right !== undefined) return Effect.succeed(found.right)
        last = Either.getOrElse(found, identity)
        const pause = Duration.millis(Math.min(25 + (Date.now() - begunMs) / 8, 250))
        return Effect.delay(
          Effect.suspend(() => poll),
          Duration.max(pause, took)
        )
      }
    )
    return Effect.timeoutFail(poll, {
      duration: patience(),
      onTimeout: () => new NeverCameAbout({ what, cause: last })
    })
  }).pipe(Effect.orDie)

/** All living processes, zombies left out, whose environment has an entry with this beginning. */
export const processesWith = (entry: string): ReadonlyArray<number> =>
  fs
    .readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .filter((pid) => {
      try {
        const isMarked = `\0${fs.readFileSync(`/proc/${pid}/environ`, "latin1")}`.includes(`\0${entry}`)
        return isMarked && !/\) [ZX] /.test(fs.readFileSync(`/proc/${pid}/stat`, "latin1"))
      } catch {
        return false
      }
    })
    .map(Number)

/** The living processes of workers that a home's daemon has started, wherever they have gone. */
export const workersOf = (home: string): ReadonlyArray<number> => {
  const idFile = join(home, "id")
  return fs.existsSync(idFile)
    ? processesWith(`AUTOPILOT_WORKER_ID=${fs.readFileSync(idFile, "utf8").trim()}:`)
    : []
}

/** Kills a process that this test has started, or its child; one that has exited by itself is fine. */
export const killForSure = (pid: number): void => {
  // Zero is the process group of the caller: this very test.
  if (pid === 0) return
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    // It exited by itself meanwhile.
  }
}

/** The session of a process; undefined when it is gone. */
const sessionOf = (pid: number): number | undefined => {
  try {
    const stat = fs.readFileSync(`/proc/${pid}/stat`, "latin1")
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3])
  } catch {
    return undefined
  }
}

/** All in the sessions of these, also who has cleared its environment. Never those of this test's own session. */
const inSessionsOf = (pids: ReadonlyArray<number>): ReadonlyArray<number> => {
  const own = sessionOf(process.pid)
  const sessions = new Set(pids.map(sessionOf).filter((session) => session !== own))
  return fs
    .readdirSync("/proc")
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => sessions.has(sessionOf(pid) ?? -1))
}

/** A folder of its own for a daemon, short enough for a socket below it. At the end all that ran for it is killed. */
export const temporaryHome: Effect.Effect<string, never, Scope.Scope> = Effect.acquireRelease(
  Effect.sync(() => {
    const home = fs.mkdtempSync(join(tmpdir(), "apd-"))
    keep(home)
    return home
  }),
  (home) =>
    Effect.sync(() => {
      // Daemons first, in the background too, for they would start their workers again.
      const left = processesWith(`AUTOPILOT_HOME=${home}`)
      const known = workersOf(home)
      const workers = inSessionsOf(known)
      for (const pid of [...left.filter((pid) => !known.includes(pid)), ...left]) killForSure(pid)
      for (const pid of [...workers, ...workersOf(home)]) killForSure(pid)
      fs.rmSync(home, { recursive: true, force: true, maxRetries: 3 })
    })
)

export const isAlive = (pid: number): boolean => {
  try {
    return !/\) [ZX] /.test(fs.readFileSync(`/proc/${pid}/stat`, "latin1"))
  } catch {
    return false
  }
}

/** The daemon could not be asked, or what came back is no answer. */
export class NoAnswer extends Data.TaggedError("NoAnswer")<{ readonly cause: unknown }> {}

/** One request as the original's client sends it: no newline, no half-close. Returns the answer's text. */
export const exchange = (home: string, request: unknown): Effect.Effect<string, NoAnswer> =>
  Effect.async<string, NoAnswer>((resume) => {
    const socket = createConnection({ path: join(home, "autopilotd.sock") })
    let text = ""
    socket.setTimeout(Duration.toMillis(patience()), () => socket.destroy(new Error("no answer")))
    socket.on("connect", () => socket.write(JSON.stringify(request)))
    socket.on("data", (chunk) => (text += chunk.toString("utf8")))
    socket.on("error", (cause) => resume(new NoAnswer({ cause })))
    socket.on("end", () => resume(Effect.succeed(text)))
    return Effect.sync(() => socket.destroy())
  })

/** The same, for an answer about a worker. */
export const ask = (home: string, request: unknown): Effect.Effect<Answer, NoAnswer> =>
  Effect.flatMap(exchange(home, request), (text) =>
    Effect.try({ try: (): Answer => JSON.parse(text), catch: (cause) => new NoAnswer({ cause }) })
  )

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
}

export interface Run {
  readonly child: ChildProcess
  readonly pid: number
  readonly stdout: () => string
  readonly stderr: () => string
  /** Returns when it has ended and all its output was read. */
  readonly ended: Effect.Effect<Ended>
}

export interface RunOptions {
  readonly home: string
  readonly args: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Another program than the launcher, which then gets `args`. */
  readonly command?: string
}

/** The wishes of the one who runs the tests are not those of a user in a test. */
const noColourWishes = { NO_COLOR: undefined, FORCE_COLOR: undefined, CLICOLOR_FORCE: undefined }

/** Runs a command line of autopilotd; at the end of the scope it is killed, if it still runs. */
export const run = (options: RunOptions): Effect.Effect<Run, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync((): Run => {
      const child = spawn(options.command ?? launcher, [...options.args], {
        cwd: options.cwd ?? options.home,
        env: { ...process.env, AUTOPILOT_HOME: options.home, ...noColourWishes, ...options.env },
        stdio: ["ignore", "pipe", "pipe"]
      })
      let stdout = ""
      let stderr = ""
      child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")))
      child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")))
      const closed = new Promise<Ended>((done) =>
        child.once("close", (code, signal) => done({ code, signal }))
      )
      return {
        child,
        pid: child.pid ?? 0,
        stdout: () => stdout,
        stderr: () => stderr,
        ended: Effect.promise(() => closed).pipe(
          Effect.timeoutFail({
            duration: patience(),
            onTimeout: () => new Error(`${options.args.join(" ")} has not ended. It said:\n${stderr}`)
          }),
          Effect.orDie
        )
      }
    }),
    ({ child }) =>
      Effect.sync(() => {
        if (child.exitCode === null && child.signalCode === null) child.kill("SIGKILL")
      })
  )

/** Runs a command to its end, in a process of its own, as a user does. */
export const ownProcess = (options: RunOptions): Effect.Effect<CommandRan> =>
  Effect.scoped(
    Effect.gen(function* () {
      const { ended, stderr, stdout } = yield* run(options)
      const { code, signal } = yield* ended
      return { code, signal, stdout: stdout(), stderr: stderr() }
    })
  )

/** Runs a command to its end: in this process, which starts none, unless the command or a test needs its own. */
export const command = (options: RunOptions): Effect.Effect<CommandRan> => {
  const { args, command: program, cwd, env, home } = options
  return program === undefined && cwd === undefined && env === undefined && runsHere(args)
    ? commandHere(home, args)
    : ownProcess(options)
}

export interface TestDaemon extends Run {
  readonly home: string
  readonly ask: (request: unknown) => Effect.Effect<Answer>
  /** The status, once it is as wanted. */
  readonly status: (what: string, isWanted: (data: StatusReply) => boolean) => Effect.Effect<StatusReply>
  /** Waits until the daemon's log has a match. */
  readonly logged: (pattern: RegExp) => Effect.Effect<string>
}

/** Prints the end of a daemon's log beside the failure of its test, which may not come again. */
const tellLog = (home: string): void => {
  const file = join(home, "logs/autopilotd.log")
  if (!fs.existsSync(file)) return
  const lines = fs.readFileSync(file, "utf8").trim().split("\n")
  // oxlint-disable-next-line no-console -- the reporter prints it beside the failure.
  console.error([`${file} ends with:`, ...lines.slice(-30).map((line) => line.slice(0, 500))].join("\n"))
}

/** `autopilotd start ... -- WORKER` in the foreground, once it answers. Without a worker the settings say what runs. */
export const startDaemon = Effect.fnUntraced(function* (options: {
  readonly home?: string
  readonly args?: ReadonlyArray<string>
  readonly worker?: ReadonlyArray<string>
  readonly settings?: string
  readonly env?: Readonly<Record<string, string | undefined>>
  /** A command that runs the rest of its line elsewhere, as somebody with another pid. */
  readonly entrance?: ReadonlyArray<string>
}) {
  const home = options.home ?? (yield* temporaryHome)
  yield* Effect.addFinalizer((exit) => Effect.sync(() => Exit.isFailure(exit) && tellLog(home)))
  if (options.settings !== undefined) fs.writeFileSync(join(home, "daemon.toml"), options.settings)
  const [program = launcher, ...programArgs] = [...(options.entrance ?? []), launcher]
  const started = yield* run({
    home,
    command: program,
    args: [
      ...programArgs,
      "start",
      ...(options.args ?? []),
      ...(options.worker === undefined ? [] : ["--", ...options.worker])
    ],
    ...(options.env === undefined ? {} : { env: options.env })
  })
  const daemon: TestDaemon = {
    ...started,
    home,
    ask: (request) => Effect.orDie(ask(home, request)),
    status: (what, isWanted) =>
      eventually(
        what,
        Effect.map(ask(home, { type: "Status" }), ({ data }) =>
          data !== undefined && isWanted(data) ? data : undefined
        )
      ),
    logged: (pattern) =>
      eventually(
        `${pattern} in the log`,
        Effect.sync(() => pattern.exec(started.stderr())?.at(0))
      )
  }
  yield* Effect.raceFirst(
    daemon.status(
      "the daemon answers",
      (data) => options.entrance !== undefined || data.daemon_pid === started.pid
    ),
    Effect.flatMap(started.ended, () => Effect.dieMessage(`it ended at once and said: ${started.stderr()}`))
  )
  return daemon
})
