import { figuresOf, type MemoryLook } from "../memory/MemoryLook.ts"
import type { WorkerHolding } from "../tree/ProcessOrigin.ts"
import type { Signalled } from "./GuardDecision.ts"
import type { Candidate, GuardEvent } from "./GuardEvent.ts"
import type { HogChoice, Victim } from "./HogChoice.ts"
import type { HogRow, SparedRow } from "./HogsData.ts"
import { sparedRows, victimRow } from "./HogsReport.ts"

/** So many others are told of with each decision. */
const maxCandidates = 5

/** Nobody asks why the daemon has not ended itself. */
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

/** A process was signalled, or would be. */
export const hogSignalled = (
  victim: Victim,
  signal: EventOf<"HogSignalled">["signal"],
  choice: HogChoice,
  look: MemoryLook,
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
    figures: figuresOf(look),
    ...others(choice, victim)
  }
}

/** Memory is short, and nothing is done about it. */
export const nobodyToEnd = (
  reason: string,
  choice: HogChoice | undefined,
  look: MemoryLook
): EventOf<"NobodyToEnd"> => ({
  _tag: "NobodyToEnd",
  reason,
  figures: figuresOf(look),
  ...(choice === undefined ? { next: [], spared: [] } : others(choice))
})

/** A worker is restarted, or would be. */
export const restartedForMemory = (
  { heldBytes, processes, project }: WorkerHolding,
  { holdings }: HogChoice,
  look: MemoryLook,
  dryRun: boolean
): EventOf<"RestartedForMemory"> => ({
  _tag: "RestartedForMemory",
  project,
  dryRun,
  heldBytes,
  processes,
  figures: figuresOf(look),
  workers: holdings
    .filter((other) => other.project !== project)
    .slice(0, maxCandidates)
    .map((other) => ({ project: other.project, heldBytes: other.heldBytes }))
})

/** How a process has outlived a signal. */
export const survivedBecause = (outcome: "refused" | Signalled["stage"]): string =>
  outcome === "refused"
    ? "the system does not let this daemon signal it"
    : "KILL has had no effect, it may hang in the kernel"
