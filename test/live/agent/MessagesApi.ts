import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { type AgentApi, serveAgentApi } from "./AgentApi.ts"

/** What the agent does in answer to one request. */
export type Turn = {
  /** The tokens of the request, as the API has counted them. */
  readonly inputTokens?: number
} & (
  | /** It says something, and with that its work is finished. */
  { readonly _tag: "Say"; readonly text: string }
  /** It runs a command with its Bash tool and asks again once that has ended. */
  | {
      readonly _tag: "Bash"
      readonly command: string
      readonly timeoutMs?: number
      readonly isInBackground?: boolean
    }
  /** It calls another tool. */
  | { readonly _tag: "Tool"; readonly name: string; readonly input: Readonly<Record<string, unknown>> }
)

/** The five-hour window of a login: its used share, and its reset in milliseconds since 1970. */
interface Window {
  readonly used: number
  readonly resetsAtMs: number
}

/** The agent asks what to do next, and waits until it is told. */
export interface Ask {
  /** The output of the commands it has run so far in this conversation, oldest first. */
  readonly toolResults: ReadonlyArray<string>
  /** What its user has said so far in this conversation, oldest first. */
  readonly prompts: ReadonlyArray<string>
  /** The tools that it may call. */
  readonly tools: ReadonlyArray<string>
  /** Does nothing when the agent is gone meanwhile. `window` tells a login how much of its five-hour window is used. */
  readonly answer: (turn: Turn, window?: Window) => Effect.Effect<void>
  /** Answers with an error of the API. */
  readonly refuse: (status: number, message: string) => Effect.Effect<void>
  /** Answers that the usage limit of its login is reached, until then. */
  readonly limit: (resetsAtMs: number) => Effect.Effect<void>
  /** Cuts the connection without an answer. */
  readonly cut: Effect.Effect<void>
}

/** A stand-in of the Messages API. */
export type MessagesApi = AgentApi<Ask>

const Text = Schema.Struct({ type: Schema.Literal("text"), text: Schema.String })
const ToolResult = Schema.Struct({
  type: Schema.Literal("tool_result"),
  content: Schema.optional(Schema.Union(Schema.String, Schema.Array(Schema.Union(Text, Schema.Object))))
})
const decodeRequest = Schema.decodeUnknownEither(
  Schema.parseJson(
    Schema.Struct({
      model: Schema.String,
      stream: Schema.Literal(true),
      tools: Schema.Array(Schema.Struct({ name: Schema.String })),
      messages: Schema.Array(
        Schema.Struct({
          role: Schema.String,
          content: Schema.Union(Schema.String, Schema.Array(Schema.Union(ToolResult, Schema.Object)))
        })
      )
    })
  )
)
type MessagesRequest = Either.Either.Right<ReturnType<typeof decodeRequest>>

const isToolResult = Schema.is(ToolResult)
const isText = Schema.is(Text)

const toolResultsOf = ({ messages }: MessagesRequest): ReadonlyArray<string> =>
  messages
    .flatMap(({ content }) => (typeof content === "string" ? [] : content))
    .filter(isToolResult)
    .map(({ content }) =>
      typeof content === "string"
        ? content
        : (content ?? [])
            .filter(isText)
            .map(({ text }) => text)
            .join("")
    )

/** The agent adds reminders of its own, in blocks or messages that begin with a tag. */
const promptsOf = ({ messages }: MessagesRequest): ReadonlyArray<string> =>
  messages
    .filter(({ role }) => role === "user")
    .flatMap(({ content }) =>
      typeof content === "string" ? [content] : content.filter(isText).map(({ text }) => text)
    )
    .filter((text) => !text.startsWith("<"))

const bashInput = ({ command, isInBackground, timeoutMs }: Extract<Turn, { readonly _tag: "Bash" }>) => ({
  command,
  description: "What the test wants",
  timeout: timeoutMs,
  run_in_background: isInBackground
})

/** One content block, how it begins and how it goes on, and why the message ends with it. */
const blockOf = (turn: Turn, id: number) => {
  if (turn._tag === "Say") {
    return {
      begins: { type: "text", text: "" },
      goesOn: { type: "text_delta", text: turn.text },
      stopReason: "end_turn"
    }
  }
  const { input, name } = turn._tag === "Tool" ? turn : { name: "Bash", input: bashInput(turn) }
  return {
    begins: { type: "tool_use", id: `toolu_${id}`, name, input: {} },
    goesOn: { type: "input_json_delta", partial_json: JSON.stringify(input) },
    stopReason: "tool_use"
  }
}

/** One message as server-sent events: https://docs.anthropic.com/en/docs/build-with-claude/streaming */
const eventsOf = (turn: Turn, model: string, id: number) => {
  const { begins, goesOn, stopReason } = blockOf(turn, id)
  const start = { id: `msg_${id}`, type: "message", role: "assistant", model, content: [] }
  const usage = { input_tokens: turn.inputTokens ?? 100, output_tokens: 20 }
  const ending = { stop_reason: stopReason, stop_sequence: null }
  return [
    { type: "message_start", message: { ...start, stop_reason: null, stop_sequence: null, usage } },
    { type: "content_block_start", index: 0, content_block: begins },
    { type: "content_block_delta", index: 0, delta: goesOn },
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: ending, usage },
    { type: "message_stop" }
  ]
}

/** What the API tells a login about its windows. */
const limitHeaders = (status: string, { resetsAtMs, used }: Window): Record<string, string> => {
  const reset = String(Math.floor(resetsAtMs / 1000))
  const all = { status, reset, "representative-claim": "five_hour" }
  const window = { "5h-status": status, "5h-reset": reset, "5h-utilization": String(used) }
  return Object.fromEntries(
    Object.entries({ ...all, ...window }).map(([name, value]) => [
      `anthropic-ratelimit-unified-${name}`,
      value
    ])
  )
}

/** Serves until the end of the scope. */
export const serveMessagesApi: Effect.Effect<MessagesApi, never, Scope.Scope> = Effect.suspend(() => {
  let answered = 0
  return serveAgentApi("/v1/messages", (body, { cut, refuse, stream }) =>
    Either.map(
      decodeRequest(body),
      (asked): Ask => ({
        toolResults: toolResultsOf(asked),
        prompts: promptsOf(asked),
        tools: asked.tools.map(({ name }) => name),
        cut,
        refuse: (status, message) =>
          refuse(status, { type: "error", error: { type: "invalid_request_error", message } }),
        limit: (resetsAtMs) => {
          const error = { type: "rate_limit_error", message: "This request would exceed your rate limit" }
          return refuse(429, { type: "error", error }, limitHeaders("rejected", { used: 1, resetsAtMs }))
        },
        answer: (turn, window) =>
          Effect.suspend(() => {
            answered += 1
            const limits = window === undefined ? {} : limitHeaders("allowed_warning", window)
            return stream(eventsOf(turn, asked.model, answered), limits)
          })
      })
    )
  )
})
