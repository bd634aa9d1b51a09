import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { type AgentApi, type Refusals, serveAgentApi } from "./AgentApi.ts"

/** What Codex does in answer to one request. */
type Turn =
  | { readonly _tag: "Say"; readonly text: string }
  | { readonly _tag: "Shell"; readonly command: string }

/** Codex asks what to do next, and waits until it is told. */
export interface CodexAsk extends Pick<Refusals, "refuse"> {
  /** What its user has said so far in this conversation, oldest first. */
  readonly prompts: ReadonlyArray<string>
  /** The output of the commands it has run so far in this conversation, oldest first. */
  readonly outputs: ReadonlyArray<string>
  readonly answer: (turn: Turn) => Effect.Effect<void>
}

const Said = Schema.Struct({
  type: Schema.Literal("message"),
  role: Schema.Literal("user"),
  content: Schema.Array(Schema.Struct({ type: Schema.Literal("input_text"), text: Schema.String }))
})
const Output = Schema.Struct({ type: Schema.Literal("function_call_output"), output: Schema.Unknown })
const decodeRequest = Schema.decodeUnknownEither(
  Schema.parseJson(
    Schema.Struct({
      stream: Schema.Literal(true),
      input: Schema.Array(Schema.Union(Said, Output, Schema.Object))
    })
  )
)
const isSaid = Schema.is(Said)
const isOutput = Schema.is(Output)

const itemOf = (turn: Turn, id: number) =>
  turn._tag === "Say"
    ? {
        type: "message",
        id: `msg_${id}`,
        role: "assistant",
        content: [{ type: "output_text", text: turn.text }]
      }
    : {
        type: "function_call",
        id: `fc_${id}`,
        call_id: `call_${id}`,
        name: "exec_command",
        arguments: JSON.stringify({ cmd: turn.command })
      }

/** https://platform.openai.com/docs/api-reference/responses-streaming */
const eventsOf = (turn: Turn, id: number) => {
  const response = { id: `resp_${id}` }
  const usage = {
    input_tokens: 100,
    input_tokens_details: null,
    output_tokens: 20,
    output_tokens_details: null,
    total_tokens: 120
  }
  return [
    { type: "response.created", response },
    { type: "response.output_item.done", item: itemOf(turn, id) },
    { type: "response.completed", response: { ...response, usage } }
  ]
}

/** A stand-in of the Responses API; serves until the end of the scope. */
export const serveResponsesApi: Effect.Effect<AgentApi<CodexAsk>, never, Scope.Scope> = Effect.suspend(() => {
  let answered = 0
  return serveAgentApi("/v1/responses", (body, { refuse, stream }) =>
    Either.map(
      decodeRequest(body),
      ({ input }): CodexAsk => ({
        refuse,
        // Codex adds its surroundings, in a tag.
        prompts: input
          .filter(isSaid)
          .flatMap(({ content }) => content.map(({ text }) => text))
          .filter((text) => !text.startsWith("<")),
        outputs: input.filter(isOutput).map(({ output }) => String(output)),
        answer: (turn) =>
          Effect.suspend(() => {
            answered += 1
            return stream(eventsOf(turn, answered))
          })
      })
    )
  )
})
