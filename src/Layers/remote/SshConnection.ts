import { Duplex } from "node:stream"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Scope from "effect/Scope"
import type { RemoteHost } from "../../Domain/remote/HostUrl.ts"
import { type SshEnd, type SshFailure, sshNotStarted } from "../../Domain/remote/SshFailure.ts"
import { startPiped } from "../files/ProgramStart.ts"

/** The standard streams of a command on another machine. */
export interface SshConnection {
  /** Ending the writing side leaves the reading side open. */
  readonly stream: Duplex
  /** The end of ssh, with its last words, for `sshFailure`. */
  readonly ended: Effect.Effect<Pick<SshEnd, "code" | "stderr">>
}

const mostBytes = 8192
const graceMs = 2000
const lastWordsMs = 200

/**
 * Starts an ssh with the arguments of `sshStream`, and ends it with the scope: SIGTERM, and SIGKILL after two seconds. In a
 * session of its own, so that it can ask nobody and no Ctrl-C of a terminal reaches it.
 */
export const openSsh = (
  host: RemoteHost,
  argv: ReadonlyArray<string>
): Effect.Effect<SshConnection, SshFailure, Scope.Scope> =>
  Effect.gen(function* () {
    const ended = yield* Deferred.make<Pick<SshEnd, "code" | "stderr">>()
    let stderr = ""
    const child = yield* Effect.acquireRelease(
      startPiped(
        "ssh",
        argv,
        { detached: true },
        (started) => {
          started.stderr.on("data", (bytes: Buffer) => {
            stderr = `${stderr}${bytes.toString("utf8")}`.slice(-mostBytes)
          })
          // The far end may go first; the end of ssh says why.
          started.stdin?.on("error", () => undefined)
          started.stdout.on("error", () => undefined)
          const end = (code: number | null) =>
            Deferred.unsafeDone(ended, Exit.succeed({ code: code ?? undefined, stderr }))
          started.once("close", end)
          // A shared connection that stays in the background may keep the pipes open.
          started.once("exit", (code) => void setTimeout(() => end(code), lastWordsMs))
        },
        "pipe"
      ).pipe(Effect.mapError(({ reason }) => sshNotStarted(host, reason))),
      (started) =>
        Effect.gen(function* () {
          // A finalizer cannot be interrupted, and a limit interrupts.
          const end = Effect.timeoutOption(Effect.interruptible(Deferred.await(ended)), graceMs)
          started.kill("SIGTERM")
          if ((yield* end)._tag === "None") {
            started.kill("SIGKILL")
            yield* end
          }
          started.stdin?.destroy()
          started.stdout.destroy()
          started.stderr.destroy()
          started.unref()
        })
    )
    const stream = Duplex.from({ readable: child.stdout, writable: child.stdin ?? undefined })
    // A cut connection is told by `ended`.
    stream.on("error", () => undefined)
    return { stream, ended: Deferred.await(ended) }
  })
