import type { AgentSeen } from "../agent/AgentSeen.ts"
import { heldBytes } from "../machine/ProcessEntry.ts"
import { figuresOf, type MemorySample } from "../memory/MemorySample.ts"
import type { ProjectName } from "../Project.ts"
import type { AgentPlan } from "../session/AgentPlan.ts"
import { agentRun } from "../session/AgentRun.ts"
import { microDollars } from "../text/Amounts.ts"
import type { Containment } from "../tree/WorkerGroup.ts"
import type { RunMemory } from "../tree/WorkerMemory.ts"
import { statusWord, type WorkerState } from "../worker/WorkerState.ts"
import type { MetricsData, WorkerMetrics } from "./MetricsData.ts"
import { type AgentCounts, reported, type Tally, tallyOf } from "./Tally.ts"

/** What is known of a project at one moment. */
export interface MeasuredProject {
  readonly project: ProjectName
  readonly state: WorkerState
  /** Undefined where the agent is unknown. */
  readonly plan: AgentPlan | undefined
  readonly nextStartMs: number | undefined
  readonly limitBytes: number | undefined
  /** Undefined while no worker runs. */
  readonly run:
    | {
        readonly memory: RunMemory | undefined
        readonly containment: Containment | undefined
        readonly lastOutputMs: number
        readonly agent: AgentSeen
      }
    | undefined
}

/** What is known of the daemon at one moment. */
export interface MeasuredDaemon {
  readonly facts: MetricsData["daemon"]
  /** Undefined until the first reading. */
  readonly memory: MemorySample | undefined
  readonly projects: ReadonlyArray<MeasuredProject>
}

/** A number of the wire: a sum of hostile figures may be none. */
const wire = (figure: number): number =>
  Number.isNaN(figure) ? 0 : Math.min(Number.MAX_SAFE_INTEGER, Math.max(0, Math.round(figure)))

/** The field, or none. */
const known = <K extends string>(key: K, figure: number | undefined): { readonly [P in K]?: number } =>
  // A computed key widens to string.
  figure === undefined ? {} : ({ [key]: wire(figure) } as { readonly [P in K]: number })

/** Zero tokens are those that the agent does not tell. */
const told = <K extends string>(key: K, tokens: number) => known(key, tokens === 0 ? undefined : tokens)

const agentMetrics = ({ messages, tokens, toolCalls, turns, usd }: AgentCounts) => ({
  turns: wire(turns),
  messages: wire(messages),
  tool_calls: wire(toolCalls),
  ...told("input_tokens", tokens.input),
  ...told("output_tokens", tokens.output),
  ...told("cache_read_tokens", tokens.cacheRead),
  ...told("cache_creation_tokens", tokens.cacheCreation),
  ...known("cost_micro_usd", usd === undefined ? undefined : microDollars(usd))
})

/** The windows of the plan that begin anew at a known time. */
const limitsOf = (agent: AgentSeen | undefined) =>
  (agent?.rateLimit?.windows ?? []).flatMap(({ name, resetsAtMs }) =>
    resetsAtMs === undefined ? [] : [{ name, resets_at_ms: wire(resetsAtMs) }]
  )

const runMetrics = (
  { containment, lastOutputMs, memory }: NonNullable<MeasuredProject["run"]>,
  startedMs: number | undefined
) => ({
  ...known("started_at_ms", startedMs),
  last_output_at_ms: wire(lastOutputMs),
  ...(memory === undefined
    ? {}
    : {
        memory_bytes: heldBytes(memory),
        swap_bytes: memory.swapBytes,
        peak_memory_bytes: memory.peakBytes,
        processes: memory.processes
      }),
  ...(containment === undefined ? {} : { own_cgroup: containment === "cgroup" })
})

const workerMetrics = (measured: MeasuredProject, tally: Tally): WorkerMetrics => {
  const { limitBytes, nextStartMs, plan, project, run, state } = measured
  const { exits, linesDropped, reported: agent, startedMs } = tallyOf(tally, project)
  const model = run?.agent.model ?? state.lastAgent?.model
  const limits = limitsOf(run?.agent)
  return {
    project,
    state: statusWord(state),
    ...(run === undefined ? {} : runMetrics(run, startedMs)),
    ...known("next_start_at_ms", nextStartMs),
    restarts: state.totalRestarts,
    exits,
    consecutive_failures: state.failures,
    ...known("memory_limit_bytes", limitBytes),
    lines_dropped: linesDropped,
    ...(agent === undefined ? {} : { agent: agentMetrics(agent) }),
    ...(model === undefined ? {} : { model }),
    ...(plan === undefined
      ? {}
      : {
          work_cost_micro_usd: microDollars(state.work.usd),
          ...known(
            "budget_micro_usd",
            plan.budget.workUsd === undefined ? undefined : microDollars(plan.budget.workUsd)
          )
        }),
    ...(limits.length === 0 ? {} : { limits })
  }
}

const memoryMetrics = (sample: MemorySample) => {
  const figures = figuresOf(sample)
  return {
    available_bytes: wire(figures.availableBytes),
    total_bytes: wire(figures.totalBytes),
    low_threshold_bytes: wire(figures.minAvailableBytes),
    critical_threshold_bytes: wire(figures.criticalBytes),
    level: figures.level,
    ...known("pressure_some_per_mille", figures.pressureSomePerMille),
    ...known("pressure_full_per_mille", figures.pressureFullPerMille)
  }
}

/** Builds the data of an answer to Metrics. Returns the tally with what the answer has reported. */
export const metricsData = (
  { facts, memory, projects }: MeasuredDaemon,
  tally: Tally
): readonly [tally: Tally, data: MetricsData] => {
  const after = projects.reduce(
    (before, { project, run }) => reported(before, project, run && agentRun(run.agent)),
    tally
  )
  return [
    after,
    {
      daemon: facts,
      ...(memory === undefined ? {} : { memory: memoryMetrics(memory) }),
      hogs_ended: after.hogs,
      workers: projects.map((project) => workerMetrics(project, after))
    }
  ]
}
