import { type ChildProcessByStdio, spawn, spawnSync } from "node:child_process"
import * as fs from "node:fs"
import { join, resolve } from "node:path"
import { createInterface } from "node:readline"
import type { Readable, Writable } from "node:stream"
import { assert } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { eventually, processesWith } from "../TestDaemon.ts"

/** How a process is started there. */
export interface Order {
  readonly argv: ReadonlyArray<string>
  readonly env?: Readonly<Record<string, string>>
  readonly uid?: number
  /** As `setsid` does. */
  readonly ownSession?: boolean
}

/** A PID namespace and a mount namespace, in which the memory is what a test says. */
export interface OwnMachine {
  /** The command that runs what follows it there. Its exit code is that of what it has run. */
  readonly entrance: ReadonlyArray<string>
  readonly meminfo: string
  /** Changes how much is available, in one write. Refused if a daemon that was taken in could reach what is outside. */
  readonly memoryIs: (availableMebibytes: number) => void
  /** Says that a daemon of this home runs there, and nowhere else: checked, here and before memory is changed. */
  readonly takesIn: (home: string) => void
  /** Starts a process; returns its pid there. */
  readonly start: (order: Order) => Effect.Effect<number>
  /** Whether a process lives, by its pid there. */
  readonly isAlive: (pid: number) => boolean
  readonly residentBytes: (pid: number) => number
  /** The living processes with such a command line. */
  readonly running: (isSuch: (argv: ReadonlyArray<string>) => boolean) => ReadonlyArray<number>
}

/** MiB there are. */
const totalMebibytes = 4096
/** MiB available to begin with. */
export const plenty = 3000

const kib = (mebibytes: number): string => String(mebibytes * 1024).padStart(12)

/** The text of /proc/meminfo, always of the same length. */
export const meminfoText = (availableMebibytes: number): string =>
  [
    `MemTotal:       ${kib(totalMebibytes)} kB`,
    `MemFree:        ${kib(availableMebibytes)} kB`,
    `MemAvailable:   ${kib(availableMebibytes)} kB`,
    `SwapTotal:      ${kib(0)} kB`,
    `SwapFree:       ${kib(0)} kB`,
    ""
  ].join("\n")

const noPressure = ["some", "full"]
  .map((kind) => `${kind} avg10=0.00 avg60=0.00 avg300=0.00 total=0\n`)
  .join("")

const fixture = (name: string): string => resolve(import.meta.dirname, "../../fixtures/machine", name)

/** The caller keeps its pid, so that its namespaces can be found by it; all within dies with it. */
const unshare = ["--pid", "--mount", "--propagation=private", "--fork", "--kill-child", "--mount-proc"]

/** Why there can be none here; undefined when there can. */
export const noOwnMachine = ((): string | undefined => {
  const line = "mount --bind /proc/version /proc/meminfo"
  const { error, status, stderr } = spawnSync("unshare", [...unshare, "/bin/sh", "-c", line], {
    encoding: "utf8"
  })
  if (status === 0) return undefined
  return `no process can get namespaces of its own: ${error?.message ?? stderr.trim()}`
})()

type Answer = { readonly pid: number } | { readonly failed: string }

const make = (child: ChildProcessByStdio<Writable, Readable, Readable>, meminfo: string): OwnMachine => {
  const { pid: outerPid = 0 } = child
  const proc = `/proc/${outerPid}/root/proc`
  const pidNamespace = fs.readlinkSync(`/proc/${outerPid}/ns/pid_for_children`)
  const homes = new Set<string>()
  const waiting: Array<Deferred.Deferred<Answer>> = []
  let said = ""
  child.stderr.on("data", (chunk: Buffer) => (said += chunk.toString("utf8")))
  createInterface({ input: child.stdout }).on("line", (line) => {
    const first = waiting.shift()
    if (first !== undefined) Deferred.unsafeDone(first, Effect.succeed(JSON.parse(line)))
  })
  child.once("close", () => {
    for (const one of waiting.splice(0)) {
      Deferred.unsafeDone(one, Effect.succeed({ failed: `the machine has ended and said: ${said}` }))
    }
  })

  const start = Effect.fnUntraced(function* (order: Order) {
    const answered = yield* Deferred.make<Answer>()
    waiting.push(answered)
    child.stdin.write(`${JSON.stringify(order)}\n`)
    const answer = yield* Deferred.await(answered)
    return "pid" in answer ? answer.pid : yield* Effect.dieMessage(answer.failed)
  })

  const isAlive = (pid: number): boolean => {
    try {
      return !/\) [ZX] /.test(fs.readFileSync(`${proc}/${pid}/stat`, "latin1"))
    } catch {
      return false
    }
  }

  const namespaceOf = (pid: number): string | undefined => {
    try {
      // Its entrance waits outside for it.
      const [command = ""] = fs.readFileSync(`/proc/${pid}/cmdline`, "latin1").split("\0")
      return command.endsWith("nsenter") ? undefined : fs.readlinkSync(`/proc/${pid}/ns/pid`)
    } catch {
      // It ended meanwhile.
      return undefined
    }
  }

  const mustBeWithin = (home: string): void => {
    const namespaces = processesWith(`AUTOPILOT_HOME=${home}`)
      .map(namespaceOf)
      .filter((name) => name !== undefined)
    assert.deepStrictEqual([...new Set(namespaces)], [pidNamespace], `what runs for ${home} is within`)
    assert.notStrictEqual(pidNamespace, fs.readlinkSync("/proc/self/ns/pid"))
  }

  return {
    entrance: ["nsenter", `--pid=/proc/${outerPid}/ns/pid_for_children`, `--mount=/proc/${outerPid}/ns/mnt`],
    meminfo,
    memoryIs: (availableMebibytes) => {
      for (const home of homes) mustBeWithin(home)
      fs.writeFileSync(meminfo, meminfoText(availableMebibytes), { flag: "r+" })
    },
    takesIn: (home) => {
      mustBeWithin(home)
      homes.add(home)
    },
    start,
    isAlive,
    residentBytes: (pid) => {
      try {
        const status = fs.readFileSync(`${proc}/${pid}/status`, "latin1")
        return Number(/^VmRSS:\s+([0-9]+) kB$/m.exec(status)?.[1] ?? 0) * 1024
      } catch {
        return 0
      }
    },
    running: (isSuch) =>
      fs
        .readdirSync(proc)
        .filter((name) => /^[0-9]+$/.test(name))
        .map(Number)
        .filter((pid) => {
          try {
            const line = fs.readFileSync(`${proc}/${pid}/cmdline`, "utf8")
            return isAlive(pid) && isSuch(line.split("\0"))
          } catch {
            return false
          }
        })
  }
}

/** A machine with plenty of memory. At the end of the scope all that runs on it is killed. */
export const ownMachine = (folder: string): Effect.Effect<OwnMachine, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const files = { meminfo: meminfoText(plenty), pressure: noPressure }
      const [meminfo, pressure] = Object.entries(files).map(([name, text]) => {
        const path = join(folder, name)
        fs.writeFileSync(path, text)
        return path
      })
      const starter = [process.execPath, fixture("starter.mjs")]
      const args = [...unshare, fixture("first.sh"), `${meminfo}`, `${pressure}`, ...starter]
      const child = spawn("unshare", args, { stdio: ["pipe", "pipe", "pipe"] })
      child.stdin.on("error", () => {})
      return { child, meminfo: `${meminfo}` }
    }),
    ({ child }) => Effect.sync(() => void child.kill("SIGKILL"))
  ).pipe(
    Effect.flatMap(({ child, meminfo }) =>
      eventually(
        "the namespaces are there",
        Effect.try(() => {
          const outside = fs.readlinkSync("/proc/self/ns/pid")
          const within = fs.readlinkSync(`/proc/${child.pid}/ns/pid_for_children`)
          return within === outside ? undefined : make(child, meminfo)
        })
      )
    ),
    // Its first answer comes once the files are in place.
    Effect.tap((machine) => machine.start({ argv: ["true"] }))
  )
