import * as Schema from "effect/Schema"
import { isObject, type JsonObject, shortened, textAt } from "./AgentLine.ts"

/** Tool calls that were denied because nobody was there to allow them. */
export const AgentDenials = Schema.Struct({
  total: Schema.Int,
  /** Those since the last call that was not denied. */
  inARow: Schema.Int,
  tool: Schema.optional(Schema.String),
  atMs: Schema.optional(Schema.Number),
  /** The ids of the last denied calls: a denial is told when it happens, and again in the result. */
  calls: Schema.Array(Schema.String)
})
export type AgentDenials = typeof AgentDenials.Type

export const noDenials: AgentDenials = { total: 0, inARow: 0, calls: [] }

const maxCalls = 64
const maxLength = 200

/** Takes a denied call: a `permission_denied` line, or one of `permission_denials` in a result. */
export const withDenial = (
  denials: AgentDenials,
  object: JsonObject,
  { atMs, mask }: { readonly atMs: number; readonly mask: (text: string) => string }
): AgentDenials => {
  const call = textAt(object, "tool_use_id")?.slice(0, maxLength)
  if (call !== undefined && denials.calls.includes(call)) return denials
  return {
    total: denials.total + 1,
    inARow: denials.inARow + 1,
    tool: shortened(mask(textAt(object, "tool_name") ?? "a tool"), maxLength),
    atMs,
    calls: call === undefined ? denials.calls : [...denials.calls, call].slice(-maxCalls)
  }
}

/** Takes the denials that a result lists. */
export const withListedDenials = (
  denials: AgentDenials,
  list: unknown,
  options: { readonly atMs: number; readonly mask: (text: string) => string }
): AgentDenials =>
  Array.isArray(list)
    ? list
        .slice(-maxCalls)
        .filter(isObject)
        .reduce<AgentDenials>((all, object) => withDenial(all, object, options), denials)
    : denials

/** Takes the end of a call: one that was allowed ends a row of denials. */
export const withAllowed = (denials: AgentDenials, call: string, hasFailed: boolean): AgentDenials =>
  denials.inARow === 0 || hasFailed || denials.calls.includes(call) ? denials : { ...denials, inARow: 0 }
