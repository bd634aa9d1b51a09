import * as net from "node:net"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { type ProgramNotStarted, startProgram } from "./ProgramStart.ts"
import { errorCode } from "./SystemError.ts"

/** This process holds the lock, another one does, or there is no such lock on this machine. */
type LockAttempt = "held" | "taken" | "unavailable"

const refusalPatience = Schedule.spaced("100 millis").pipe(Schedule.upTo("2 seconds"))

/**
 * Runs flock(1) on a descriptor. flock(2) belongs to the open file description, which a child shares by inheriting the
 * descriptor, so the lock outlives flock(1): the kernel drops it when the descriptor is closed or this process dies.
 * https://man7.org/linux/man-pages/man2/flock.2.html
 * busybox has the short options only.
 */
const runFlock = (descriptor: number, ...options: ReadonlyArray<string>): Effect.Effect<LockAttempt> =>
  Effect.gen(function* (): Effect.fn.Return<LockAttempt, ProgramNotStarted> {
    const exited = yield* Deferred.make<number | null>()
    const code = yield* Effect.acquireUseRelease(
      startProgram(
        "flock",
        [...options, "3"],
        { stdio: ["ignore", "ignore", "ignore", descriptor] },
        (child) => child.once("exit", (code) => Deferred.unsafeDone(exited, Exit.succeed(code)))
      ),
      () => Deferred.await(exited),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    return code === 0 ? "held" : code === 1 ? "taken" : "unavailable"
  }).pipe(
    // Any other refusal passes: the machine is short of processes or memory.
    Effect.retry({ while: ({ code }) => code !== "ENOENT", schedule: refusalPatience }),
    Effect.orElseSucceed((): LockAttempt => "unavailable")
  )

/** Takes the exclusive lock of a file or folder if it is free. */
export const tryFlock = (descriptor: number): Effect.Effect<LockAttempt> => runFlock(descriptor, "-n", "-x")

/** Waits for the exclusive lock of a file or folder, until interrupted. */
export const awaitFlock = (descriptor: number): Effect.Effect<LockAttempt> => runFlock(descriptor, "-x")

/**
 * Binds a name in the kernel's abstract socket namespace, which one process has at a time: the lock where flock(1) is
 * missing. It is second choice because all users of a network namespace share these names.
 */
export const bindName = (name: string): Effect.Effect<LockAttempt, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.async<net.Server | Exclude<LockAttempt, "held">>((resume) => {
      const server = net.createServer((socket) => socket.destroy())
      server.once("error", (cause) =>
        resume(Effect.succeed(errorCode(cause) === "EADDRINUSE" ? "taken" : "unavailable"))
      )
      server.listen({ path: `\0${name}` }, () => resume(Effect.succeed(server)))
    }),
    (server) =>
      typeof server === "string"
        ? Effect.void
        : Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
  ).pipe(Effect.map((server) => (typeof server === "string" ? server : "held")))
