import type { MemoryLook } from "../memory/MemoryLook.ts"
import type { ProjectName } from "../Project.ts"
import type { MemorySettings } from "../settings/MemorySettings.ts"
import { humanBytes } from "../text/Amounts.ts"
import { quoted } from "../text/Printable.ts"
import type { WorkerHolding } from "../tree/ProcessOrigin.ts"
import type { HogChoice, Victim } from "./HogChoice.ts"

/** What is known of a worker when one may have to be restarted for memory. */
export interface WorkerAtStake {
  readonly project: ProjectName
  readonly criticalRestart: MemorySettings["criticalRestart"]
  /** When it was started, on the monotonic clock; undefined while none runs. */
  readonly startedMs: number | undefined
  /** Its processes are being ended, which will give memory back. */
  readonly isEnding: boolean
}

/** A process that was signalled, and what with. With its start time the pid names it for ever. */
export interface Signalled {
  readonly startTicks: number
  /** `survived`: KILL had no effect, or it could not be signalled at all. */
  readonly stage: "asked" | "survived"
}

/** What was done since memory was last plentiful. */
export interface Shortage {
  /** On the monotonic clock. */
  readonly sinceMs: number
  /** The worker that was restarted for it, and when. */
  readonly restarted: { readonly project: ProjectName; readonly atMs: number } | undefined
}

/** What is done next about memory that is short. */
export type GuardDecision =
  | { readonly _tag: "EndHog"; readonly victim: Victim; readonly signal: "SIGTERM" | "SIGKILL" }
  | { readonly _tag: "RestartWorker"; readonly holding: WorkerHolding }
  /** The worker that is being ended for memory gets no more time. */
  | { readonly _tag: "Hasten"; readonly project: ProjectName }
  /** Something was done already; it takes a moment to have an effect. */
  | { readonly _tag: "Await"; readonly because: string }
  | { readonly _tag: "Nobody"; readonly why: NobodyReason; readonly because: string }

/** Why nobody is ended or restarted, for those who only want to know whether it is another reason than before. */
type NobodyReason = "not-critical" | "survivors" | "no-worker" | "no-cause" | "restarted"

/** What a decision goes by. */
export interface GuardSight {
  readonly look: MemoryLook
  readonly choice: HogChoice
  readonly workers: ReadonlyArray<WorkerAtStake>
  readonly shortage: Shortage
  /** By pid. */
  readonly signalled: ReadonlyMap<number, Signalled>
}

const stageOf = (
  { pid, startTicks }: Victim,
  signalled: GuardSight["signalled"]
): Signalled["stage"] | undefined => {
  const found = signalled.get(pid)
  return found?.startTicks === startTicks ? found.stage : undefined
}

/** How much is missing until memory is plentiful, in bytes. */
const shortfall = ({ reading, thresholds }: MemoryLook): number =>
  thresholds.minAvailableBytes - reading.availableBytes

/** What the kernel would do in a moment, to whom it likes, is worse than a worker that cannot end in peace. */
const isNearlyOut = ({ reading, thresholds }: MemoryLook): boolean =>
  reading.availableBytes < thresholds.criticalBytes / 2

const restartWorker = ({ choice, look, shortage, workers }: GuardSight): GuardDecision => {
  const { restarted, sinceMs } = shortage
  const [most] = choice.holdings
  // Another one that is being ended may take its time, and gives little back.
  const ending = workers.find(
    ({ isEnding, project }) => isEnding && (project === restarted?.project || project === most?.project)
  )
  if (ending !== undefined) {
    return ending.project === restarted?.project && isNearlyOut(look)
      ? { _tag: "Hasten", project: ending.project }
      : { _tag: "Await", because: `the worker of ${quoted(ending.project)} is being ended` }
  }
  const known = new Map(workers.map((worker) => [worker.project, worker]))
  const runsAnew =
    restarted !== undefined &&
    (known.get(restarted.project)?.startedMs ?? Number.NEGATIVE_INFINITY) > restarted.atMs
  if (restarted !== undefined && !runsAnew) {
    return {
      _tag: "Nobody",
      why: "restarted",
      because: `the worker of ${quoted(restarted.project)} was restarted for this shortage, and others hold the memory`
    }
  }
  const isCause = ({ heldBytes }: WorkerHolding): boolean => heldBytes >= shortfall(look)
  const mayBe = (holding: WorkerHolding): boolean => {
    const worker = known.get(holding.project)
    if (worker?.startedMs === undefined) return false
    // Who starts a worker although memory is short has been warned, and shall have it as long as it is not the cause.
    const mustBeCause =
      worker.criticalRestart === "if-cause" || worker.startedMs >= sinceMs || restarted !== undefined
    return !mustBeCause || isCause(holding)
  }
  const holding = choice.holdings.find(mayBe)
  if (holding !== undefined) return { _tag: "RestartWorker", holding }
  if (most === undefined) return { _tag: "Nobody", why: "no-worker", because: "no worker runs" }
  return {
    _tag: "Nobody",
    why: "no-cause",
    because: `no worker is the cause: the largest, of ${quoted(most.project)}, holds ${humanBytes(most.heldBytes)}`
  }
}

/**
 * What to do while memory is less than plentiful: hogs first, one at a time; only when memory is critical and none is
 * left, the worker that holds most. Never two workers for one shortage, unless the first one runs again and another
 * is the cause.
 */
export const decide = (sight: GuardSight): GuardDecision => {
  const { choice, look, signalled } = sight
  const victim = choice.victims.find((one) => stageOf(one, signalled) !== "survived")
  if (victim !== undefined) {
    // It has had its time to end by itself, in this shortage or in an earlier one.
    return {
      _tag: "EndHog",
      victim,
      signal: stageOf(victim, signalled) === undefined ? "SIGTERM" : "SIGKILL"
    }
  }
  if (look.level === "critical") return restartWorker(sight)
  return choice.victims.length > 0
    ? { _tag: "Nobody", why: "survivors", because: "those that should be ended cannot be" }
    : { _tag: "Nobody", why: "not-critical", because: "a worker is restarted only when memory is critical" }
}

/** How long a hog that was asked to end may take before it is killed. At critical memory there is less time. */
export const hogGraceMs = ({ level }: MemoryLook): number => (level === "critical" ? 500 : 5000)
