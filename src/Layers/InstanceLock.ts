import { spawn } from "node:child_process"
import { createHash } from "node:crypto"
import * as fs from "node:fs/promises"
import * as net from "node:net"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { AutopilotHome, homeId, HomeUnusable, prepare } from "./AutopilotHome.ts"

/** Another daemon of this home holds the lock. `pid` is undefined in the instant before it has written its file. */
export class AlreadyRunning extends Data.TaggedError("AlreadyRunning")<{
  readonly pid: number | undefined
  readonly root: string
}> {
  override get message() {
    return (
      `autopilotd is already running${this.pid === undefined ? "" : ` with pid ${this.pid}`} for ${this.root}. ` +
      "See `autopilotd status`; end it with `autopilotd stop`."
    )
  }
}

/**
 * Proof that this process is the one daemon of its home. The kernel holds the lock and drops it with the process,
 * however that dies, so nothing stale can block a start. The PID file is for people and for the original's tools.
 */
export class InstanceLock extends Context.Tag("InstanceLock")<InstanceLock, { readonly homeId: string }>() {}

type Attempt = "held" | "taken" | "no flock"

/**
 * flock(2) belongs to the open file description, which a helper shares by inheriting the descriptor: the lock that
 * flock(1) takes stays ours when it exits. https://man7.org/linux/man-pages/man2/flock.2.html
 */
const flock = (descriptor: number): Effect.Effect<Attempt> =>
  Effect.async<Attempt>((resume) => {
    const helper = spawn("flock", ["--nonblock", "--exclusive", "3"], {
      stdio: ["ignore", "ignore", "ignore", descriptor]
    })
    helper.once("error", () => resume(Effect.succeed("no flock")))
    helper.once("exit", (code) =>
      resume(Effect.succeed(code === 0 ? "held" : code === 1 ? "taken" : "no flock"))
    )
  })

/**
 * Where flock(1) is missing: a name in the kernel's abstract socket namespace, bound by one process at a time and
 * gone with it. It is second choice because it is shared by all users of a network namespace.
 */
const abstractName = (lockFile: string): Effect.Effect<Attempt, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<net.Server | undefined>((resume) => {
      const name = createHash("sha256").update(lockFile).digest("hex").slice(0, 32)
      const server = net.createServer((socket) => socket.destroy())
      server.once("error", () => resume(Effect.succeed(undefined)))
      server.listen({ path: `\0autopilotd-${name}` }, () => resume(Effect.succeed(server)))
    }),
    (server) =>
      server === undefined
        ? Effect.void
        : Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
  ).pipe(Effect.map((server) => (server === undefined ? "taken" : "held")))

const acquire = Effect.gen(function* () {
  const { lockFile } = yield* AutopilotHome
  const file = yield* Effect.acquireRelease(
    Effect.tryPromise({
      try: () => fs.open(lockFile, "a", 0o600),
      catch: (cause) => new HomeUnusable({ path: lockFile, reason: String(cause) })
    }),
    (file) => Effect.promise(() => file.close())
  )
  const attempt = yield* flock(file.fd)
  return attempt === "no flock" ? yield* abstractName(lockFile) : attempt
})

/** The pid in the PID file, or undefined when there is none: the file may be stale, empty, or anything. */
export const readPidFile = (path: string): Effect.Effect<number | undefined> =>
  Effect.promise(() => fs.readFile(path, "utf8").catch(() => "")).pipe(
    Effect.map((text) => (/^\s*[1-9][0-9]{0,9}\s*$/.test(text) ? Number(text) : undefined))
  )

/** The loser of a race reads before the winner has written: it looks again for a moment. */
const ownersPid = (pidFile: string) =>
  readPidFile(pidFile).pipe(
    Effect.filterOrFail((pid) => pid !== undefined && pid !== process.pid),
    Effect.retry(Schedule.spaced("20 millis").pipe(Schedule.upTo("400 millis"))),
    Effect.orElseSucceed(() => undefined)
  )

const writePidFile = (path: string) =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        await fs.writeFile(`${path}.new`, `${process.pid}`, { mode: 0o600 })
        await fs.rename(`${path}.new`, path)
      },
      catch: (cause) => new HomeUnusable({ path, reason: String(cause) })
    }),
    () =>
      readPidFile(path).pipe(
        Effect.flatMap((pid) =>
          pid === process.pid ? Effect.promise(() => fs.rm(path, { force: true })) : Effect.void
        ),
        Effect.ignoreLogged
      )
  )

export const layer: Layer.Layer<InstanceLock, AlreadyRunning | HomeUnusable, AutopilotHome> = Layer.scoped(
  InstanceLock,
  Effect.gen(function* () {
    const home = yield* AutopilotHome
    yield* prepare
    if ((yield* acquire) === "taken") {
      return yield* new AlreadyRunning({ pid: yield* ownersPid(home.pidFile), root: home.root })
    }
    yield* writePidFile(home.pidFile)
    return { homeId: yield* homeId }
  })
)
