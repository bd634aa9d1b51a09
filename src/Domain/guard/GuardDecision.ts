import type { MemorySample } from "../memory/MemorySample.ts"
import type { ProjectName } from "../Project.ts"
import type { MemorySettings } from "../settings/MemorySettings.ts"
import { humanBytes } from "../text/Amounts.ts"
import { quoted } from "../text/Printable.ts"
import type { WorkerHolding } from "../tree/ProcessOrigin.ts"
import type { HogChoice, Victim } from "./HogChoice.ts"

/** A worker that may be restarted for memory. */
export interface RestartCandidate {
  readonly project: ProjectName
  readonly criticalRestart: MemorySettings["criticalRestart"]
  /** The time of its start on the monotonic clock; undefined while it does not run. */
  readonly startedMs: number | undefined
  /** A stopping worker is about to free its memory. */
  readonly isStopping: boolean
}

/** A process that was signalled. */
export interface Signalled {
  readonly startTicks: number
  /** `terminating`: SIGTERM was sent. `survived`: SIGKILL had no effect, or the system refused the signal. */
  readonly stage: "terminating" | "survived"
}

/** The time since memory was last plentiful. */
export interface Shortage {
  /** On the monotonic clock. */
  readonly sinceMs: number
  /** The worker that was restarted for this shortage, and the time. */
  readonly restarted: { readonly project: ProjectName; readonly atMs: number } | undefined
}

/** The next action against a shortage. */
export type GuardDecision =
  | { readonly _tag: "KillHog"; readonly victim: Victim; readonly signal: "SIGTERM" | "SIGKILL" }
  | { readonly _tag: "RestartWorker"; readonly holding: WorkerHolding }
  /** Cuts the grace period of the worker that is stopping for memory. */
  | { readonly _tag: "Hasten"; readonly project: ProjectName }
  /** An earlier action still takes effect. */
  | { readonly _tag: "Await"; readonly because: string }
  | { readonly _tag: "Nothing"; readonly why: NothingReason; readonly because: string }

/** Why nothing is killed or restarted, to tell whether the reason is a new one. */
type NothingReason = "not-critical" | "survivors" | "no-worker" | "no-cause" | "restarted"

/** Everything that a decision depends on. */
export interface GuardInput {
  readonly sample: MemorySample
  readonly choice: HogChoice
  readonly workers: ReadonlyArray<RestartCandidate>
  readonly shortage: Shortage
  /** By pid. */
  readonly signalled: ReadonlyMap<number, Signalled>
}

const stageOf = (
  { pid, startTicks }: Victim,
  signalled: GuardInput["signalled"]
): Signalled["stage"] | undefined => {
  const found = signalled.get(pid)
  return found?.startTicks === startTicks ? found.stage : undefined
}

/** The bytes missing until memory is plentiful. */
const shortfall = ({ reading, thresholds }: MemorySample): number =>
  thresholds.minAvailableBytes - reading.availableBytes

/** A worker without a grace period is better than an out-of-memory kill of any process. */
const isNearlyOut = ({ reading, thresholds }: MemorySample): boolean =>
  reading.availableBytes < thresholds.criticalBytes / 2

const restartWorker = ({ choice, sample, shortage, workers }: GuardInput): GuardDecision => {
  const { restarted, sinceMs } = shortage
  const [most] = choice.holdings
  // A smaller worker that stops for another reason frees too little to wait for.
  const stopping = workers.find(
    ({ isStopping, project }) => isStopping && (project === restarted?.project || project === most?.project)
  )
  if (stopping !== undefined) {
    return stopping.project === restarted?.project && isNearlyOut(sample)
      ? { _tag: "Hasten", project: stopping.project }
      : { _tag: "Await", because: `the worker of ${quoted(stopping.project)} is stopping` }
  }
  const known = new Map(workers.map((worker) => [worker.project, worker]))
  const runsAnew =
    restarted !== undefined &&
    (known.get(restarted.project)?.startedMs ?? Number.NEGATIVE_INFINITY) > restarted.atMs
  if (restarted !== undefined && !runsAnew) {
    return {
      _tag: "Nothing",
      why: "restarted",
      because: `the worker of ${quoted(restarted.project)} was restarted for this shortage already, and other processes hold the memory`
    }
  }
  const isCause = ({ heldBytes }: WorkerHolding): boolean => heldBytes >= shortfall(sample)
  const mayBe = (holding: WorkerHolding): boolean => {
    const worker = known.get(holding.project)
    if (worker?.startedMs === undefined) return false
    // A user who starts a worker during a shortage was warned: it may run unless it is the cause.
    const mustBeCause =
      worker.criticalRestart === "if-cause" || worker.startedMs >= sinceMs || restarted !== undefined
    return !mustBeCause || isCause(holding)
  }
  const holding = choice.holdings.find(mayBe)
  if (holding !== undefined) return { _tag: "RestartWorker", holding }
  if (most === undefined)
    return { _tag: "Nothing", why: "no-worker", because: "no process qualifies, and no worker runs" }
  return {
    _tag: "Nothing",
    why: "no-cause",
    because: `no process qualifies, and no worker is the cause: the largest, of ${quoted(most.project)}, holds ${humanBytes(most.heldBytes)}`
  }
}

/**
 * Decides what to do while memory is short: kill hogs first, one at a time; only when memory is critical and no hog is
 * left, restart the worker that holds most. Never two workers for one shortage, unless the first one runs again and
 * another is the cause.
 */
export const decide = (input: GuardInput): GuardDecision => {
  const { choice, sample, signalled } = input
  const victim = choice.victims.find((one) => stageOf(one, signalled) !== "survived")
  if (victim !== undefined) {
    // A hog that got SIGTERM before, in this shortage or an earlier one, has had its grace period.
    return {
      _tag: "KillHog",
      victim,
      signal: stageOf(victim, signalled) === undefined ? "SIGTERM" : "SIGKILL"
    }
  }
  if (sample.level === "critical") return restartWorker(input)
  return choice.victims.length > 0
    ? { _tag: "Nothing", why: "survivors", because: "the processes to kill have survived SIGKILL" }
    : {
        _tag: "Nothing",
        why: "not-critical",
        because: "no process qualifies, and the daemon restarts a worker only when memory is critical"
      }
}

/** The grace period of a hog, shorter when memory is critical. */
export const hogGraceMs = ({ level }: MemorySample): number => (level === "critical" ? 500 : 5000)
