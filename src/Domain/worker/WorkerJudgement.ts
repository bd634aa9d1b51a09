import { verdictOf } from "../verdict/ExitJudgement.ts"
import { describeVerdict, type Verdict } from "../verdict/ExitVerdict.ts"
import { describeEnd, type RunEvidence, type WorkerEnd } from "../verdict/WorkerEnd.ts"
import { followUp } from "./VerdictPolicy.ts"
import type { PublishedEvent, WorkerRules } from "./WorkerEvent.ts"
import type { Phase, Sequel, WorkerState } from "./WorkerState.ts"
import { fail, giveUp, hold, launch, publish, rest, type Step } from "./WorkerTransition.ts"

/** What follows an end, by the verdict on it. `sentence` says how it was. */
export const follow = (
  rules: WorkerRules,
  before: WorkerState,
  verdict: Verdict,
  {
    nowMs,
    sentence,
    uptimeMs
  }: { readonly nowMs: number; readonly sentence: string; readonly uptimeMs: number }
): Step => {
  const { project, restart } = rules
  const wasSteady = uptimeMs >= restart.successThresholdMs
  const { kind } = verdict
  const inARow = !wasSteady && before.streak?.kind === kind ? before.streak.inARow + 1 : 1
  // The steady timer may have fired in the same instant as the exit and lost.
  const state = { ...before, streak: { kind, inARow }, failures: wasSteady ? 0 : before.failures }
  const next = followUp(verdict, restart, { nowMs, inARow })
  switch (next._tag) {
    case "Restart":
      return kind === "done" && wasSteady ? launch(state, true) : fail(rules, state, sentence)
    case "Wait":
      return hold(rules, state, { ...next, again: true, awaits: "time" })
    case "Stop":
      return kind === "done"
        ? rest(rules, { ...state, failures: 0, wanted: "down" }, `its work is finished (${sentence})`)
        : giveUp(rules, state, next.because, { _tag: "PersonNeeded", project, reason: next.because })
  }
}

/** How a worker has ended, and the verdict on it. */
interface Judged {
  readonly ended: WorkerEnd
  readonly verdict: Verdict
  readonly nowMs: number
}

/** How it ended, in one sentence that says why where that is known. */
const describeJudged = ({ ended, verdict }: Omit<Judged, "nowMs">): string => {
  const end = describeEnd(ended)
  switch (verdict.kind) {
    case "done":
    case "killed-by-us":
    case "killed-by-other":
      return end
    case "crash": {
      const said = verdict.says ?? verdict.tail.at(-1)
      return said === undefined ? end : `${end}; its last words: ${said}`
    }
    case "out-of-memory":
      return verdict.by === "kernel" ? end : `${end}; ${describeVerdict(verdict)}`
    default:
      return `${end}; ${describeVerdict(verdict)}`
  }
}

const judge = (rules: WorkerRules, state: WorkerState, judged: Judged | undefined): Step => {
  if (judged === undefined) return fail(rules, state, "its supervision ended unexpectedly")
  const { ended, nowMs, verdict } = judged
  return follow(rules, state, verdict, { nowMs, sentence: describeJudged(judged), uptimeMs: ended.uptimeMs })
}

/** What follows once the tree of `Stopping` is gone. */
export const proceed = (
  rules: WorkerRules,
  state: WorkerState,
  sequel: Sequel,
  judged: Judged | undefined
): Step => {
  if (state.leaving !== undefined) return rest(rules, state, state.leaving)
  switch (sequel._tag) {
    case "Stay":
      return rest(rules, state, sequel.because)
    case "Start":
      return launch(state, true)
    case "Judge":
      return judge(rules, state, judged)
    case "Fail":
      return fail(rules, state, sequel.because)
    case "Hold":
      return hold(rules, state, sequel)
  }
}

/** The tree is gone, and all that the worker has said was read: only now the verdict on its end can be given. */
export const onDown = (
  rules: WorkerRules,
  state: WorkerState,
  { asked, cause, ended, sequel }: Extract<Phase, { _tag: "Stopping" }>,
  seen: RunEvidence | undefined
): Step => {
  if (ended === undefined || seen === undefined) return proceed(rules, state, sequel, undefined)
  const { agent, nowMs, peakMemoryBytes, tail, timeZone } = seen
  const { exit, oomKill, uptimeMs } = ended
  const verdict = verdictOf({
    exit,
    uptimeMs,
    asked,
    stall: cause?._tag === "Stall" ? cause.stall : undefined,
    overLimit: cause?._tag === "Limit" ? cause.figures : undefined,
    criticalMemory: cause?._tag === "Memory" ? cause.figures : undefined,
    oomKill,
    agent,
    tail,
    nowMs,
    timeZone
  })
  const told: PublishedEvent = {
    _tag: "WorkerEnded",
    project: rules.project,
    verdict,
    exit,
    uptimeMs,
    ...(oomKill && { oomKill }),
    ...(peakMemoryBytes === undefined ? {} : { peakMemoryBytes })
  }
  const before = { ...state, lastExit: describeJudged({ ended, verdict }) }
  const [next, actions] = proceed(rules, before, sequel, { ended, nowMs, verdict })
  return [next, [publish(told), ...actions]]
}
