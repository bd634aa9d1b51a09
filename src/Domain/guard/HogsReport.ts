import type { MemoryLook } from "../memory/MemoryLook.ts"
import type { MemorySettings } from "../settings/MemorySettings.ts"
import { humanBytes } from "../text/Amounts.ts"
import { printable, quoted } from "../text/Printable.ts"
import type { Guilt, HogChoice, Innocence, Looked, Victim } from "./HogChoice.ts"
import type { HogRow, HogsData, SparedRow } from "./HogsData.ts"

/** Longer command lines end in `...`. */
const maxCommandLength = 300

const maxNameLength = 100

type Told<Kind> = { readonly kind: Kind; readonly reason: string }

const tellGuilt = (guilt: Guilt): Told<HogRow["kind"]> => {
  switch (guilt._tag) {
    case "Leftover":
      return { kind: "leftover", reason: `left behind by a worker of ${quoted(guilt.project)} that is gone` }
    case "Orphan":
      return { kind: "orphan", reason: `lost by the worker of ${quoted(guilt.project)}, which goes on` }
    case "Hog":
      return { kind: "hog", reason: "large, and its name is one of hog_names" }
  }
}

const tellInnocence = (innocence: Exclude<Innocence, { readonly _tag: "Gone" }>): Told<SparedRow["kind"]> => {
  switch (innocence._tag) {
    case "Daemon":
      return { kind: "daemon", reason: "this daemon, or a part of it" }
    case "Ancestor":
      return { kind: "ancestor", reason: "this daemon was started from it" }
    case "System":
      return { kind: "system", reason: "a part of the system" }
    case "OtherUser":
      return { kind: "other-user", reason: "another user's" }
    case "Protected":
      return { kind: "protected", reason: `memory.protect has ${quoted(innocence.rule)}` }
    case "OtherDaemon":
      return { kind: "other-daemon", reason: "another autopilotd, or a part of one" }
    case "Worker":
      return { kind: "worker", reason: `a part of the worker of ${quoted(innocence.project)}` }
    case "Unclear":
      return {
        kind: "unclear",
        reason: `carries the id of the worker of ${quoted(innocence.project)}, but its parent cannot be seen`
      }
    case "OutsideGroup":
      return { kind: "outside-cgroup", reason: "outside of the cgroup whose memory is short" }
    case "Small":
      return {
        kind: "small",
        reason: `lost by the worker of ${quoted(innocence.project)}, but below node_kill_threshold_bytes`
      }
    case "OwnOnly":
      return { kind: "own-only", reason: 'hog_policy = "own", and no worker has left it behind' }
    case "OtherName":
      return { kind: "other-name", reason: "its name is not one of hog_names" }
    case "SmallerThanWorker": {
      const worker = `the worker of ${quoted(innocence.project)} (${humanBytes(innocence.bytes)})`
      return {
        kind: "smaller-than-worker",
        reason: `no larger than ${worker}: only when memory is critical`
      }
    }
  }
}

const row = <Kind>(
  { argv, heldBytes, name, pid, swapBytes }: Looked<unknown>,
  { kind, reason }: Told<Kind>,
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

const projectOf = (verdict: Guilt | Innocence): string | undefined =>
  "project" in verdict ? verdict.project : undefined

/** Who would be ended, as it is told. */
export const victimRow = (victim: Victim): HogRow =>
  row(victim, tellGuilt(victim.because), projectOf(victim.because))

/** Who would not be, the largest first, as it is told. Who has gone meanwhile is left out. */
export const sparedRows = ({ spared }: Pick<HogChoice, "spared">): ReadonlyArray<SparedRow> =>
  spared.flatMap((one) =>
    one.because._tag === "Gone" ? [] : [row(one, tellInnocence(one.because), projectOf(one.because))]
  )

/** What is told of a choice. */
export const hogsData = (
  choice: HogChoice,
  { level, reading, thresholds }: MemoryLook,
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
