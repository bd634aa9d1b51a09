import { figuresOf, type MemorySample } from "../memory/MemorySample.ts"
import type { WorkerHolding } from "../tree/ProcessOrigin.ts"
import type { Signalled } from "./GuardDecision.ts"
import type { Candidate, GuardEvent } from "./GuardEvent.ts"
import type { HogChoice, Victim } from "./HogChoice.ts"
import type { HogRow, SparedRow } from "./HogsData.ts"
import { sparedRows, victimRow } from "./HogsReport.ts"

/** The number of other processes in a report. */
const maxCandidates = 5

/** Not worth a line: the daemon never kills itself. */
const ourOwn: ReadonlySet<SparedRow["kind"]> = new Set(["daemon", "ancestor"])

const candidate = ({ memory_bytes: heldBytes, name, pid, reason }: HogRow | SparedRow): Candidate => ({
  pid,
  name,
  heldBytes,
  reason
})

const others = (choice: HogChoice, except?: Victim) => {
  const next = choice.victims.filter(({ pid }) => pid !== except?.pid)
  return {
    next: next.slice(0, maxCandidates).map(victimRow).map(candidate),
    spared: sparedRows(choice)
      .filter(({ kind }) => !ourOwn.has(kind))
      .slice(0, maxCandidates)
      .map(candidate)
  }
}

type EventOf<Tag> = Extract<GuardEvent, { readonly _tag: Tag }>

/** A process was signalled, or would be in dry-run mode. */
export const hogSignalled = (
  victim: Victim,
  signal: EventOf<"HogSignalled">["signal"],
  choice: HogChoice,
  sample: MemorySample,
  dryRun: boolean
): EventOf<"HogSignalled"> => {
  const { command, kind, memory_bytes, name, pid, reason, swap_bytes } = victimRow(victim)
  return {
    _tag: "HogSignalled",
    pid,
    name,
    dryRun,
    signal,
    kind,
    reason,
    command,
    heldBytes: memory_bytes,
    swapBytes: swap_bytes,
    figures: figuresOf(sample),
    ...others(choice, victim)
  }
}

/** Memory is short, and the guard does nothing. */
export const nothingToKill = (
  reason: string,
  choice: HogChoice | undefined,
  sample: MemorySample
): EventOf<"NobodyToEnd"> => ({
  _tag: "NobodyToEnd",
  reason,
  figures: figuresOf(sample),
  ...(choice === undefined ? { next: [], spared: [] } : others(choice))
})

/** A worker is restarted, or would be in dry-run mode. */
export const restartedForMemory = (
  { heldBytes, processes, project }: WorkerHolding,
  { holdings }: HogChoice,
  sample: MemorySample,
  dryRun: boolean
): EventOf<"RestartedForMemory"> => ({
  _tag: "RestartedForMemory",
  project,
  dryRun,
  heldBytes,
  processes,
  figures: figuresOf(sample),
  workers: holdings
    .filter((other) => other.project !== project)
    .slice(0, maxCandidates)
    .map((other) => ({ project: other.project, heldBytes: other.heldBytes }))
})

/** Why a process has survived. */
export const survivedBecause = (outcome: "refused" | Signalled["stage"]): string =>
  outcome === "refused"
    ? "the system does not permit the daemon to signal it"
    : "SIGKILL had no effect, so it may hang in the kernel"
