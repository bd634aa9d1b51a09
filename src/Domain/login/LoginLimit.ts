import * as Schema from "effect/Schema"
import type { AgentRateLimit } from "../agent/AgentLimits.ts"
import { ProjectName } from "../Project.ts"
import { afterResetMs, limitEndMs } from "../verdict/CauseWait.ts"
import type { LoginEvent } from "./LoginEvent.ts"
import type { LoginWait } from "./LoginWords.ts"

/** A usage limit that a project has met, as `logins.json` keeps it. */
export const MetLimit = Schema.Struct({
  /** The project that has met it. */
  project: ProjectName,
  /** The time to try it again, in milliseconds since 1970. */
  untilMs: Schema.Number,
  /** The limits in a row without an answer between them. */
  inARow: Schema.Int
})
export type MetLimit = typeof MetLimit.Type

/** The content of `logins.json`. */
export const SavedLimits = Schema.Struct({ version: Schema.Literal(1), limits: Schema.Array(MetLimit) })
export type SavedLimits = typeof SavedLimits.Type

/** A run that may meet the limit again. Its first further answer shows that the limit is over. */
interface Probe {
  readonly project: ProjectName
  readonly sinceMs: number
  /** The finished answers of its run before it became a probe. */
  readonly turns: number
}

type LimitWindow = NonNullable<AgentRateLimit["windows"]>[number]

/** What the projects of one login know together. */
export interface LoginLimit {
  readonly met: MetLimit | undefined
  readonly probes: ReadonlyArray<Probe>
  /** Projects that have been told to wait. */
  readonly waiting: ReadonlyArray<ProjectName>
  /** The windows of the plan as last reported. */
  readonly windows: ReadonlyArray<LimitWindow>
  /** A user has started a project beyond its `hold_at`: windows that reset by then do not hold it. */
  readonly freedUntilMs: ReadonlyMap<ProjectName, number>
}

export const noLimit: LoginLimit = {
  met: undefined,
  probes: [],
  waiting: [],
  windows: [],
  freedUntilMs: new Map()
}

/** `hold_at` of the project; false where it is off. */
interface Asker {
  readonly project: ProjectName
  readonly holdAt: number | false
  /** Milliseconds since 1970. */
  readonly nowMs: number
}

export type LimitEvent =
  /** The project would start a run. */
  | ({ readonly _tag: "Ask"; readonly byUser: boolean } & Asker)
  /** A run of the project has ended at the usage limit. */
  | {
      readonly _tag: "Limited"
      readonly project: ProjectName
      readonly resetAtMs: number | undefined
      readonly nowMs: number
    }
  /** The agent of a running worker has reported. */
  | ({
      readonly _tag: "Reported"
      /** Its finished answers in this run. */
      readonly turns: number
      readonly windows: ReadonlyArray<LimitWindow>
      /** The time until which the agent waits for the limit inside its process. */
      readonly waitsUntilMs: number | undefined
      /** Its session can be continued, and no tool is in the middle of its work. */
      readonly mayStop: boolean
    } & Asker)
  /** A run of the project has ended in another way, or none has begun. */
  | {
      readonly _tag: "Ended"
      readonly project: ProjectName
      readonly turns: number
      readonly nowMs: number
    }

export type LimitAction =
  | { readonly _tag: "Go" }
  /** The start waits. */
  | { readonly _tag: "Wait"; readonly wait: LoginWait }
  /** The running worker of the project is stopped, and waits. */
  | { readonly _tag: "Stop"; readonly wait: LoginWait }
  /** The other projects of the login ask again. */
  | { readonly _tag: "Wake" }
  | { readonly _tag: "Publish"; readonly event: LoginEvent }

type LimitStep = readonly [LoginLimit, ReadonlyArray<LimitAction>]

/** A limit refuses the first request. A run that is neither refused nor answered for so long tells nothing. */
const longestProbeMs = 10 * 60_000

/** A limit that nobody has tried for this time after its end is forgotten. */
const staleMs = 60 * 60_000

const without = (state: LoginLimit, project: ProjectName) => ({
  probes: state.probes.filter((probe) => probe.project !== project),
  waiting: state.waiting.filter((one) => one !== project)
})

/** The window that holds the project: the last to reset of those that have reached `hold_at`. */
const holdOf = (state: LoginLimit, { holdAt, nowMs, project }: Asker): LoginWait | undefined => {
  if (holdAt === false) return undefined
  const freedMs = state.freedUntilMs.get(project) ?? 0
  const [last] = state.windows
    .flatMap(({ name, resetsAtMs, used }) =>
      used !== undefined && used >= holdAt && resetsAtMs !== undefined && resetsAtMs > nowMs
        ? [{ name, used, resetsAtMs }]
        : []
    )
    .filter(({ resetsAtMs }) => resetsAtMs > freedMs)
    .toSorted((a, b) => b.resetsAtMs - a.resetsAtMs)
  return (
    last && {
      _tag: "Window",
      name: last.name,
      used: last.used,
      holdAt,
      untilMs: last.resetsAtMs + afterResetMs
    }
  )
}

const onAsk = (before: LoginLimit, event: Extract<LimitEvent, { _tag: "Ask" }>): LimitStep => {
  const { byUser, nowMs, project } = event
  const isStale =
    before.met !== undefined && before.probes.length === 0 && nowMs > before.met.untilMs + staleMs
  const state = isStale ? { ...before, met: undefined } : before
  const held = holdOf(state, event)
  const others = without(state, project)
  const tell = (wait: LoginWait): LimitStep => [
    { ...state, ...others, waiting: [...others.waiting, project] },
    [{ _tag: "Wait", wait }]
  ]
  if (held !== undefined && !byUser) return tell(held)
  const freed = held === undefined ? state : freedBy(state, project, held.untilMs)
  if (state.met === undefined) return [{ ...freed, ...others }, [{ _tag: "Go" }]]
  const { met } = state
  const first = others.probes.find(({ sinceMs }) => sinceMs <= nowMs && nowMs - sinceMs < longestProbeMs)
  if (!byUser && nowMs < met.untilMs) return tell({ _tag: "Limit", by: met.project, untilMs: met.untilMs })
  if (!byUser && first !== undefined)
    return tell({ _tag: "Probe", by: first.project, untilMs: first.sinceMs + longestProbeMs })
  const probe = { project, sinceMs: nowMs, turns: 0 }
  const told = others.waiting.length === 0 ? [] : [publish({ _tag: "LimitTried", project })]
  return [{ ...freed, probes: [...others.probes, probe], waiting: others.waiting }, [{ _tag: "Go" }, ...told]]
}

const publish = (event: LoginEvent): LimitAction => ({ _tag: "Publish", event })

const freedBy = (state: LoginLimit, project: ProjectName, untilMs: number): LoginLimit => ({
  ...state,
  freedUntilMs: new Map([...state.freedUntilMs, [project, untilMs]])
})

/** The limit is met, for the first time or again. A limit that several runs meet at once is one. */
const met = (
  state: LoginLimit,
  project: ProjectName,
  resetAtMs: number | undefined,
  nowMs: number
): MetLimit => {
  const { met: known, probes } = state
  const isAgain =
    known !== undefined && (probes.some((probe) => probe.project === project) || nowMs >= known.untilMs)
  const inARow = (known?.inARow ?? 0) + (isAgain || known === undefined ? 1 : 0)
  const untilMs = limitEndMs(resetAtMs, nowMs, inARow)
  return known !== undefined && !isAgain
    ? { ...known, untilMs: Math.max(known.untilMs, untilMs) }
    : { project, untilMs, inARow }
}

/** A probe has an answer: the limit is over for all. */
const over = (state: LoginLimit, project: ProjectName): LimitStep => {
  const waiting = state.waiting.filter((one) => one !== project)
  return [
    { ...state, met: undefined, probes: [], waiting: [] },
    [...(waiting.length === 0 ? [] : [publish({ _tag: "LimitOver", project })]), { _tag: "Wake" }]
  ]
}

/** Whether the project is a probe that has answered since it became one. */
const hasAnswered = ({ probes }: LoginLimit, project: ProjectName, turns: number): boolean =>
  probes.some((probe) => probe.project === project && turns > probe.turns)

const withWindows = (state: LoginLimit, told: ReadonlyArray<LimitWindow>): LoginLimit => {
  const newest = told.filter(({ atMs, name }) =>
    state.windows.every((known) => known.name !== name || known.atMs < atMs)
  )
  if (newest.length === 0) return state
  const others = state.windows.filter(({ name }) => newest.every((window) => window.name !== name))
  return { ...state, windows: [...others, ...newest] }
}

const onReported = (before: LoginLimit, event: Extract<LimitEvent, { _tag: "Reported" }>): LimitStep => {
  const { mayStop, nowMs, project, turns, waitsUntilMs, windows } = event
  const state = withWindows(before, windows)
  if (waitsUntilMs !== undefined) {
    // The agent tries by itself when the time is over, so its project is the probe.
    const isKnown = state.met !== undefined && state.met.untilMs >= waitsUntilMs
    if (isKnown) return [state, []]
    const limit = met(state, project, waitsUntilMs, nowMs)
    const { probes } = without(state, project)
    const probe = { project, sinceMs: limit.untilMs, turns }
    return [{ ...state, met: limit, probes: [...probes, probe] }, [{ _tag: "Wake" }]]
  }
  const [after, actions]: LimitStep =
    state.met !== undefined && hasAnswered(state, project, turns) ? over(state, project) : [state, []]
  // The agent may tell nothing more, so the same report also decides about the windows.
  const wait = mayStop ? holdOf(after, event) : undefined
  return [after, wait === undefined ? actions : [...actions, { _tag: "Stop", wait }]]
}

const onEnded = (
  state: LoginLimit,
  { nowMs, project, turns }: Extract<LimitEvent, { _tag: "Ended" }>
): LimitStep => {
  if (state.met !== undefined && hasAnswered(state, project, turns)) return over(state, project)
  const isNextWanted =
    state.met !== undefined &&
    nowMs >= state.met.untilMs &&
    state.probes.some((probe) => probe.project === project)
  return [{ ...state, ...without(state, project) }, isNextWanted ? [{ _tag: "Wake" }] : []]
}

/**
 * The usage limit of one login: pure and total. When a project has met it, no other one starts until its time is over;
 * then one tries first, and the rest follow on its first answer. Workers that run are left alone.
 */
export const stepLimit = (state: LoginLimit, event: LimitEvent): LimitStep => {
  switch (event._tag) {
    case "Ask":
      return onAsk(state, event)
    case "Limited": {
      const { nowMs, project, resetAtMs } = event
      const limit = met(state, project, resetAtMs, nowMs)
      return [{ ...state, ...without(state, project), met: limit }, [{ _tag: "Wake" }]]
    }
    case "Reported":
      return onReported(state, event)
    case "Ended":
      return onEnded(state, event)
  }
}
