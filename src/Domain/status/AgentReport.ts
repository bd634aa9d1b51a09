import type { AgentContext } from "../agent/AgentContext.ts"
import { beginPace, recentActions } from "../agent/AgentPace.ts"
import { type AgentSeen, isAgent } from "../agent/AgentSeen.ts"
import { blockedOf, lingeringOf, noProgressOf, waitOf } from "../agent/AgentSituation.ts"
import { spentOf } from "../agent/AgentSpent.ts"
import type { AgentRun } from "../session/AgentRun.ts"
import { microDollars } from "../text/Amounts.ts"
import type { AgentData, LastAgentData } from "./AgentData.ts"

/** A number of the wire: a sum of hostile figures may be none. */
const whole = (figure: number): number => Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.round(figure)))

type Told<A> = { readonly [K in keyof A]?: Exclude<A[K], undefined> }

/** The fields that are known: the wire leaves out what is not, and never says null. */
const told = <A extends object>(fields: A): Told<A> =>
  // Object.fromEntries forgets which keys it takes.
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Told<A>

const perhapsWhole = (figure: number | undefined): number | undefined =>
  figure === undefined ? undefined : whole(figure)

/** Where zero says nothing. */
const some = (figure: number): number | undefined => (figure === 0 ? undefined : whole(figure))

const cost = ({ cost }: AgentSeen) => {
  const { answersSince, costUsd, isExact, tokens } = spentOf(cost)
  return {
    cost_micro_usd: costUsd === undefined ? undefined : microDollars(costUsd),
    cost_is_exact: costUsd === undefined ? undefined : isExact,
    answers_since_cost: some(answersSince),
    input_tokens: some(tokens.input),
    output_tokens: some(tokens.output),
    cache_read_tokens: some(tokens.cacheRead),
    cache_creation_tokens: some(tokens.cacheCreation)
  }
}

const context = ({ compactions, model, tokens, windows }: AgentContext) => ({
  context_tokens: perhapsWhole(tokens),
  context_window_tokens: perhapsWhole(windows.find((window) => window.model === model)?.tokens),
  compactions: some(compactions)
})

const work = ({ tools, work: { lastAnswer, lastCall } }: AgentSeen) => ({
  tools_running: some(tools.length),
  last_tool: lastCall && {
    name: lastCall.name,
    at_ms: whole(lastCall.atMs),
    ...told({
      input: lastCall.input === "" ? undefined : lastCall.input,
      ended_at_ms: perhapsWhole(lastCall.endedMs),
      failed: lastCall.hasFailed === true ? true : undefined
    })
  },
  last_answer: lastAnswer && { text: lastAnswer.text, at_ms: whole(lastAnswer.atMs) }
})

/** A terminal shows few, and the answer must stay short for the original's client. */
const maxTasks = 8

const tasks = ({ subagents, tasks: { running, wakeUp } }: AgentSeen) => ({
  subagents: some(subagents),
  tasks:
    running.length === 0
      ? undefined
      : running.slice(-maxTasks).map(({ description, isSubagent, sinceMs }) => ({
          description,
          subagent: isSubagent,
          since_ms: whole(sinceMs)
        })),
  wake_up_at_ms: perhapsWhole(wakeUp?.atMs)
})

/** The windows that have not begun anew since the agent told them. */
const limits = ({ rateLimit }: AgentSeen, nowMs: number) => {
  const windows = (rateLimit?.windows ?? []).filter(({ resetsAtMs, used }) =>
    resetsAtMs === undefined ? used !== undefined : resetsAtMs > nowMs
  )
  return windows.length === 0
    ? undefined
    : windows.map(({ name, resetsAtMs, used }) => ({
        name,
        ...told({
          used_per_mille: used === undefined ? undefined : whole(used * 1000),
          resets_at_ms: perhapsWhole(resetsAtMs)
        })
      }))
}

const retry = ({ retry: last }: AgentSeen) =>
  last && {
    attempt: whole(last.attempt),
    since_ms: whole(last.sinceMs),
    ...told({
      of: perhapsWhole(last.maxRetries),
      status: perhapsWhole(last.status),
      error: last.error,
      next_at_ms: last.delayMs === undefined ? undefined : whole(last.atMs + last.delayMs)
    })
  }

/** What a person should know first: it needs one, it waits, it has finished, it makes no progress. */
const situation = (agent: AgentSeen, nowMs: number, lingerMs: number | undefined) => {
  const blocked = blockedOf(agent)
  const wait = waitOf(agent, nowMs)
  const lingering = lingeringOf(agent, lingerMs)
  const stuck = noProgressOf(agent)
  return {
    blocked: blocked?.why,
    waits: wait?.on,
    finished_at_ms: perhapsWhole(lingering?.sinceMs),
    no_progress: stuck,
    situation:
      (blocked && `is blocked on a person: it ${blocked.text}`) ??
      wait?.text ??
      lingering?.text ??
      (stuck && `seems to make no progress: it ${stuck}`),
    until_ms:
      blocked === undefined ? perhapsWhole(wait === undefined ? lingering?.untilMs : wait.untilMs) : undefined
  }
}

/**
 * What an agent tells about itself; undefined for a worker that is none. `lingerMs` is its longest wait after it has
 * finished.
 */
export const agentData = (agent: AgentSeen, nowMs: number, lingerMs?: number): AgentData | undefined => {
  if (!isAgent(agent)) return undefined
  const { denials, model, pace = beginPace(nowMs), sessionId, turns } = agent
  return {
    since_ms: whole(pace.sinceMs),
    turns,
    actions: pace.actions,
    actions_last_minute: recentActions(pace, 1, nowMs),
    actions_last_ten_minutes: recentActions(pace, 10, nowMs),
    ...told({
      name: agent.agent,
      session_id: sessionId,
      model,
      ...work(agent),
      ...cost(agent),
      ...context(agent.context),
      ...tasks(agent),
      denials: some(denials.total),
      denied_tool: denials.tool,
      limits: limits(agent, nowMs),
      retry: retry(agent),
      ...situation(agent, nowMs, lingerMs)
    })
  }
}

/** What is left of the last run of an agent. */
export const lastAgentData = (run: AgentRun): LastAgentData => ({
  turns: whole(run.turns),
  ...told({
    name: run.name,
    session_id: run.sessionId,
    model: run.model,
    cost_micro_usd: run.costUsd === undefined ? undefined : microDollars(run.costUsd),
    cost_is_exact: run.isCostExact,
    blocked: run.blocked?.why
  })
})
