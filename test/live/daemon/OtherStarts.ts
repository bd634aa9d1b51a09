import { type ChildProcessByStdio, execFileSync, spawn } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import type { Readable, Writable } from "node:stream"
import { assert } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { ask, command, eventually, killForSure, launcher, workersOf } from "../TestDaemon.ts"

/** What Node calls a pipe: a pair of sockets. */
export type Started = ChildProcessByStdio<Writable, Readable, Readable>

/**
 * Runs a line of shell in which `"$@"` is `autopilotd start -- WORKER`, in the folder and for the daemon of `home`.
 * Nothing of its output is read until somebody listens.
 */
export const byShell = (options: {
  readonly home: string
  readonly script: string
  readonly worker: ReadonlyArray<string>
}): Effect.Effect<Started, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(
        "/bin/sh",
        ["-c", options.script, "sh", launcher, "start", "--", ...options.worker],
        {
          cwd: options.home,
          env: { ...process.env, AUTOPILOT_HOME: options.home },
          stdio: ["pipe", "pipe", "pipe"]
        }
      )
      // It may end while something is typed.
      child.stdin.on("error", () => {})
      return child
    }),
    (child) => Effect.sync(() => killForSure(child.pid ?? 0))
  )

/** A daemon whose logs are on a disk of its own, of this size. Nobody else sees that disk, and it is gone with the daemon. */
export const onSmallDisk = Effect.fnUntraced(function* (
  home: string,
  mebibytes: number,
  worker: ReadonlyArray<string>
) {
  const logs = join(home, "logs")
  fs.mkdirSync(logs, { mode: 0o700 })
  const mount = `mount -t tmpfs -o size=${mebibytes}m none "$0/logs" && exec "$@"`
  const script = `exec unshare -m sh -c '${mount}' "$AUTOPILOT_HOME" "$@"`
  const daemon = yield* byShell({ home, script, worker })
  let told = ""
  daemon.stdout.resume()
  daemon.stderr.on("data", (chunk: Buffer) => (told += chunk.toString("latin1")))
  return {
    daemon,
    told: () => told,
    /** Waits until the daemon's output has a match. */
    isTold: (pattern: RegExp) => eventually(`${pattern} is told`, () => pattern.test(told)),
    /** Gives the disk another size: the same folder as the daemon sees it. */
    resize: (size: number) => {
      const remount = ["mount", "-o", `remount,size=${size}m`, logs]
      execFileSync("nsenter", [`--mount=/proc/${daemon.pid}/ns/mnt`, ...remount])
    }
  }
})

/** So that a worker that is killed comes back soon. */
export const soonBack = (home: string): void =>
  fs.writeFileSync(join(home, "daemon.toml"), "[restart]\ninitial_backoff_ms = 50\nmax_backoff_ms = 50\n")

/** The status of a home's daemon, once its worker runs. */
export const whenRunning = (home: string) =>
  eventually(
    "the worker runs",
    Effect.map(ask(home, { type: "Status" }), ({ data }) =>
      data?.worker_status === "running" ? data : undefined
    )
  )

/** Supervision works: the worker is killed and comes back. */
export const assertSupervised = Effect.fnUntraced(function* (home: string) {
  const before = yield* whenRunning(home)
  process.kill(before.worker_pid ?? 0, "SIGKILL")
  yield* eventually(
    "another one runs",
    Effect.map(ask(home, { type: "Status" }), ({ data }) =>
      data?.worker_status === "running" && data.total_restarts > before.total_restarts ? true : undefined
    )
  )
})

/** What the daemon has written into its own log. */
export const daemonLog = (home: string): string => {
  const path = join(home, "logs/autopilotd.log")
  return fs.existsSync(path) ? fs.readFileSync(path, "utf8") : ""
}

/** What its worker has said. */
export const workerLog = (home: string): string => {
  const path = join(home, "logs/default/worker.log")
  return fs.existsSync(path) ? fs.readFileSync(path, "latin1") : ""
}

/** `autopilotd stop` works, and its last words say that nothing is left. */
export const assertEndsByCommand = Effect.fnUntraced(function* (home: string) {
  const stop = yield* command({ home, args: ["stop"] })
  assert.strictEqual(stop.stdout, "Daemon stopped\n", stop.stderr)
  assert.deepStrictEqual(workersOf(home), [])
  assert.match(daemonLog(home), /Stopped; all workers have exited\n$/)
})
