import * as FastCheck from "effect/FastCheck"
import { strayed, withParentsUnknown } from "../../../src/Domain/machine/ProcessDescent.ts"
import { heldBytes, type ProcessEntry } from "../../../src/Domain/machine/ProcessEntry.ts"
import type { ProcessDetails, ProcessFacts } from "../../../src/Domain/machine/ProcessFacts.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import type { LiveWorker } from "../../../src/Domain/tree/ProcessOrigin.ts"

export const MiB = 2 ** 20
export const homeId = "0123456789abcdef"
export const otherHomeId = "fedcba9876543210"
export const shop = ProjectName.make("shop")
export const blog = ProjectName.make("blog")

/** A process with its details, and what no scan can know. */
export interface Citizen {
  readonly process: ProcessEntry
  readonly details: ProcessDetails
  /** The worker's id in its environment. */
  readonly mark: string | undefined
  /** The worker that has started it, whatever it has done to its environment since. */
  readonly bornTo: string | undefined
}

export interface World {
  readonly selfPid: number
  readonly citizens: ReadonlyMap<number, Citizen>
  readonly workers: ReadonlyArray<LiveWorker>
}

/** A child of init with a session of its own, an ordinary small program, unless `row` says otherwise. */
export const citizen = (
  pid: number,
  row: {
    readonly parent?: number
    readonly session?: number
    readonly group?: number
    readonly start?: number
    readonly state?: string
    readonly bytes?: number
    readonly swap?: number
    readonly kernel?: boolean
    readonly name?: string
    readonly argv?: ReadonlyArray<string>
    readonly ownUser?: boolean
    readonly mark?: string
  } = {}
): Citizen => {
  const name = row.name ?? "node"
  return {
    process: {
      pid,
      parentPid: row.parent ?? 1,
      session: row.session ?? pid,
      group: row.group ?? row.session ?? pid,
      startTicks: row.start ?? pid,
      state: row.state ?? "S",
      residentBytes: row.bytes ?? MiB,
      swapBytes: row.swap ?? 0,
      isKernelThread: row.kernel ?? false,
      cpuMs: 0
    },
    details: {
      comm: name.slice(0, 15),
      executable: `/usr/bin/${name}`,
      argv: row.argv ?? [name],
      isOwnUser: row.ownUser ?? true
    },
    mark: row.mark,
    bornTo: row.mark
  }
}

export const worldOf = (
  selfPid: number,
  citizens: ReadonlyArray<Citizen>,
  workers: ReadonlyArray<LiveWorker> = []
): World => ({ selfPid, citizens: new Map(citizens.map((one) => [one.process.pid, one])), workers })

/** The facts that a scan would read in a world. */
export const scanned = ({ citizens, selfPid }: World, largeBytes: number): ProcessFacts => {
  const processes = new Map([...citizens].map(([pid, { process }]) => [pid, process]))
  const large = [...processes.values()].filter((process) => heldBytes(process) >= largeBytes)
  const marks = new Map<number, string>()
  for (const { pid } of [...large, ...withParentsUnknown({ processes, selfPid })]) {
    const found = citizens.get(pid)
    if (found?.details.isOwnUser === true && found.mark !== undefined) marks.set(pid, found.mark)
  }
  const facts = { selfPid, homeId, processes, marks }
  const details = new Map<number, ProcessDetails>()
  for (const { pid } of [...large, ...strayed(facts)]) {
    const found = citizens.get(pid)
    if (found !== undefined) details.set(pid, found.details)
  }
  return { ...facts, details }
}

/** An event on a machine. Numbers choose a process. */
type Deed =
  | { readonly _tag: "Fork" | "Exit" | "NewSession" | "Reaper" | "Clear"; readonly who: number }
  | { readonly _tag: "Become"; readonly who: number; readonly name: string; readonly megabytes: number }
  /** The worker's leader is gone, and the next one is started. */
  | { readonly _tag: "NextWorker" }

const who = FastCheck.nat(1000)
const names = ["node", "node", "node", "node_exporter", "claude", "MainThread", "autopilotd"]

const deed: FastCheck.Arbitrary<Deed> = FastCheck.oneof(
  { weight: 6, arbitrary: FastCheck.record({ _tag: FastCheck.constant("Fork" as const), who }) },
  {
    weight: 6,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constantFrom("Exit" as const, "NewSession" as const, "Reaper" as const),
      who
    })
  },
  {
    weight: 4,
    arbitrary: FastCheck.record({
      _tag: FastCheck.constant("Become" as const),
      who,
      name: FastCheck.constantFrom(...names),
      megabytes: FastCheck.nat(2000)
    })
  },
  { weight: 1, arbitrary: FastCheck.constant({ _tag: "NextWorker" as const }) }
)

const clear: FastCheck.Arbitrary<Deed> = FastCheck.record({ _tag: FastCheck.constant("Clear" as const), who })

const initPid = 1
const shellPid = 2
export const daemonPid = 3
const otherDaemonPid = 4
const firstFreePid = 5
/** Few, so that they are used again. */
const pidCount = 40

/**
 * A machine after these events: init, a shell that has started the daemon, another daemon with a worker, and all that
 * they have forked, as on Linux: the nearest reaper adopts orphans, sessions and marks are inherited, pids are reused.
 */
const lived = (deeds: ReadonlyArray<Deed>, isShellReaper: boolean): World => {
  const citizens = new Map<number, Citizen>()
  // `systemd --user` is such a reaper.
  const reapers = new Set(isShellReaper ? [initPid, shellPid] : [initPid])
  let ticks = 0
  let nextPid = firstFreePid
  let workerNumber = 0
  let leader: number | undefined
  const others = new Set<number>()

  const change = (pid: number, now: Partial<Omit<Citizen, "process">>, row: Partial<ProcessEntry> = {}) => {
    const before = citizens.get(pid)
    if (before !== undefined) citizens.set(pid, { ...before, ...now, process: { ...before.process, ...row } })
  }
  const put = (pid: number, parent: number, name: string, argv: ReadonlyArray<string>) => {
    citizens.set(pid, citizen(pid, { parent, name, argv, start: ++ticks }))
  }
  const freePid = (): number | undefined => {
    for (let tries = 0; tries < pidCount; tries++) {
      const pid = firstFreePid + ((nextPid++ - firstFreePid) % pidCount)
      // The kernel gives no pid that still names a group or a session.
      const isTaken = [...citizens.values()].some(
        ({ process }) => process.pid === pid || process.session === pid || process.group === pid
      )
      if (!isTaken) return pid
    }
    return undefined
  }
  const fork = (parent: number): number | undefined => {
    const pid = freePid()
    const from = citizens.get(parent)
    if (pid === undefined || from === undefined) return undefined
    citizens.set(pid, { ...from, process: { ...from.process, pid, parentPid: parent, startTicks: ++ticks } })
    return pid
  }
  const exit = (pid: number) => {
    let reaper = citizens.get(pid)?.process.parentPid ?? initPid
    while (!reapers.has(reaper)) reaper = citizens.get(reaper)?.process.parentPid ?? initPid
    citizens.delete(pid)
    reapers.delete(pid)
    for (const [child, { process }] of citizens) {
      if (process.parentPid === pid) change(child, {}, { parentPid: reaper })
    }
    if (leader === pid) leader = undefined
  }
  const startWorker = (daemon: number, mark: string): number | undefined => {
    const pid = fork(daemon)
    if (pid === undefined) return undefined
    const details = { comm: "claude", executable: "/usr/bin/claude", argv: ["claude"], isOwnUser: true }
    change(pid, { details, mark, bornTo: mark }, { session: pid, group: pid, residentBytes: MiB })
    return pid
  }

  put(initPid, 0, "init", ["init"])
  put(shellPid, initPid, "bash", ["bash"])
  put(daemonPid, shellPid, "node", ["node", "/opt/autopilotd.js"])
  put(otherDaemonPid, initPid, "node", ["node", "/opt/autopilotd.js"])
  const other = startWorker(otherDaemonPid, `${otherHomeId}:shop:1`)
  if (other !== undefined) others.add(other)
  const nextWorker = () => {
    if (leader !== undefined) exit(leader)
    leader = startWorker(daemonPid, `${homeId}:shop:${++workerNumber}`)
  }
  nextWorker()

  for (const { _tag, ...rest } of deeds) {
    const living = [...citizens.keys()].filter(
      (pid) => pid > shellPid && pid !== daemonPid && pid !== otherDaemonPid
    )
    const pid = "who" in rest ? living[rest.who % Math.max(1, living.length)] : undefined
    if (_tag === "NextWorker") nextWorker()
    if (pid === undefined) continue
    if (_tag === "Fork") fork(pid)
    // Leaders exit by NextWorker only.
    if (_tag === "Exit" && pid !== leader) exit(pid)
    if (_tag === "NewSession" && citizens.get(pid)?.process.group !== pid) {
      change(pid, {}, { session: pid, group: pid })
    }
    if (_tag === "Reaper") reapers.add(pid)
    if (_tag === "Clear") change(pid, { mark: undefined })
    if (_tag === "Become" && "name" in rest) {
      const { megabytes, name } = rest
      const details = { comm: name, executable: `/usr/bin/${name}`, argv: [name], isOwnUser: true }
      change(pid, { details }, { residentBytes: megabytes * MiB })
    }
  }
  // A program that the user runs.
  const stranger = fork(shellPid)
  if (stranger !== undefined) change(stranger, {}, { session: stranger, group: stranger })
  const running = { id: `${homeId}:shop:${workerNumber}` }
  return worldOf(
    daemonPid,
    [...citizens.values()],
    leader === undefined ? [] : [{ project: shop, running: { ...running, leaderPid: leader } }]
  )
}

const withStranger = (world: World, megabytes: number): World => ({
  ...world,
  citizens: new Map(
    [...world.citizens].map(([pid, one]) =>
      one.bornTo === undefined && pid >= firstFreePid
        ? [
            pid,
            {
              ...one,
              details: { ...one.details, executable: "/usr/bin/node", argv: ["node", "a.js"] },
              process: { ...one.process, residentBytes: megabytes * MiB }
            }
          ]
        : [pid, one]
    )
  )
})

const worldAfter = (deeds: FastCheck.Arbitrary<ReadonlyArray<Deed>>): FastCheck.Arbitrary<World> =>
  FastCheck.tuple(deeds, FastCheck.boolean(), FastCheck.nat(3000)).map(([all, isShellReaper, megabytes]) =>
    withStranger(lived(all, isShellReaper), megabytes)
  )

/** Worlds in which no process changes its environment. */
export const honestWorld = worldAfter(FastCheck.array(deed, { maxLength: 40 }))

/** Worlds in which some processes clear it. */
export const anyWorld = worldAfter(
  FastCheck.array(FastCheck.oneof({ weight: 8, arbitrary: deed }, { weight: 1, arbitrary: clear }), {
    maxLength: 40
  })
)

/** A process and its ancestors. */
export const lineOf = ({ citizens }: World, pid: number): ReadonlyArray<number> => {
  const line: Array<number> = []
  for (let at = citizens.get(pid); at !== undefined; at = citizens.get(at.process.parentPid)) {
    if (line.includes(at.process.pid)) break
    line.push(at.process.pid)
  }
  return line
}
