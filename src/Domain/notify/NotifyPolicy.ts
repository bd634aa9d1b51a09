import * as Schema from "effect/Schema"
import { NotifyKind } from "../settings/NotifySettings.ts"
import { humanDuration } from "../text/Amounts.ts"
import type { Zone } from "../text/LocalTime.ts"
import { perhaps } from "../Wire.ts"
import { digestOf, Held, withHeld } from "./Digest.ts"
import type { NewsItem } from "./News.ts"
import { Notification } from "./Notification.ts"
import { isQuiet, type QuietHours } from "./QuietHours.ts"

/** What a channel wants to be told, and when. */
export interface NotifyRules {
  readonly kinds: ReadonlyArray<NotifyKind>
  readonly minIntervalMs: number
  readonly quietHours: QuietHours
  readonly quietExcept: ReadonlyArray<NotifyKind>
  readonly zone: Zone
}

/** The notifications of one kind about one project. */
const Group = Schema.Struct({
  toldMs: Schema.Number,
  /** Those that wait for the interval to pass: their number, and the last one. */
  waiting: perhaps(Schema.Struct({ count: Schema.Int, last: Notification }))
})
type Group = typeof Group.Type

/** What a channel has been told, and what waits to be told. */
export const PolicyState = Schema.Struct({
  groups: Schema.Record({ key: Schema.String, value: Group }),
  /** What the quiet hours hold back. */
  held: Schema.Array(Held),
  /** The projects, and "" for the daemon, of which something bad has been told. */
  troubled: Schema.Array(Schema.String)
})
export type PolicyState = typeof PolicyState.Type

export const nothingWaits: PolicyState = { groups: {}, held: [], troubled: [] }

type Outcome = readonly [state: PolicyState, notifications: ReadonlyArray<Notification>]

/** The daemon has more than one trouble, and the second must not wait for the first. */
const groupOf = ({ kind, project = "", title }: Notification): string =>
  kind === "daemon" ? `${kind} ${project} ${title}` : `${kind} ${project}`

/** A clock that was set back must not hold back anything. */
const isDue = ({ toldMs }: Group, { minIntervalMs }: NotifyRules, nowMs: number): boolean =>
  nowMs - toldMs >= minIntervalMs || nowMs < toldMs

const isKind = (kinds: ReadonlyArray<NotifyKind>, { kind }: Notification): boolean =>
  kinds.some((one) => one === kind)

const isHeld = (rules: NotifyRules, notification: Notification, nowMs: number): boolean =>
  isQuiet(rules.quietHours, nowMs, rules.zone) && !isKind(rules.quietExcept, notification)

const summary = ({ toldMs, waiting }: Group, nowMs: number): ReadonlyArray<Notification> => {
  if (waiting === undefined) return []
  const { count, last } = waiting
  if (count === 1) return [last]
  return [
    {
      ...last,
      title: `${last.title} (${count} times)`,
      text: `${count} times in ${humanDuration(Math.max(0, nowMs - toldMs))}, the last time:\n${last.text}`,
      count
    }
  ]
}

const longestKeptMs = 86_400_000

/** Tells what has waited long enough, or holds it back, and forgets what is long past. */
const advance = (rules: NotifyRules, state: PolicyState, nowMs: number): Outcome => {
  const told: Array<Notification> = []
  const groups: Record<string, Group> = {}
  let { held } = state
  for (const [key, group] of Object.entries(state.groups)) {
    const { waiting } = group
    if (waiting === undefined) {
      if (nowMs - group.toldMs < Math.max(rules.minIntervalMs, longestKeptMs)) groups[key] = group
    } else if (!isDue(group, rules, nowMs)) groups[key] = group
    else if (isHeld(rules, waiting.last, nowMs)) {
      held = withHeld(held, waiting.last, waiting.count)
      groups[key] = { toldMs: group.toldMs }
    } else {
      told.push(...summary(group, nowMs))
      groups[key] = { toldMs: nowMs }
    }
  }
  if (held.length > 0 && !isQuiet(rules.quietHours, nowMs, rules.zone)) {
    told.unshift(digestOf(held, rules.quietHours, nowMs))
    held = []
  }
  return [{ ...state, groups, held }, told]
}

const withoutGroup = ({ groups }: PolicyState, key: string): PolicyState["groups"] =>
  Object.fromEntries(Object.entries(groups).filter(([one]) => one !== key))

const badKinds: ReadonlySet<Notification["kind"]> = new Set<Notification["kind"]>([
  "crash",
  "failed",
  "daemon"
])

const isTroubled = ({ troubled }: PolicyState, { project = "" }: Notification): boolean =>
  troubled.includes(project)

const withTrouble = (state: PolicyState, notification: Notification): PolicyState => {
  const { kind, project = "" } = notification
  const others = state.troubled.filter((one) => one !== project)
  if (kind === "recovered") return { ...state, troubled: others }
  return badKinds.has(kind) ? { ...state, troubled: [...others, project] } : state
}

const tell = (
  rules: NotifyRules,
  before: PolicyState,
  notification: Notification,
  nowMs: number
): Outcome => {
  const { kind, project = "" } = notification
  // A failure says all that the crashes before it would.
  const swallowed =
    kind === "failed" ? { ...before, groups: withoutWaiting(before, `crash ${project}`) } : before
  if (!isKind(rules.kinds, notification)) return [swallowed, []]
  if (kind === "recovered" && !isTroubled(before, notification)) return [swallowed, []]
  const state = withTrouble(swallowed, notification)
  if (isHeld(rules, notification, nowMs))
    return [{ ...state, held: withHeld(state.held, notification, 1) }, []]
  const key = groupOf(notification)
  const group = state.groups[key]
  if (group === undefined || isDue(group, rules, nowMs))
    return [{ ...state, groups: { ...state.groups, [key]: { toldMs: nowMs } } }, [notification]]
  const waiting = { count: (group.waiting?.count ?? 0) + 1, last: notification }
  return [{ ...state, groups: { ...state.groups, [key]: { ...group, waiting } } }, []]
}

const withoutWaiting = ({ groups }: PolicyState, key: string): PolicyState["groups"] => {
  const group = groups[key]
  return group === undefined ? groups : { ...groups, [key]: { toldMs: group.toldMs } }
}

/** A user who acts knows of the crashes, and is told at once what happens next. */
const acted = (state: PolicyState, project: string): PolicyState => {
  const cleared = ["crash", "failed", "done"].reduce<PolicyState>(
    (one, kind) => ({ ...one, groups: withoutGroup(one, `${kind} ${project}`) }),
    state
  )
  return { ...cleared, troubled: cleared.troubled.filter((one) => one !== project) }
}

/**
 * What a channel is told now: of a piece of news, and of what has waited. Without an item only time has passed. `nowMs` is
 * in milliseconds since 1970.
 */
export const policyStep = (
  rules: NotifyRules,
  before: PolicyState,
  item: NewsItem | undefined,
  nowMs: number
): Outcome => {
  const [state, due] = advance(rules, before, nowMs)
  if (item === undefined) return [state, due]
  if (item._tag === "Acted") return [acted(state, item.project), due]
  const [next, told] = tell(rules, state, item.notification, nowMs)
  return [next, [...due, ...told]]
}

/** Whether time alone can bring something to tell. */
export const isWaiting = ({ groups, held }: PolicyState): boolean =>
  held.length > 0 || Object.values(groups).some(({ waiting }) => waiting !== undefined)
