import { type AgentTokens, tokenSum } from "../agent/AgentUsage.ts"
import type { GuardEvent } from "../guard/GuardEvent.ts"
import type { DaemonEvent } from "../history/DaemonEvent.ts"
import type { ProjectName } from "../Project.ts"
import type { AgentRun } from "../session/AgentRun.ts"
import type { VerdictKind } from "../verdict/ExitVerdict.ts"

/** What the runs of an agent add up to. */
export interface AgentCounts {
  readonly turns: number
  readonly messages: number
  readonly toolCalls: number
  readonly tokens: AgentTokens
  /** US dollars; undefined while no run has told a price. */
  readonly usd: number | undefined
}

/** The counts of one project since the start of the daemon. */
interface ProjectTally {
  readonly exits: Readonly<Partial<Record<VerdictKind, number>>>
  /** The lines of its output that `worker.log` lacks. */
  readonly linesDropped: number
  /** The start of its last worker, in milliseconds since 1970. */
  readonly startedMs: number | undefined
  /** The runs of its agent that have ended; undefined while none has. */
  readonly ended: AgentCounts | undefined
  /** The counts that were reported last: a counter never falls. */
  readonly reported: AgentCounts | undefined
}

type HogSignalled = Extract<GuardEvent, { _tag: "HogSignalled" }>

/** Signals to processes of one kind. */
interface HogCount {
  readonly kind: HogSignalled["kind"]
  readonly signal: HogSignalled["signal"]
  readonly count: number
}

/** What happened since the start of the daemon. */
export interface Tally {
  readonly projects: ReadonlyMap<ProjectName, ProjectTally>
  readonly hogs: ReadonlyArray<HogCount>
}

export const noTally: Tally = { projects: new Map(), hogs: [] }

const noProjectTally: ProjectTally = {
  exits: {},
  linesDropped: 0,
  startedMs: undefined,
  ended: undefined,
  reported: undefined
}

export const tallyOf = ({ projects }: Tally, project: ProjectName): ProjectTally =>
  projects.get(project) ?? noProjectTally

const withProject = (
  tally: Tally,
  project: ProjectName,
  change: (before: ProjectTally) => ProjectTally
): Tally => ({ ...tally, projects: new Map(tally.projects).set(project, change(tallyOf(tally, project))) })

const countsOf = ({ costUsd, messages, tokens, toolCalls, turns }: AgentRun): AgentCounts => ({
  turns,
  messages: messages ?? 0,
  toolCalls: toolCalls ?? 0,
  tokens,
  usd: costUsd
})

const eitherOr = (
  a: number | undefined,
  b: number | undefined,
  by: (a: number, b: number) => number
): number | undefined => (a === undefined ? b : b === undefined ? a : by(a, b))

const sum = (a: AgentCounts | undefined, b: AgentCounts | undefined): AgentCounts | undefined =>
  a === undefined || b === undefined
    ? (a ?? b)
    : {
        turns: a.turns + b.turns,
        messages: a.messages + b.messages,
        toolCalls: a.toolCalls + b.toolCalls,
        tokens: tokenSum(a.tokens, b.tokens),
        usd: eitherOr(a.usd, b.usd, (x, y) => x + y)
      }

/** The larger of each figure. */
const noLess = (a: AgentCounts | undefined, b: AgentCounts | undefined): AgentCounts | undefined =>
  a === undefined || b === undefined
    ? (a ?? b)
    : {
        turns: Math.max(a.turns, b.turns),
        messages: Math.max(a.messages, b.messages),
        toolCalls: Math.max(a.toolCalls, b.toolCalls),
        tokens: {
          input: Math.max(a.tokens.input, b.tokens.input),
          output: Math.max(a.tokens.output, b.tokens.output),
          cacheRead: Math.max(a.tokens.cacheRead, b.tokens.cacheRead),
          cacheCreation: Math.max(a.tokens.cacheCreation, b.tokens.cacheCreation)
        },
        usd: eitherOr(a.usd, b.usd, Math.max)
      }

const withExit = (tally: ProjectTally, kind: VerdictKind, agent?: AgentRun): ProjectTally => ({
  ...tally,
  exits: { ...tally.exits, [kind]: (tally.exits[kind] ?? 0) + 1 },
  ended: agent === undefined ? tally.ended : sum(tally.ended, countsOf(agent))
})

const withHog = (hogs: ReadonlyArray<HogCount>, { kind, signal }: HogSignalled): ReadonlyArray<HogCount> => {
  const isSame = (one: HogCount) => one.kind === kind && one.signal === signal
  const before = hogs.find(isSame)?.count ?? 0
  return [...hogs.filter((one) => !isSame(one)), { kind, signal, count: before + 1 }]
}

/** The tally after an event. */
export const tallied = (tally: Tally, event: DaemonEvent, atMs: number): Tally => {
  switch (event._tag) {
    case "WorkerStarted":
      return withProject(tally, event.project, (before) => ({ ...before, startedMs: atMs }))
    case "WorkerEnded":
      return withProject(tally, event.project, (before) => withExit(before, event.verdict.kind, event.agent))
    case "WorkerNotStarted":
      return withProject(tally, event.project, (before) => withExit(before, "not-started"))
    case "OutputDropped":
      return withProject(tally, event.project, (before) => ({
        ...before,
        linesDropped: before.linesDropped + event.lines
      }))
    case "HogSignalled":
      return event.dryRun ? tally : { ...tally, hogs: withHog(tally.hogs, event) }
    case "ProjectRemoved": {
      const projects = new Map(tally.projects)
      projects.delete(event.project)
      return { ...tally, projects }
    }
    default:
      return tally
  }
}

/**
 * The tally of a project after a report, given the run that goes on. The estimate of a live run may exceed what its end
 * tells, and a run that is about to end is in neither: what was reported once stays the least.
 */
export const reported = (tally: Tally, project: ProjectName, live: AgentRun | undefined): Tally =>
  live === undefined && tallyOf(tally, project).ended === undefined
    ? tally
    : withProject(tally, project, (before) => ({
        ...before,
        reported: noLess(before.reported, sum(before.ended, live && countsOf(live)))
      }))
