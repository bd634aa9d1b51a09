import * as Hash from "effect/Hash"
import * as Schema from "effect/Schema"

/** A tool call, described on one line. */
const AgentCall = Schema.Struct({
  id: Schema.String,
  name: Schema.String,
  input: Schema.String,
  atMs: Schema.Number,
  /** Absent while the tool runs. */
  endedMs: Schema.optional(Schema.Number),
  hasFailed: Schema.optional(Schema.Boolean)
})
type AgentCall = typeof AgentCall.Type

/** A tool call that came with the same arguments and the same result several times. */
const SameCall = Schema.Struct({
  hash: Schema.String,
  name: Schema.String,
  input: Schema.String,
  times: Schema.Int
})

/** What the agent does, and whether it does the same again and again. Counts only: they decide nothing. */
export const AgentWork = Schema.Struct({
  lastCall: Schema.optional(AgentCall),
  lastAnswer: Schema.optional(
    Schema.Struct({ message: Schema.optional(Schema.String), text: Schema.String, atMs: Schema.Number })
  ),
  /** The last different calls, the newest last. */
  sameCalls: Schema.Array(SameCall),
  sameAnswer: Schema.optional(Schema.Struct({ hash: Schema.Number, times: Schema.Int })),
  /** Requests in a row that the API refused with status 400. */
  badRequests: Schema.Int
})
export type AgentWork = typeof AgentWork.Type

export const noWork: AgentWork = { sameCalls: [], badRequests: 0 }

/** The most calls between two equal ones that still repeat: an agent that polls does other things meanwhile. */
const keptCalls = 4

/** A number for a tool call, by which another one with the same arguments is found. */
export const callHash = (name: string, input: unknown): number =>
  Hash.string(`${name} ${JSON.stringify(input)}`)

export const withCall = (work: AgentWork, call: AgentCall): AgentWork => ({ ...work, lastCall: call })

/** The end of a tool call; `content` is what it returned. */
export const withCallResult = (
  work: AgentWork,
  call: Pick<AgentCall, "id" | "name" | "input"> & { readonly hash: number | undefined },
  result: { readonly content: unknown; readonly hasFailed: boolean; readonly atMs: number }
): AgentWork => {
  const { atMs, content, hasFailed } = result
  const lastCall =
    work.lastCall?.id === call.id ? { ...work.lastCall, endedMs: atMs, hasFailed } : work.lastCall
  if (call.hash === undefined) return { ...work, lastCall }
  const hash = `${call.hash} ${Hash.string(JSON.stringify(content) ?? "")}`
  const before = work.sameCalls.find((same) => same.hash === hash)
  const others = work.sameCalls.filter((same) => same !== before)
  const same = { hash, name: call.name, input: call.input, times: (before?.times ?? 0) + 1 }
  return { ...work, lastCall, sameCalls: [...others, same].slice(-keptCalls) }
}

/** A text of an answer; `shown` is how it is shown. An answer may have several, one a line. */
export const withText = (
  work: AgentWork,
  {
    atMs,
    message,
    shown,
    text
  }: {
    readonly message: string | undefined
    readonly text: string
    readonly shown: string
    readonly atMs: number
  }
): AgentWork => {
  const isFurther = message === undefined || message !== work.lastAnswer?.message
  const hash = Hash.string(text)
  const times = work.sameAnswer?.hash === hash ? work.sameAnswer.times + (isFurther ? 1 : 0) : 1
  return { ...work, lastAnswer: { message, text: shown, atMs }, sameAnswer: { hash, times } }
}
