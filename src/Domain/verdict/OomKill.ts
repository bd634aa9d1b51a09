import * as Schema from "effect/Schema"
import { figuresOf, MemoryFigures, type MemoryLook } from "../memory/MemoryLook.ts"
import { humanBytes } from "../text/Amounts.ts"
import type { WorkerExit } from "../tree/WorkerExit.ts"
import { type TreeMemory, treeBytes } from "../tree/WorkerMemory.ts"
import { perhaps } from "../Wire.ts"

/** Processes of a worker that the kernel has killed because memory had run out, as it is told and written down. */
export const OomKill = Schema.Struct({
  certainty: Schema.Literal("proven", "probable"),
  /** The worker's leader, or another of its processes. */
  victim: Schema.Literal("leader", "member"),
  /** How many processes were killed, as far as they may have been the worker's. */
  kills: Schema.Int,
  /** The folder of the cgroup that has counted them; absent where only the machine as a whole counts. */
  cgroup: perhaps(Schema.String),
  /** The limit of that cgroup, where it was this that had run out and not the machine's memory. */
  limitBytes: perhaps(Schema.Int),
  /** The memory as last looked at before the last of them. */
  memory: perhaps(MemoryFigures),
  /** What the worker held then, swap included. */
  tree: perhaps(Schema.Struct({ heldBytes: Schema.Int, processes: Schema.Int }))
})
export type OomKill = typeof OomKill.Type

/** What was last known of the memory and of a worker's tree. */
export interface OomSample {
  readonly memory: MemoryLook | undefined
  readonly tree: TreeMemory | undefined
}

/** Kills that were counted while a worker lived. */
export interface CountedKills {
  readonly count: number
  /** How long before the leader's end the last of them was noticed. */
  readonly ageMs: number
  readonly before: OomSample
}

/** Kills that the leader's cgroup has counted. */
export interface GroupKills extends CountedKills {
  readonly folder: string
  /** How many of them while nobody was in the group but the daemon and this worker. */
  readonly alone: number
}

/** What is known once a leader has ended. */
export interface OomEvidence {
  readonly leader: WorkerExit
  /** It had been told to end: a SIGKILL may have been ours. */
  readonly wasAsked: boolean
  /** Undefined where the count of the leader's cgroup is not known, which is not the same as no kill. */
  readonly group: GroupKills | undefined
  /** The same of the machine as a whole. */
  readonly machine: CountedKills | undefined
}

/** A process that is killed first gives back its memory: with much in swap that takes long, and its end is told then. */
const dyingMs = 30_000

/** How a shell says that its last child was killed by SIGKILL: 128 and the signal's number. */
const childKilledCode = 137

const told = ({ before: { memory, tree } }: CountedKills): Pick<OomKill, "memory" | "tree"> => ({
  ...(memory === undefined ? {} : { memory: figuresOf(memory) }),
  ...(tree === undefined ? {} : { tree: { heldBytes: treeBytes(tree), processes: tree.processes } })
})

const byGroup = (group: GroupKills, isLeader: boolean, isFromKill: boolean): OomKill | undefined => {
  const { ageMs, alone, count, folder } = group
  const rest = { cgroup: folder, ...told(group) }
  if (count === 0) return undefined
  if (isFromKill && ageMs <= dyingMs) {
    return { certainty: "proven", victim: isLeader ? "leader" : "member", kills: count, ...rest }
  }
  return alone > 0
    ? { certainty: "proven", victim: "member", kills: alone, ...rest }
    : { certainty: "probable", victim: "member", kills: count, ...rest }
}

/**
 * Whether the kernel has killed a worker, or processes of it, because memory had run out. A cgroup counts the kills of
 * its own members, also when it was the machine whose memory ran out; but others may be members too, unless the daemon
 * has made it for this worker: in that is nobody else.
 *
 * | counted by | the leader | others in the cgroup | then |
 * |---|---|---|---|
 * | its cgroup, at most 30 s before | died by SIGKILL, not asked to end | any | proven: the leader |
 * | its cgroup, at most 30 s before | exit code 137, not asked to end | any | proven: a process of it |
 * | its cgroup | ended otherwise, or later | none but the daemon | proven: a process of it |
 * | its cgroup | ended otherwise, or later | others | probable: the kernel prefers workers, but not only ours are there |
 * | its cgroup: none | any | any | nothing, whatever the machine counts: somebody else was killed |
 * | only the machine, at most 30 s before, memory not plentiful | failed by itself | - | probable |
 * | only the machine, otherwise | any | - | nothing |
 */
export const oomKillOf = ({ group, leader, machine, wasAsked }: OomEvidence): OomKill | undefined => {
  const isLeader = leader.signal === "SIGKILL"
  const isFromKill = !wasAsked && (isLeader || leader.code === childKilledCode)
  if (group !== undefined) return byGroup(group, isLeader, isFromKill)
  if (machine === undefined || machine.count === 0 || machine.ageMs > dyingMs) return undefined
  const wasShort = machine.before.memory !== undefined && machine.before.memory.level !== "plentiful"
  if (!wasShort || wasAsked || leader.code === 0) return undefined
  const victim = isLeader ? "leader" : "member"
  return { certainty: "probable", victim, kills: machine.count, ...told(machine) }
}

const lastSeen = ({ memory, tree }: OomKill): ReadonlyArray<string> => {
  const held =
    tree === undefined
      ? []
      : [
          `it held ${humanBytes(tree.heldBytes)} in ${tree.processes} process${tree.processes === 1 ? "" : "es"}`
        ]
  const left =
    memory === undefined
      ? []
      : [`${humanBytes(memory.availableBytes)} of ${humanBytes(memory.totalBytes)} were available`]
  const seen = [...held, ...left]
  return seen.length === 0 ? [] : [`last seen before: ${seen.join(", ")}`]
}

/** As a person reads it: `the kernel killed it because memory had run out (1 kill in the cgroup /x; last seen ...)`. */
export const describeOomKill = (kill: OomKill): string => {
  const { certainty, cgroup, kills, limitBytes, victim } = kill
  const because =
    limitBytes === undefined
      ? "because memory had run out"
      : `because it would have held more than ${humanBytes(limitBytes)}, the limit of its cgroup`
  const several = certainty === "proven" && kills > 1 ? `${kills} of its processes` : "one of its processes"
  const where = cgroup === undefined ? "on this machine" : `in the cgroup ${cgroup}`
  return [
    `the kernel ${certainty === "proven" ? "" : "probably "}killed ${victim === "leader" ? "it" : several}`,
    `${because} (${[`${kills} kill${kills === 1 ? "" : "s"} ${where}`, ...lastSeen(kill)].join("; ")})`
  ].join(" ")
}
