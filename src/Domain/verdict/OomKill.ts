import * as Schema from "effect/Schema"
import { heldBytes } from "../machine/ProcessEntry.ts"
import { figuresOf, MemoryFigures, type MemorySample } from "../memory/MemorySample.ts"
import { humanBytes } from "../text/Amounts.ts"
import type { WorkerExit } from "../tree/WorkerExit.ts"
import type { TreeMemory } from "../tree/WorkerMemory.ts"
import { perhaps } from "../Wire.ts"

/** An out-of-memory kill of processes of a worker, as the events and the history keep it. */
export const OomKill = Schema.Struct({
  /** `proven` by the counter of the worker's own cgroup; `probable` by the counter of the whole machine. */
  certainty: Schema.Literal("proven", "probable"),
  /** The worker's leader, or another of its processes. */
  victim: Schema.Literal("leader", "member"),
  /** The number of kills that the counter reported while the worker ran. */
  kills: Schema.Int,
  /** The folder of the worker's cgroup; absent where only the machine as a whole counts. */
  cgroup: perhaps(Schema.String),
  /** The limit of that cgroup, where the worker reached it; absent where the machine's memory ran out. */
  limitBytes: perhaps(Schema.Int),
  /** The memory as last read before the last kill. */
  memory: perhaps(MemoryFigures),
  /** The memory of the worker as last sampled before the last kill, swap included. */
  tree: perhaps(Schema.Struct({ heldBytes: Schema.Int, processes: Schema.Int }))
})
export type OomKill = typeof OomKill.Type

/** The last known figures of the machine's memory and of a worker's process tree. */
export interface OomSample {
  readonly memory: MemorySample | undefined
  readonly tree: TreeMemory | undefined
}

/** Kills that a counter reported while a worker ran. */
export interface CountedKills {
  readonly count: number
  /** The time from the notice of the last kill to the exit of the leader. */
  readonly ageMs: number
  readonly before: OomSample
}

/** The evidence once a leader has exited. */
export interface OomEvidence {
  readonly leader: WorkerExit
  /** The daemon had asked the worker to stop, which explains a SIGKILL. */
  readonly wasAsked: boolean
  /** Undefined where the worker has no cgroup of its own that accounts memory. */
  readonly group: (CountedKills & { readonly folder: string }) | undefined
  readonly machine: CountedKills | undefined
}

/** A process killed with much memory in swap takes long to exit. */
const dyingMs = 30_000

const figuresBefore = ({ before: { memory, tree } }: CountedKills): Pick<OomKill, "memory" | "tree"> => ({
  ...(memory === undefined ? {} : { memory: figuresOf(memory) }),
  ...(tree === undefined ? {} : { tree: { heldBytes: heldBytes(tree), processes: tree.processes } })
})

/**
 * Decides whether the kernel has killed processes of a worker because memory ran out. The worker's own cgroup proves
 * it, and also proves the opposite. The counter of the machine makes it probable when the worker failed by itself
 * within 30 seconds after a kill while memory was short.
 */
export const oomKillOf = ({ group, leader, machine, wasAsked }: OomEvidence): OomKill | undefined => {
  const counted = group ?? machine
  if (counted === undefined || counted.count === 0) return undefined
  const isRecent = counted.ageMs <= dyingMs
  const victim = leader.signal === "SIGKILL" && !wasAsked && isRecent ? "leader" : "member"
  const kill = { victim, kills: counted.count, ...figuresBefore(counted) } as const
  if (group !== undefined) return { certainty: "proven", cgroup: group.folder, ...kill }
  const { memory } = counted.before
  const wasShort = memory !== undefined && memory.level !== "plentiful"
  return isRecent && wasShort && !wasAsked && leader.code !== 0
    ? { certainty: "probable", ...kill }
    : undefined
}

const lastSeen = ({ memory, tree }: OomKill): ReadonlyArray<string> => {
  const figures = [
    ...(tree === undefined
      ? []
      : [
          `the worker held ${humanBytes(tree.heldBytes)} in ${tree.processes} process${tree.processes === 1 ? "" : "es"}`
        ]),
    ...(memory === undefined
      ? []
      : [`${humanBytes(memory.availableBytes)} of ${humanBytes(memory.totalBytes)} were available`])
  ]
  return figures.length === 0 ? [] : [`before that ${figures.join(", ")}`]
}

/** One sentence without a full stop: `the kernel killed it because memory ran out (1 kill in the cgroup /x; ...)`. */
export const describeOomKill = (kill: OomKill): string => {
  const { certainty, cgroup, kills, limitBytes, victim } = kill
  const because =
    limitBytes === undefined
      ? "because memory ran out"
      : `because it reached the limit of its cgroup, ${humanBytes(limitBytes)}`
  const several = certainty === "proven" && kills > 1 ? `${kills} of its processes` : "one of its processes"
  const where = cgroup === undefined ? "on this machine" : `in the cgroup ${cgroup}`
  return [
    `the kernel ${certainty === "proven" ? "" : "probably "}killed ${victim === "leader" ? "it" : several}`,
    `${because} (${[`${kills} kill${kills === 1 ? "" : "s"} ${where}`, ...lastSeen(kill)].join("; ")})`
  ].join(" ")
}
