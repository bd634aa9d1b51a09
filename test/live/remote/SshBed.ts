import * as fs from "node:fs"
import { join, resolve } from "node:path"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { freePort } from "../../fixtures/LocalServer.ts"
import { noPidNamespaces, noProgram } from "../../fixtures/Missing.ts"
import { command, eventually, launcher, run, temporaryHome } from "../TestDaemon.ts"

/** The login shells that a command must come through. */
export const loginShells = ["bash", "dash", "zsh", "fish", "tcsh"] as const

/** Why a test cannot run an sshd of its own; empty when it can. */
export const noSshd: ReadonlyArray<string | undefined> = [
  noPidNamespaces,
  noProgram("/usr/sbin/sshd", "openssh-server"),
  noProgram("ssh", "openssh-client"),
  ...loginShells.map((shell) => noProgram(shell))
]

export interface SshBed {
  readonly folder: string
  readonly port: number
  /** The home of the user on this side. */
  readonly home: string
  /** The variables of a command on this side, whose ssh knows the machines of the bed. */
  readonly env: Readonly<Record<string, string>>
  /** Runs a command of autopilotd on this side to its end. */
  readonly here: (
    args: ReadonlyArray<string>,
    env?: Readonly<Record<string, string | undefined>>
  ) => ReturnType<typeof command>
  /** The folder of a user on the other side. */
  readonly there: (user: string) => string
  /** What sshd has logged. */
  readonly log: () => string
}

/** How the client gets into the network of a bed: with the descriptor of that network, which a process of it holds. */
const proxyInto = (pid: number, port: number): string =>
  `ProxyCommand nsenter --net=/proc/${pid}/ns/net ${process.execPath} -e "const c=require('net').connect(${port},'127.0.0.1');process.stdin.pipe(c).pipe(process.stdout)"`

/** An sshd with users of its own in namespaces of its own; all of it is gone with the scope. */
const bedIn = Effect.fnUntraced(function* (network: "shared" | "own") {
  const folder = yield* temporaryHome
  const port = yield* freePort
  const home = join(folder, "here")
  fs.mkdirSync(home)
  const script = resolve(import.meta.dirname, "bed.sh")
  const { ended, pid, stderr } = yield* run({
    home: folder,
    command: "unshare",
    args: [
      ...(network === "own" ? ["--net"] : []),
      "--mount",
      "--pid",
      "--fork",
      "--kill-child",
      "--mount-proc",
      script,
      folder,
      String(port),
      launcher
    ],
    env: { AUTOPILOT_HOME: undefined, APD_OWN_NETWORK: network === "own" ? "1" : undefined }
  })
  yield* Effect.raceFirst(
    eventually("sshd listens", () => /Server listening/.test(stderr())),
    Effect.flatMap(ended, () => Effect.dieMessage(`sshd has ended: ${stderr()}`))
  )
  if (network === "own") fs.appendFileSync(join(folder, "config"), `Host *\n  ${proxyInto(pid, port)}\n`)
  const env = {
    PATH: `${join(folder, "bin")}:${process.env["PATH"] ?? ""}`,
    XDG_RUNTIME_DIR: join(folder, "run")
  }
  const bed: SshBed = {
    folder,
    port,
    home,
    env,
    here: (args, more = {}) => command({ home, cwd: home, args, env: { ...env, ...more } }),
    there: (user) => join(folder, "home", user),
    log: stderr
  }
  return bed
})

export const sshBed: Effect.Effect<SshBed, never, Scope.Scope> = bedIn("shared")

/** The same in a network of its own, where the ports of this machine are free. */
export const distantSshBed: Effect.Effect<SshBed, never, Scope.Scope> = bedIn("own")

/** A bed in which a daemon runs for the user `bash`, with a worker that says something from time to time. */
export const withDaemonThere = Effect.fnUntraced(function* (bed: SshBed) {
  const worker = "while :; do echo tick; sleep 1; done"
  const started = yield* bed.here([
    "--host",
    "bash",
    "start",
    "--detach",
    "--workdir",
    bed.there("bash"),
    "--project",
    "shop",
    "--",
    "sh",
    "-c",
    worker
  ])
  if (started.code !== 0)
    return yield* Effect.dieMessage(`no daemon there: ${started.stdout}${started.stderr}`)
})
