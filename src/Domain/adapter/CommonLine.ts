import type { AgentLine, JsonObject } from "../agent/AgentLine.ts"

/**
 * The form of Claude Code's lines, into which the adapters bring those of other agents: what reads and renders the first
 * then reads and renders all.
 */
const line = (type: string, object: JsonObject): AgentLine => ({ type, object: { type, ...object } })

export const sessionLine = (session_id: string, model?: string): AgentLine =>
  line("system", { subtype: "init", session_id, ...(model === undefined ? {} : { model }) })

/** A remark of the agent, which goes on. */
export const noticeLine = (text: string): AgentLine => line("system", { subtype: "notice", text })

export const retryLine = (retry: {
  readonly attempt: number
  readonly max_retries: number
  readonly error_status: number | undefined
}): AgentLine => line("system", { subtype: "api_retry", ...retry })

/** A part of an answer. `id` names the answer; the reader names those of agents that do not. */
const answerLine = (content: ReadonlyArray<JsonObject>, id: string | undefined): AgentLine =>
  line("assistant", { message: { content, ...(id === undefined ? {} : { id }) } })

/** The beginning of an answer. */
export const openingLine = (id?: string): AgentLine => answerLine([], id)

export const textLine = (text: string, id?: string): AgentLine => answerLine([{ type: "text", text }], id)

/** A further part of a text that may have begun in the line before. */
export const deltaLine = (text: string): AgentLine => {
  const { object, type } = textLine(text)
  return { type, object: { ...object, delta: true } }
}

/** What one answer has used, as `input_tokens` and so on, and US dollars. */
export const usageLine = (usage: JsonObject, usd: number | undefined): AgentLine =>
  line("usage", { usage, ...(usd === undefined ? {} : { usd }) })

export const callLine = (
  call: { readonly id: string; readonly name: string; readonly input: unknown },
  id?: string
): AgentLine => answerLine([{ type: "tool_use", ...call }], id)

export const returnLine = (tool_use_id: string, content: unknown, is_error: boolean): AgentLine =>
  line("user", { message: { content: [{ type: "tool_result", tool_use_id, content, is_error }] } })

/** An error of the API, where the agent names it and its HTTP status. */
export interface AgentFailure {
  readonly text: string
  readonly name?: string | undefined
  readonly status?: number | undefined
}

/** An error in place of an answer. */
export const failureLine = ({ name, status, text }: AgentFailure): AgentLine =>
  line("assistant", {
    is_api_error_message: true,
    message: { content: [{ type: "text", text }] },
    ...(name === undefined ? {} : { error: name }),
    ...(status === undefined ? {} : { api_error_status: status })
  })

/** What the agent tells at its end: the tokens of all answers that it has not told before. */
interface EndFigures {
  readonly durationMs?: number | undefined
  readonly usage?: JsonObject
}

/** The end of the agent's work, with the error that ended it. */
export const endLine = (
  failure: AgentFailure | undefined,
  { durationMs, usage }: EndFigures = {}
): AgentLine =>
  line("result", {
    subtype: failure === undefined ? "success" : "error",
    is_error: failure !== undefined,
    ...(failure === undefined ? {} : { result: failure.text }),
    ...(failure?.status === undefined ? {} : { api_error_status: failure.status }),
    ...(durationMs === undefined ? {} : { duration_ms: durationMs }),
    ...(usage === undefined ? {} : { usage })
  })
