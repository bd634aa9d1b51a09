import type { MemorySample } from "../memory/MemorySample.ts"
import type { MemorySettings } from "../settings/MemorySettings.ts"
import { humanBytes } from "../text/Amounts.ts"
import { printable, quoted } from "../text/Printable.ts"
import type { HogChoice, Judged, SpareReason, Victim, VictimReason } from "./HogChoice.ts"
import type { HogRow, HogsData, SparedRow } from "./HogsData.ts"

/** Longer command lines end in `...`. */
const maxCommandLength = 300

const maxNameLength = 100

type Described<Kind> = { readonly kind: Kind; readonly reason: string }

const describeVictim = (reason: VictimReason): Described<HogRow["kind"]> => {
  switch (reason._tag) {
    case "Leftover":
      return { kind: "leftover", reason: `left behind by an earlier worker of ${quoted(reason.project)}` }
    case "Orphan":
      return { kind: "orphan", reason: `detached from the running worker of ${quoted(reason.project)}` }
    case "Hog":
      return { kind: "hog", reason: "large, and its name is in hog_names" }
  }
}

const describeSpared = (
  reason: Exclude<SpareReason, { readonly _tag: "Gone" }>
): Described<SparedRow["kind"]> => {
  switch (reason._tag) {
    case "Daemon":
      return { kind: "daemon", reason: "this daemon, or a part of it" }
    case "Ancestor":
      return { kind: "ancestor", reason: "an ancestor of this daemon" }
    case "System":
      return { kind: "system", reason: "a part of the system" }
    case "OtherUser":
      return { kind: "other-user", reason: "owned by another user" }
    case "Protected":
      return { kind: "protected", reason: `protected by ${quoted(reason.rule)} in memory.protect` }
    case "OtherDaemon":
      return { kind: "other-daemon", reason: "another autopilotd, or a part of one" }
    case "Worker":
      return { kind: "worker", reason: `a part of the worker of ${quoted(reason.project)}` }
    case "Unclear":
      return {
        kind: "unclear",
        reason: `carries the id of the worker of ${quoted(reason.project)}, but its parent is not visible`
      }
    case "OutsideGroup":
      return { kind: "outside-cgroup", reason: "outside of the cgroup that is short of memory" }
    case "Small":
      return {
        kind: "small",
        reason: `detached from the worker of ${quoted(reason.project)}, but smaller than node_kill_threshold_bytes`
      }
    case "OwnOnly":
      return { kind: "own-only", reason: 'not started by a worker, and hog_policy = "own"' }
    case "OtherName":
      return { kind: "other-name", reason: "its name is not in hog_names" }
    case "SmallerThanWorker": {
      const worker = `the worker of ${quoted(reason.project)} (${humanBytes(reason.bytes)})`
      return {
        kind: "smaller-than-worker",
        reason: `not larger than ${worker}, so only when memory is critical`
      }
    }
  }
}

const row = <Kind>(
  { argv, heldBytes, name, pid, swapBytes }: Judged<unknown>,
  { kind, reason }: Described<Kind>,
  project: string | undefined
) => ({
  pid,
  name: printable(name, maxNameLength),
  command: printable(argv.join(" "), maxCommandLength),
  memory_bytes: heldBytes,
  swap_bytes: swapBytes,
  ...(project === undefined ? {} : { project }),
  kind,
  reason
})

const projectOf = (reason: VictimReason | SpareReason): string | undefined =>
  "project" in reason ? reason.project : undefined

/** The row of a process that would be killed. */
export const victimRow = (victim: Victim): HogRow =>
  row(victim, describeVictim(victim.because), projectOf(victim.because))

/** The rows of the processes that would be spared, largest first, without those that have exited meanwhile. */
export const sparedRows = ({ spared }: Pick<HogChoice, "spared">): ReadonlyArray<SparedRow> =>
  spared.flatMap((one) =>
    one.because._tag === "Gone" ? [] : [row(one, describeSpared(one.because), projectOf(one.because))]
  )

/** The answer to Hogs. */
export const hogsData = (
  choice: HogChoice,
  { level, reading, thresholds }: MemorySample,
  settings: MemorySettings
): HogsData => ({
  memory_level: level,
  memory_available_bytes: reading.availableBytes,
  memory_total_bytes: reading.totalBytes,
  memory_min_available_bytes: thresholds.minAvailableBytes,
  memory_critical_threshold_bytes: thresholds.criticalBytes,
  ...(reading.boundBy === undefined ? {} : { memory_bound_by: reading.boundBy }),
  hog_policy: settings.hogPolicy,
  hog_names: settings.hogNames,
  node_kill_threshold_bytes: settings.nodeKillThresholdBytes,
  dry_run: settings.dryRun,
  workers: choice.holdings.map(({ heldBytes, processes, project }) => ({
    project,
    memory_bytes: heldBytes,
    processes
  })),
  would_end: choice.victims.map(victimRow),
  would_spare: sparedRows(choice)
})
