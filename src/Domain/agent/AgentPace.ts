import * as Schema from "effect/Schema"

/** How fast an agent acts. An action is a tool call or an answer. */
export const AgentPace = Schema.Struct({
  /** The time of its first line. */
  sinceMs: Schema.Number,
  actions: Schema.Int,
  /** Those of them that are tool calls; absent before the first one. */
  toolCalls: Schema.optional(Schema.Int),
  /** The actions of the last ten minutes, by spans of five seconds since 1970. */
  spans: Schema.Array(Schema.Struct({ span: Schema.Int, actions: Schema.Int }))
})
export type AgentPace = typeof AgentPace.Type

const spanMs = 5000
const minuteMs = 60_000
const keptSpans = (10 * minuteMs) / spanMs

const spanOf = (atMs: number): number => Math.floor(atMs / spanMs)

export const beginPace = (sinceMs: number): AgentPace => ({ sinceMs, actions: 0, spans: [] })

const withActions = (pace: AgentPace, actions: number, atMs: number): AgentPace => {
  const span = spanOf(atMs)
  const before = pace.spans.find((one) => one.span === span)?.actions ?? 0
  // A clock that was set back leaves spans of the future.
  const kept = pace.spans.filter((one) => one.span < span && one.span > span - keptSpans)
  return { ...pace, actions: pace.actions + actions, spans: [...kept, { span, actions: before + actions }] }
}

export const withMessage = (pace: AgentPace, atMs: number): AgentPace => withActions(pace, 1, atMs)

export const withToolCalls = (pace: AgentPace, calls: number, atMs: number): AgentPace =>
  calls === 0 ? pace : { ...withActions(pace, calls, atMs), toolCalls: (pace.toolCalls ?? 0) + calls }

/** The actions of the last minutes, ten at most. */
export const recentActions = (pace: AgentPace, minutes: number, nowMs: number): number => {
  const now = spanOf(nowMs)
  return pace.spans
    .filter(({ span }) => span <= now && span > now - (minutes * minuteMs) / spanMs)
    .reduce((sum, { actions }) => sum + actions, 0)
}
