import * as Schema from "effect/Schema"
import { isObject, type JsonObject, numberAt, objectAt, shortened, textAt } from "./AgentLine.ts"

/** Tokens by kind; `input` is what is neither read from the cache nor written to it. */
export const AgentTokens = Schema.Struct({
  input: Schema.Number,
  output: Schema.Number,
  cacheRead: Schema.Number,
  cacheCreation: Schema.Number
})
export type AgentTokens = typeof AgentTokens.Type

export const AgentAmount = Schema.Struct({ usd: Schema.Number, tokens: AgentTokens })
export type AgentAmount = typeof AgentAmount.Type

export const noTokens: AgentTokens = { input: 0, output: 0, cacheRead: 0, cacheCreation: 0 }
export const noAmount: AgentAmount = { usd: 0, tokens: noTokens }

const combined = (a: AgentTokens, b: AgentTokens, by: (a: number, b: number) => number): AgentTokens => ({
  input: by(a.input, b.input),
  output: by(a.output, b.output),
  cacheRead: by(a.cacheRead, b.cacheRead),
  cacheCreation: by(a.cacheCreation, b.cacheCreation)
})

export const tokenSum = (a: AgentTokens, b: AgentTokens): AgentTokens => combined(a, b, (x, y) => x + y)

export const amountSum = (a: AgentAmount, b: AgentAmount): AgentAmount => ({
  usd: a.usd + b.usd,
  tokens: tokenSum(a.tokens, b.tokens)
})

/** The part of `a` beyond `b`, never below zero. */
export const amountBeyond = (a: AgentAmount, b: AgentAmount): AgentAmount => ({
  usd: Math.max(0, a.usd - b.usd),
  tokens: combined(a.tokens, b.tokens, (x, y) => Math.max(0, x - y))
})

/** The price in input tokens: the prices of one model have these ratios, whichever model it is. */
export const unitsOf = ({ cacheCreation, cacheRead, input, output }: AgentTokens): number =>
  input + 5 * output + 0.1 * cacheRead + 1.25 * cacheCreation

/** A later figure is a fault of the agent, and its sums would lose digits. */
const largestFigure = 1e12

const figureAt = (object: JsonObject, key: string): number =>
  Math.min(largestFigure, Math.max(0, numberAt(object, key) ?? 0))

/** The usage of one request, as the API tells it. */
export const usageAt = (object: JsonObject): AgentTokens => {
  const usage = objectAt(object, "usage")
  return {
    input: figureAt(usage, "input_tokens"),
    output: figureAt(usage, "output_tokens"),
    cacheRead: figureAt(usage, "cache_read_input_tokens"),
    cacheCreation: figureAt(usage, "cache_creation_input_tokens")
  }
}

const maxNameLength = 200

/** The name of a model. */
export const modelAt = (object: JsonObject): string | undefined => {
  const model = textAt(object, "model")
  return model === undefined ? undefined : shortened(model, maxNameLength)
}

/** The usage and cost of one model. */
export interface ModelUsage extends AgentAmount {
  readonly model: string
}

const ofModel = (model: string, usage: JsonObject): ModelUsage => ({
  model: shortened(model, maxNameLength),
  usd: figureAt(usage, "costUSD"),
  tokens: {
    input: figureAt(usage, "inputTokens"),
    output: figureAt(usage, "outputTokens"),
    cacheRead: figureAt(usage, "cacheReadInputTokens"),
    cacheCreation: figureAt(usage, "cacheCreationInputTokens")
  }
})

/** The usage by model that a `result` tells at a key; undefined when it tells none there. */
export const modelUsageAt = (object: JsonObject, key: string): ReadonlyArray<ModelUsage> | undefined => {
  const value = object[key]
  if (!isObject(value)) return undefined
  return Object.entries(value).flatMap(([model, usage]) => (isObject(usage) ? [ofModel(model, usage)] : []))
}
