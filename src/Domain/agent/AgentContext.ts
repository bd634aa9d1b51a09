import * as Schema from "effect/Schema"
import { isObject, type JsonObject, numberAt, objectAt } from "./AgentLine.ts"
import { modelAt, usageAt } from "./AgentUsage.ts"

/** How much of the model's context the conversation fills. */
export const AgentContext = Schema.Struct({
  /** The size of the context by model, in tokens, as results tell it. */
  windows: Schema.Array(Schema.Struct({ model: Schema.String, tokens: Schema.Number })),
  /** The model of the last answer, and the tokens that it has read. */
  model: Schema.optional(Schema.String),
  tokens: Schema.optional(Schema.Number),
  compactions: Schema.Int
})
export type AgentContext = typeof AgentContext.Type

export const noContext: AgentContext = { windows: [], compactions: 0 }

const maxModels = 8

/** Takes an answer of the agent itself: a message. */
export const withContextOf = (context: AgentContext, message: JsonObject): AgentContext => {
  const { cacheCreation, cacheRead, input } = usageAt(message)
  const tokens = input + cacheRead + cacheCreation
  return tokens === 0 ? context : { ...context, model: modelAt(message) ?? context.model, tokens }
}

/** Takes the usage by model of a result. */
export const withWindows = (context: AgentContext, modelUsage: JsonObject): AgentContext => {
  const told = Object.entries(modelUsage).flatMap(([name, usage]) => {
    const tokens = isObject(usage) ? numberAt(usage, "contextWindow") : undefined
    const model = modelAt({ model: name })
    return tokens === undefined || tokens <= 0 || model === undefined ? [] : [{ model, tokens }]
  })
  const others = context.windows.filter(({ model }) => told.every((window) => window.model !== model))
  return told.length === 0 ? context : { ...context, windows: [...others, ...told].slice(-maxModels) }
}

/** Takes the end of a compaction. */
export const withCompaction = (context: AgentContext, object: JsonObject): AgentContext => {
  const after = numberAt(objectAt(object, "compact_metadata"), "post_tokens")
  return { ...context, compactions: context.compactions + 1, tokens: after ?? context.tokens }
}
