import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { join, resolve } from "node:path"
import { createInterface } from "node:readline"
import type { Readable, Writable } from "node:stream"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { unkept } from "../live/Keeper.ts"
import { eventually, patience } from "../live/TestDaemon.ts"

/** What a command there has said, and how it ended. */
export interface Ran {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A machine of a test's own on which systemd runs for a throw-away user, `tester`. */
export interface Machine {
  /** Runs a line of shell as the user, with what a login gives; `args` are its `$1`, `$2`, ... */
  readonly run: (line: string, ...args: ReadonlyArray<string>) => Effect.Effect<Ran>
  /** The same for a line that must succeed: returns its standard output without the last newline. */
  readonly sh: (line: string, ...args: ReadonlyArray<string>) => Effect.Effect<string>
  /** The same as root. */
  readonly asRoot: (line: string, ...args: ReadonlyArray<string>) => Effect.Effect<string>
  /** A path there (absolute, or below the user's home) as it is seen from here. That of a home stays when it is off. */
  readonly outside: (path: string) => string
  /** A file there as text; undefined when there is none. */
  readonly read: (path: string) => string | undefined
  /** Writes a file below the user's home, which is the user's then, like its folder. */
  readonly write: (path: string, text: string, mode?: number) => void
  /** The folder of a cgroup there, as /proc/<pid>/cgroup names it, seen from here. */
  readonly cgroup: (path: string) => string
  /** How often it was booted; by then it is not yet up. */
  readonly boots: () => number
  readonly isOff: () => boolean
  /** All that its first process and what stands around it have said. */
  readonly said: () => string
}

/** Where the checkout is on a machine, read-only and without what is only for the work. */
export const project = "/opt/autopilotd"
/** The node of this test, there. */
export const node = "/opt/node/bin/node"
/** A fixture worker, as it is called there. */
export const fixture = (name: string): string => join(project, "test/fixtures/workers", name)

const uid = 1500
const userHome = "/home/tester"

const programs = ["unshare", "nsenter", "setpriv", "ip", "systemctl", "journalctl", "dbus-daemon"]

const onPath = (name: string): boolean => spawnSync("which", [name]).status === 0

/** The mount point of cgroup version 2. */
const unifiedMount = fs
  .readFileSync("/proc/mounts", "latin1")
  .split("\n")
  .map((line) => line.split(" "))
  .find(([, , type]) => type === "cgroup2")?.[1]

/** Why a machine cannot limit the memory of a cgroup; undefined when it can. */
export const noMemoryController = ((): string | undefined => {
  const controllers =
    unifiedMount === undefined ? "" : fs.readFileSync(join(unifiedMount, "cgroup.controllers"), "latin1")
  return controllers.trim().split(" ").includes("memory")
    ? undefined
    : "the kernel accounts memory in cgroups of version 1 here, or not at all"
})()

/** Why there can be none here; undefined when there can. */
export const noMachine = ((): string | undefined => {
  if (process.getuid?.() !== 0) return "only root can make a machine of its own"
  const missing = programs.filter((name) => !onPath(name))
  if (missing.length > 0) return `missing: ${missing.join(", ")}`
  const files = ["/lib/systemd/systemd", "/usr/lib/systemd/user/dbus.socket"]
  const absent = files.filter((path) => !fs.existsSync(path))
  if (absent.length > 0) return `missing: ${absent.join(", ")}`
  if (unifiedMount === undefined) return "no cgroup of version 2 is mounted"
  try {
    fs.rmdirSync(fs.mkdtempSync(join(unifiedMount, "apd-try-")))
  } catch (cause) {
    return `no cgroup can be made: ${String(cause)}`
  }
  const tried = spawnSync("unshare", ["--mount", "--pid", "--cgroup", "--ipc", "--net", "--uts", "true"], {
    encoding: "utf8"
  })
  return tried.status === 0
    ? undefined
    : `no process can get namespaces of its own: ${tried.error?.message ?? tried.stderr.trim()}`
})()

type Around = ChildProcessByStdio<Writable, Readable, Readable>

/** What machine.sh has told. */
interface Told {
  folder: string
  group: string
  pid: number
  boots: number
  isOff: boolean
  said: string
}

const listen = (child: Around): Told => {
  const told: Told = { folder: "", group: "", pid: 0, boots: 0, isOff: false, said: "" }
  child.stderr.on("data", (chunk: Buffer) => (told.said += chunk.toString("utf8")))
  createInterface({ input: child.stdout }).on("line", (line) => {
    const [word = "", value = ""] = line.split(" ")
    if (word === "folder") told.folder = value
    else if (word === "group") told.group = value
    else if (word === "off") told.isOff = true
    else if (word === "pid") {
      told.pid = Number(value)
      told.boots++
    } else told.said += `${line}\n`
  })
  return told
}

/** Runs a command in the namespaces of a machine. */
const enter = (told: Told, who: "user" | "root", argv: ReadonlyArray<string>) =>
  Effect.async<Ran>((resume) => {
    const namespaces = ["--mount", "--pid", "--cgroup", "--ipc", "--net", "--uts"]
    const child = spawn(
      "nsenter",
      [`--target=${told.pid}`, ...namespaces, "--", "/run/host/enter", who, ...argv],
      { stdio: ["ignore", "pipe", "pipe"] }
    )
    let stdout = ""
    let stderr = ""
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString("utf8")))
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString("utf8")))
    child.once("error", (cause) => resume(Effect.die(cause)))
    child.once("close", (code) => resume(Effect.succeed({ code, stdout, stderr })))
    return Effect.sync(() => void child.kill("SIGKILL"))
  }).pipe(
    Effect.timeoutFail({
      duration: patience(),
      onTimeout: () => new Error(`this has not ended: ${argv.join(" ")}`)
    }),
    Effect.orDie
  )

const make = (told: Told): Machine => {
  const line =
    (who: "user" | "root") =>
    (text: string, ...args: ReadonlyArray<string>) =>
      enter(told, who, ["/bin/bash", "-c", text, "bash", ...args])
  const expected =
    (who: "user" | "root") =>
    (text: string, ...args: ReadonlyArray<string>) =>
      Effect.flatMap(line(who)(text, ...args), ({ code, stderr, stdout }) =>
        code === 0
          ? Effect.succeed(stdout.replace(/\n$/, ""))
          : Effect.dieMessage(`"${text}" ended with ${code} and said: ${stdout}${stderr}`)
      )
  const outside = (path: string): string => {
    const whole = resolve(userHome, path)
    return whole === userHome || whole.startsWith(`${userHome}/`)
      ? join(told.folder, "home", whole.slice(userHome.length))
      : join(`/proc/${told.pid}/root`, whole)
  }
  return {
    run: line("user"),
    sh: expected("user"),
    asRoot: expected("root"),
    outside,
    read: (path) => (fs.existsSync(outside(path)) ? fs.readFileSync(outside(path), "utf8") : undefined),
    write: (path, text, mode = 0o644) => {
      let made = join(told.folder, "home")
      for (const name of path.split("/").slice(0, -1)) {
        made = join(made, name)
        if (fs.existsSync(made)) continue
        fs.mkdirSync(made)
        fs.chownSync(made, uid, uid)
      }
      fs.writeFileSync(outside(path), text)
      fs.chmodSync(outside(path), mode)
      fs.chownSync(outside(path), uid, uid)
    },
    cgroup: (path) => join(told.group, path),
    boots: () => told.boots,
    isOff: () => told.isOff,
    said: () => told.said
  }
}

/**
 * Starts a machine, of which `<kind>.sh` says what its first process is. At the end of the scope it is gone, with all
 * that ran there; when this process is killed, too.
 */
export const machine = (kind: string): Effect.Effect<Machine, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const child = spawn(resolve(import.meta.dirname, "machine.sh"), [kind], {
        // Out of reach of the terminal's Ctrl-C: it ends, and cleans up, when its input ends.
        detached: true,
        stdio: ["pipe", "pipe", "pipe"],
        env: { ...process.env, ...unkept, NODE: fs.realpathSync(process.execPath) }
      })
      child.stdin.on("error", () => {})
      return { child, told: listen(child) }
    }),
    ({ child }) =>
      Effect.async<void>((resume) => {
        const done = () => resume(Effect.void)
        if (child.exitCode !== null || child.signalCode !== null) return done()
        child.once("close", done)
        child.stdin.end()
      })
  ).pipe(
    Effect.tap(({ child, told }) =>
      eventually(
        "the machine has its first process",
        Effect.suspend(() =>
          told.isOff || child.exitCode !== null
            ? Effect.dieMessage(`the machine did not start and said: ${told.said}`)
            : Effect.succeed(told.boots > 0 || undefined)
        )
      )
    ),
    Effect.map(({ told }) => make(told))
  )
