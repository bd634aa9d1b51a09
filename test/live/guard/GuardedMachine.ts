import * as fs from "node:fs"
import { join } from "node:path"
import * as Effect from "effect/Effect"
import type { StatusReply } from "../../../src/Domain/status/StatusData.ts"
import { daemonLog } from "../daemon/OtherStarts.ts"
import { eventually, fixture, startDaemon, temporaryHome } from "../TestDaemon.ts"
import { type OwnMachine, ownMachine } from "./OwnMachine.ts"

/** MiB available. On such a machine less than 1 GiB is low and less than 512 MiB critical; 80 MiB make a large process. */
export const low = 900
export const critical = 300

const settings = `[memory]
poll_interval_ms = 100
min_available_bytes = ${2 ** 30}
critical_threshold_bytes = ${2 ** 29}
node_kill_threshold_bytes = ${80 * 2 ** 20}
`

/** What a hoarding process is told; `tag` is by what a test finds it. */
export interface Hoard {
  readonly tag?: string
  readonly mebibytes: number
  readonly leaksMebibytes?: number
  readonly everyMs?: number
  readonly comm?: string
  readonly termsTo?: string
  readonly frees?: string
  readonly lingersMs?: number
  readonly text?: string
}

/** The command that holds memory, which `node` runs. */
export const hoarding = (hoard: Hoard, node: string = process.execPath): ReadonlyArray<string> => [
  node,
  fixture("hoards.mjs"),
  JSON.stringify(hoard)
]

export interface GuardedMachine {
  readonly home: string
  readonly machine: OwnMachine
  readonly memoryIs: (availableMebibytes: number) => Effect.Effect<void>
  readonly status: (
    what: string,
    isWanted: (data: StatusReply) => boolean,
    project?: string
  ) => Effect.Effect<StatusReply>
  /** Starts a process beside the worker; its pid, once it holds what it shall. */
  readonly hoarder: (hoard: Hoard, node?: string) => Effect.Effect<number>
  /** The pid of a hoarding process, once it holds what it shall. */
  readonly full: (hoard: Hoard) => Effect.Effect<number>
  readonly isGone: (pid: number) => Effect.Effect<true>
  /** Waits until the daemon's log has a match, and returns its line. */
  readonly logged: (pattern: RegExp) => Effect.Effect<string>
  readonly log: () => string
}

/** A machine with plenty of memory, and a daemon on it whose worker runs. */
export const guardedMachine = Effect.fnUntraced(function* (options: {
  /** Lines of `[memory]`, and tables. */
  readonly memory?: string
  readonly worker?: ReadonlyArray<string>
  /** Before the daemon is started. */
  readonly first?: (home: string, machine: OwnMachine) => void
}) {
  const home = yield* temporaryHome
  const machine = yield* ownMachine(home)
  options.first?.(home, machine)
  const daemon = yield* startDaemon({
    home,
    entrance: machine.entrance,
    settings: `${settings}${options.memory ?? ""}`,
    ...(options.worker === undefined ? {} : { worker: options.worker })
  })
  machine.takesIn(home)
  const full: GuardedMachine["full"] = ({ mebibytes, tag }) =>
    eventually(`${tag} holds its memory`, () =>
      machine
        .running((argv) => argv[1]?.endsWith("hoards.mjs") === true && argv[2]?.includes(`"${tag}"`) === true)
        .find((pid) => machine.residentBytes(pid) > mebibytes * 2 ** 20)
    )
  const guarded: GuardedMachine = {
    home,
    machine,
    memoryIs: (availableMebibytes) => Effect.sync(() => machine.memoryIs(availableMebibytes)),
    status: (what, isWanted, project) =>
      eventually(
        what,
        Effect.map(
          daemon.ask({ type: "Status", ...(project === undefined ? {} : { project }) }),
          ({ data }) => (data !== undefined && isWanted(data) ? data : undefined)
        )
      ),
    full,
    hoarder: (hoard, node) =>
      Effect.zipRight(machine.start({ argv: hoarding(hoard, node), ownSession: true }), full(hoard)),
    isGone: (pid) => eventually(`${pid} is gone`, () => (machine.isAlive(pid) ? undefined : true)),
    log: () => daemonLog(home),
    logged: (pattern) =>
      eventually(`${pattern} in the log`, () =>
        daemonLog(home)
          .split("\n")
          .find((line) => pattern.test(line))
      )
  }
  yield* guarded.status("the worker runs", (data) => data.worker_status === "running")
  return guarded
})

/** A folder that everybody may look into, with programs and scripts. */
export const openFolder = (parent: string): string => {
  const folder = fs.mkdtempSync(join(parent, "apd-open-"))
  fs.chmodSync(folder, 0o755)
  return folder
}
