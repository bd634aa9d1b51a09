import type { AgentSeen } from "../agent/AgentSeen.ts"
import {
  type AgentWait,
  type Blocked,
  blockedOf,
  lingeringOf,
  noProgressOf,
  waitChangesMs,
  waitOf
} from "../agent/AgentSituation.ts"
import type { ProjectName } from "../Project.ts"
import type { AgentEvent } from "./AgentEvent.ts"

/** What has been told about the agent of one run. */
export interface AgentWatch {
  readonly blocked: ReadonlyArray<Blocked["why"]>
  readonly isStuck: boolean
  readonly hasFinished: boolean
  /** The wait that has been told and is not over. */
  readonly wait: AgentWait | undefined
}

export const beginWatch: AgentWatch = { blocked: [], isStuck: false, hasFinished: false, wait: undefined }

/** The next state, and what to tell. */
type Told = readonly [AgentWatch, ReadonlyArray<AgentEvent>]

/** Tasks that end within seconds of a success are worth no word. */
const lingersMs = 10_000

/** Tells once in a run, for each reason, that only a person helps. */
export const tellBlocked = (
  watch: AgentWatch,
  project: ProjectName,
  blocked: Pick<Blocked, "why" | "text"> | undefined
): Told => {
  if (blocked === undefined || watch.blocked.includes(blocked.why)) return [watch, []]
  const { text, why } = blocked
  return [{ ...watch, blocked: [...watch.blocked, why] }, [{ _tag: "AgentBlocked", project, why, text }]]
}

const tellStuck = (watch: AgentWatch, project: ProjectName, agent: AgentSeen): Told => {
  const text = watch.isStuck ? undefined : noProgressOf(agent)
  return text === undefined
    ? [watch, []]
    : [{ ...watch, isStuck: true }, [{ _tag: "AgentNoProgress", project, text }]]
}

const tellWait = (watch: AgentWatch, project: ProjectName, agent: AgentSeen, nowMs: number): Told => {
  const wait = waitOf(agent, nowMs)
  if (wait?.on === watch.wait?.on) return [watch, []]
  const over: ReadonlyArray<AgentEvent> =
    watch.wait !== undefined && wait === undefined
      ? [{ _tag: "AgentGoesOn", project, waitedMs: Math.max(0, nowMs - watch.wait.sinceMs) }]
      : []
  if (wait === undefined) return [{ ...watch, wait }, over]
  const { on, text, untilMs = null } = wait
  return [{ ...watch, wait }, [{ _tag: "AgentWaits", project, on, text, atMs: nowMs, untilMs }]]
}

const tellFinished = (
  watch: AgentWatch,
  project: ProjectName,
  agent: AgentSeen,
  nowMs: number,
  lingerMs: number | undefined
): Told => {
  const lingering = watch.hasFinished ? undefined : lingeringOf(agent, lingerMs)
  if (lingering === undefined || nowMs - lingering.sinceMs < lingersMs) return [watch, []]
  const { text, untilMs = null } = lingering
  return [{ ...watch, hasFinished: true }, [{ _tag: "AgentFinished", project, text, atMs: nowMs, untilMs }]]
}

/** Looks at a running agent, and tells what it meets. `lingerMs` is its longest wait after it has finished. */
export const watchAgent = (
  before: AgentWatch,
  project: ProjectName,
  agent: AgentSeen,
  nowMs: number,
  lingerMs?: number
): Told => {
  const [afterBlocked, blocked] = tellBlocked(before, project, blockedOf(agent))
  const [afterStuck, stuck] = tellStuck(afterBlocked, project, agent)
  const [afterWait, waits] = tellWait(afterStuck, project, agent, nowMs)
  const [after, finished] = tellFinished(afterWait, project, agent, nowMs, lingerMs)
  return [after, [...blocked, ...stuck, ...waits, ...finished]]
}

/** When to look again although the agent prints nothing; undefined where only its next line changes anything. */
export const nextLookMs = (watch: AgentWatch, agent: AgentSeen, nowMs: number): number | undefined => {
  const lingering = watch.hasFinished ? undefined : lingeringOf(agent)
  return lingering === undefined ? waitChangesMs(agent, nowMs) : lingering.sinceMs + lingersMs
}

/**
 * Why an agent that makes no progress is to be stopped, with the way on; undefined for one that does, or has finished: it
 * may be about to exit, and says so in its next turn if it is not.
 */
export const noProgressReason = (agent: AgentSeen): string | undefined => {
  const stuck = noProgressOf(agent)
  return stuck === undefined || agent.result?.isError === false
    ? undefined
    : `it makes no progress (restart.on_no_progress): it ${stuck}. Read its output with \`autopilotd logs\`, then run: ` +
        "autopilotd start-worker, which continues its session, or before it autopilotd budget reset, which begins anew"
}
