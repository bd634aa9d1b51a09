import type { VerdictKind } from "../verdict/ExitVerdict.ts"
import type { ProjectPlan } from "./ProjectPlan.ts"
import { isFinished, type WorkerState } from "./WorkerState.ts"

/** The ways in which the work of a worker ends for good, the best first: the later, the less another try alone helps. */
const outcomes = ["finished", "limited", "stopped", "failed", "login-needed", "misconfigured"] as const

/**
 * How the work of a worker has ended. `limited`: by a usage limit or an API that is down, which `restart.on` does not
 * wait for. `stopped`: by a user, before it was finished. `misconfigured`: settings or arguments allow no start.
 */
export type Outcome = (typeof outcomes)[number]

/** A worker, and what is decided about it. */
export interface Judged {
  readonly plan: Pick<ProjectPlan, "project" | "refusal" | "restart">
  readonly state: WorkerState
}

/** The verdicts after which a failed worker is something else than `failed`. */
const failures: Readonly<Partial<Record<VerdictKind, Outcome>>> = {
  "usage-limit": "limited",
  overloaded: "limited",
  auth: "login-needed",
  "bad-arguments": "misconfigured",
  "not-started": "misconfigured"
}

/** A project without autostart that nobody has started takes no part in the work. */
const isAside = ({ state: { phase, wanted } }: Judged): boolean =>
  phase._tag === "Stopped" && wanted === "auto"

/**
 * How a worker has ended; undefined while it works, stops, waits for a time or for a process that cannot be killed, and
 * where the daemon starts a failed one again (`recovery_cooldown_ms`).
 */
export const outcomeOf = ({ plan, state }: Judged): Outcome | undefined => {
  const { lastEnd, leaving, phase } = state
  // A project that was removed from the settings counts until it is gone.
  if (leaving !== undefined) return undefined
  if (phase._tag === "Stopped") return isFinished(state) ? "finished" : "stopped"
  if (phase._tag !== "Failed" || plan.restart.recoveryCooldownMs !== false) return undefined
  if (plan.refusal !== undefined) return "misconfigured"
  return (lastEnd?.verdict && failures[lastEnd.verdict]) ?? "failed"
}

/** Whether a worker has failed, in a row that goes on or for good. */
export const hasFailed = (worker: Judged): boolean => {
  const outcome = outcomeOf(worker)
  return (
    worker.state.failures > 0 || (outcome !== undefined && outcome !== "finished" && outcome !== "stopped")
  )
}

/** Compares two workers: one whose outcome is worse comes first, one that has none comes last. */
export const worseFirst = (one: Judged, other: Judged): number => {
  const rank = (judged: Judged) => {
    const outcome = outcomeOf(judged)
    return outcome === undefined ? -1 : outcomes.indexOf(outcome)
  }
  return rank(other) - rank(one)
}

/** The end of all work of a daemon, and the reason as a clause without a full stop. */
export interface AllEnded {
  readonly outcome: Outcome
  readonly because: string
}

const clauses: Readonly<Record<Exclude<Outcome, "finished">, string>> = {
  limited: "a usage limit or an API that is down has stopped",
  stopped: "a user has stopped",
  failed: "these have failed:",
  "login-needed": "a login is needed by",
  misconfigured: "settings or arguments allow no start of"
}

/**
 * Decides whether the work of all workers has ended, for `start --exit-when-finished`. The worst outcome counts.
 * Undefined while one of them goes on. Settings with which no worker starts at all are `misconfigured`.
 */
export const allEnded = (workers: ReadonlyArray<Judged>): AllEnded | undefined => {
  const taking = workers.filter((worker) => !isAside(worker))
  if (taking.length === 0)
    return {
      outcome: "misconfigured",
      because: "no worker starts: autostart is off, and no user has started one"
    }
  const ended = taking.map((worker) => ({ project: worker.plan.project, outcome: outcomeOf(worker) }))
  if (ended.some(({ outcome }) => outcome === undefined)) return undefined
  const outcome = outcomes.findLast((one) => ended.some((worker) => worker.outcome === one)) ?? "finished"
  if (outcome === "finished") return { outcome, because: "all work is finished" }
  const names = ended.filter((worker) => worker.outcome === outcome).map(({ project }) => project)
  return { outcome, because: `all workers have ended; ${clauses[outcome]} ${names.join(", ")}` }
}
