import type { CommandLine } from "../adapter/AgentAdapter.ts"
import type { Verdict } from "../verdict/ExitVerdict.ts"
import type { AgentPlan } from "./AgentPlan.ts"
import { allowance, type Today, usedUp } from "./Budget.ts"
import { anotherWork, isCostExact, type WorkRecord } from "./WorkRecord.ts"

/** How a run begins. */
export type RunStart =
  | {
      readonly _tag: "Run"
      readonly argv: CommandLine
      /** The work with this run, to be saved before the run begins. */
      readonly work: WorkRecord
      /** The session that the run continues. */
      readonly continued: string | undefined
      /** What the agent gets on standard input, for an agent that gets its prompt there. */
      readonly prompt: AgentPlan["prompt"]
    }
  /** Too little is left of a limit: another run would only cost money. */
  | { readonly _tag: "Refused"; readonly verdict: Verdict; readonly work: WorkRecord }

/** An agent looks the same under any name of its program. */
const named = (
  [program, ...rest]: CommandLine,
  name: string,
  change: (argv: CommandLine) => CommandLine | undefined
): CommandLine | undefined => {
  const changed = change([name, ...rest])
  return changed === undefined ? undefined : [program, ...changed.slice(1)]
}

/** A session is continued for the same task, and not for ever without an answer. */
const sessionToContinue = (plan: AgentPlan, work: WorkRecord): string | undefined =>
  plan.resume && work.task === plan.task && work.resumes < plan.resumeAttempts ? work.session : undefined

/**
 * The beginning of a run of a worker: which session, with which limits. Only an agent has a budget of the day. `sessionId`
 * names a new session.
 */
export const startOf = (
  argv: CommandLine,
  agent: { readonly plan: AgentPlan; readonly today: Today } | undefined,
  before: WorkRecord,
  sessionId: string
): RunStart => {
  if (agent === undefined) return { _tag: "Run", argv, work: before, continued: undefined, prompt: undefined }
  const { plan, today } = agent
  const work = before.isFinished ? { ...anotherWork(before), fruitless: before.fruitless } : before
  const usage = usedUp(plan, work, today)
  if (usage !== undefined) return { _tag: "Refused", verdict: { kind: "budget", usage }, work }
  const allowed = allowance(plan, work, today)
  if (allowed.turns === 0) return { _tag: "Refused", verdict: { kind: "max-turns", turns: work.turns }, work }
  const { adapter } = plan
  const limited = named(argv, adapter.name, (given) => adapter.limited?.(given, allowed)) ?? argv
  const session = sessionToContinue(plan, work)
  const resumed =
    session === undefined
      ? undefined
      : named(limited, adapter.name, (given) =>
          adapter.resume(given, session, plan.prompt === undefined ? plan.resumePrompt : undefined)
        )
  const fresh = plan.resume
    ? named(limited, adapter.name, (given) => adapter.first(given, sessionId))
    : undefined
  const run = { usd: 0, isExact: true, turns: 0 }
  const { session: _, ...others } = work
  const next = { ...others, isExact: isCostExact(work), task: plan.task, fruitless: work.fruitless + 1 }
  if (resumed !== undefined && session !== undefined) {
    const continued = {
      ...next,
      session,
      resumes: work.resumes + 1,
      run: { ...run, start: "resumed" as const }
    }
    const prompt = plan.prompt && { text: plan.resumePrompt }
    return { _tag: "Run", argv: resumed, work: continued, continued: session, prompt }
  }
  const begun =
    fresh === undefined
      ? { ...next, resumes: 0, run: { ...run, start: "plain" as const } }
      : { ...next, resumes: 0, session: sessionId, run: { ...run, start: "fresh" as const } }
  return { _tag: "Run", argv: fresh ?? limited, work: begun, continued: undefined, prompt: plan.prompt }
}
