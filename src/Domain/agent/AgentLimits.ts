import * as Schema from "effect/Schema"
import { isObject, type JsonObject, numberAt, objectAt, shortened, textAt } from "./AgentLine.ts"
import { resetFigureMs } from "./UsageLimitReset.ts"

/** The use of one window of the plan: of five hours, of a week. */
const LimitWindow = Schema.Struct({
  /** `five_hour`, `seven_day` ... */
  name: Schema.String,
  /** The used share: 1 is all, and paid use beyond the plan is more. */
  used: Schema.optional(Schema.Number),
  resetsAtMs: Schema.optional(Schema.Number),
  atMs: Schema.Number
})
type LimitWindow = typeof LimitWindow.Type

/** The last report about the usage limit. */
export const AgentRateLimit = Schema.Struct({
  atMs: Schema.Number,
  /** `allowed`, `allowed_warning` or `rejected`. */
  status: Schema.String,
  /** The kind of limit: `five_hour`, `seven_day` ... */
  type: Schema.optional(Schema.String),
  /** Milliseconds since 1970. */
  resetsAtMs: Schema.optional(Schema.Number),
  /** The agent continues beyond the limit with paid usage. */
  isUsingOverage: Schema.Boolean,
  /** The windows as last told; a report may name some of them only. */
  windows: Schema.optional(Schema.Array(LimitWindow))
})
export type AgentRateLimit = typeof AgentRateLimit.Type

const maxWindows = 8
const maxNameLength = 60

type Mask = (text: string) => string

const windowOf = (name: string, object: JsonObject, atMs: number, mask: Mask): LimitWindow => {
  const used = numberAt(object, "utilization")
  return {
    name: shortened(mask(name), maxNameLength),
    used: used === undefined ? undefined : Math.min(1000, Math.max(0, used)),
    resetsAtMs: resetFigureMs(numberAt(object, "resetsAt"), atMs),
    atMs
  }
}

/** All windows that a report names; an older version names the one that it is about. */
const windowsIn = (info: JsonObject, atMs: number, mask: Mask): ReadonlyArray<LimitWindow> => {
  const all = Object.entries(objectAt(info, "unifiedWindows"))
    .slice(0, maxWindows)
    .flatMap(([name, object]) => (isObject(object) ? [windowOf(name, object, atMs, mask)] : []))
  const type = textAt(info, "rateLimitType")
  return all.length > 0 || type === undefined ? all : [windowOf(type, info, atMs, mask)]
}

/** Takes a `rate_limit_event`. */
export const withRateLimit = (
  before: AgentRateLimit | undefined,
  info: JsonObject,
  atMs: number,
  mask: Mask
): AgentRateLimit | undefined => {
  const status = textAt(info, "status")
  if (status === undefined) return before
  const type = textAt(info, "rateLimitType")
  const told = windowsIn(info, atMs, mask)
  const others = (before?.windows ?? []).filter(({ name }) => told.every((window) => window.name !== name))
  return {
    atMs,
    status: shortened(status, maxNameLength),
    type: type === undefined ? undefined : shortened(mask(type), maxNameLength),
    resetsAtMs: resetFigureMs(numberAt(info, "resetsAt"), atMs),
    isUsingOverage: info["isUsingOverage"] === true,
    windows: [...others, ...told].slice(-maxWindows)
  }
}
