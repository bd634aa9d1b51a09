import { spawn } from "node:child_process"
import * as net from "node:net"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { errorCode } from "./SystemError.ts"

/**
 * What came of reaching for a lock that the kernel holds and drops with the process, however that dies: it is ours,
 * another's, or there is no such lock here.
 */
type LockAttempt = "held" | "taken" | "unavailable"

/**
 * flock(2) belongs to the open file description, which a child shares by inheriting the descriptor: the lock that
 * flock(1) takes stays ours when it exits, until the descriptor is closed.
 * https://man7.org/linux/man-pages/man2/flock.2.html
 * Its options are the short ones because busybox has no others.
 */
export const flock = (descriptor: number): Effect.Effect<LockAttempt> =>
  Effect.async<LockAttempt>((resume) => {
    const child = spawn("flock", ["-n", "-x", "3"], {
      stdio: ["ignore", "ignore", "ignore", descriptor]
    })
    child.once("error", () => resume(Effect.succeed("unavailable")))
    child.once("exit", (code) =>
      resume(Effect.succeed(code === 0 ? "held" : code === 1 ? "taken" : "unavailable"))
    )
  })

/** Waits until the lock is ours. An interruption gives up the waiting; closing the descriptor then gives up the rest. */
export const awaitFlock = (descriptor: number): Effect.Effect<Exclude<LockAttempt, "taken">> =>
  Effect.async((resume) => {
    const child = spawn("flock", ["-x", "3"], { stdio: ["ignore", "ignore", "ignore", descriptor] })
    child.once("error", () => resume(Effect.succeed("unavailable")))
    child.once("exit", (code) => resume(Effect.succeed(code === 0 ? "held" : "unavailable")))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/**
 * A name in the kernel's abstract socket namespace, bound by one process at a time and gone with it: the lock where
 * flock(1) is missing. It is second choice because all users of a network namespace share these names.
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
