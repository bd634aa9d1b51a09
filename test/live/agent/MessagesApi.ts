import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Mailbox from "effect/Mailbox"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { patience } from "../TestDaemon.ts"

/** What the agent does in answer to one request. */
export type Turn =
  /** It says something, and with that its work is finished. */
  | { readonly _tag: "Say"; readonly text: string }
  /** It runs a command with its Bash tool and asks again once that has ended. */
  | {
      readonly _tag: "Bash"
      readonly command: string
      readonly timeoutMs?: number
      readonly isInBackground?: boolean
    }

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
  /** Does nothing when the agent is gone meanwhile. `window` tells a login how much of its five-hour window is used. */
  readonly answer: (turn: Turn, window?: Window) => Effect.Effect<void>
  /** Answers with an error of the API. */
  readonly refuse: (status: number, message: string) => Effect.Effect<void>
  /** Answers that the usage limit of its login is reached, until then. */
  readonly limit: (resetsAtMs: number) => Effect.Effect<void>
}

/** A stand-in of the Messages API on 127.0.0.1, with which the test decides turn by turn what the agent does. */
export interface MessagesApi {
  /** For `ANTHROPIC_BASE_URL`, and as a proxy for everything else the agent might want to reach. */
  readonly url: string
  /** The next request of an agent; each is had once. */
  readonly nextAsk: Effect.Effect<Ask>
  /** What was asked of it that an API has no answer for, or that was meant for another host. */
  readonly strangers: () => ReadonlyArray<string>
}

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

const usage = { input_tokens: 100, output_tokens: 20 }

/** One content block, how it begins and how it goes on, and why the message ends with it. */
const blockOf = (turn: Turn, id: number) => {
  if (turn._tag === "Say") {
    return {
      begins: { type: "text", text: "" },
      goesOn: { type: "text_delta", text: turn.text },
      stopReason: "end_turn"
    }
  }
  const { command, isInBackground, timeoutMs } = turn
  const input = {
    command,
    description: "What the test wants",
    timeout: timeoutMs,
    run_in_background: isInBackground
  }
  return {
    begins: { type: "tool_use", id: `toolu_${id}`, name: "Bash", input: {} },
    goesOn: { type: "input_json_delta", partial_json: JSON.stringify(input) },
    stopReason: "tool_use"
  }
}

/** One message as server-sent events: https://docs.anthropic.com/en/docs/build-with-claude/streaming */
const streamOf = (turn: Turn, model: string, id: number): string => {
  const { begins, goesOn, stopReason } = blockOf(turn, id)
  const start = { id: `msg_${id}`, type: "message", role: "assistant", model, content: [] }
  const ending = { stop_reason: stopReason, stop_sequence: null }
  return [
    { type: "message_start", message: { ...start, stop_reason: null, stop_sequence: null, usage } },
    { type: "content_block_start", index: 0, content_block: begins },
    { type: "content_block_delta", index: 0, delta: goesOn },
    { type: "content_block_stop", index: 0 },
    { type: "message_delta", delta: ending, usage },
    { type: "message_stop" }
  ]
    .map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`)
    .join("")
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

const bodyOf = (request: IncomingMessage): Promise<string> =>
  new Promise((resolve) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")))
  })

/** Serves until the end of the scope. */
export const serveMessagesApi: Effect.Effect<MessagesApi, never, Scope.Scope> = Effect.gen(function* () {
  const asks = yield* Mailbox.make<Ask>()
  const strangers: Array<string> = []
  let answered = 0

  const refuse = (request: IncomingMessage, response: ServerResponse, why: string) => {
    strangers.push(`${request.method} ${request.url}: ${why}`)
    const error = { type: "not_found_error", message: why }
    response.writeHead(404, { "content-type": "application/json" })
    response.end(JSON.stringify({ type: "error", error }))
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request)
    // How it finds out whether the address can be reached.
    if (request.method === "HEAD" && request.url === "/") {
      response.end()
      return
    }
    if (request.method !== "POST" || !/^\/v1\/messages(\?|$)/.test(request.url ?? "")) {
      return refuse(request, response, "only POST /v1/messages is answered")
    }
    const decoded = decodeRequest(body)
    if (Either.isLeft(decoded)) return refuse(request, response, decoded.left.message)
    asks.unsafeOffer({
      toolResults: toolResultsOf(decoded.right),
      prompts: promptsOf(decoded.right),
      refuse: (status, message) =>
        Effect.sync(() => {
          response.writeHead(status, { "content-type": "application/json" })
          const error = { type: "invalid_request_error", message }
          response.end(JSON.stringify({ type: "error", error }))
        }),
      limit: (resetsAtMs) =>
        Effect.sync(() => {
          const headers = limitHeaders("rejected", { used: 1, resetsAtMs })
          response.writeHead(429, { "content-type": "application/json", ...headers })
          const error = { type: "rate_limit_error", message: "This request would exceed your rate limit" }
          response.end(JSON.stringify({ type: "error", error }))
        }),
      answer: (turn, window) =>
        Effect.sync(() => {
          answered += 1
          const limits = window === undefined ? {} : limitHeaders("allowed_warning", window)
          const headers = { "content-type": "text/event-stream", "cache-control": "no-cache" }
          response.writeHead(200, { ...headers, ...limits })
          response.end(streamOf(turn, decoded.right.model, answered))
        })
    })
  }

  const server = yield* Effect.acquireRelease(
    Effect.async<ReturnType<typeof createServer>>((resume) => {
      const created = createServer((request, response) => {
        // An agent that is killed cuts its connection; what was meant for it is lost, as it should be.
        response.on("error", () => response.destroy())
        void serve(request, response)
      })
      created.on("connect", (request: IncomingMessage, socket: Socket) => {
        strangers.push(`CONNECT ${request.url}`)
        socket.on("error", () => socket.destroy())
        socket.end("HTTP/1.1 403 Forbidden\r\n\r\n")
      })
      created.listen(0, "127.0.0.1", () => resume(Effect.succeed(created)))
    }),
    (open) =>
      Effect.async<void>((resume) => {
        open.close(() => resume(Effect.void))
        open.closeAllConnections()
      })
  )
  // A TCP server that listens has an address with a port.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    nextAsk: asks.take.pipe(
      Effect.timeoutFail({
        duration: patience(),
        onTimeout: () => new Error(`no agent has asked what to do; strangers: ${strangers.join(", ")}`)
      }),
      Effect.orDie
    ),
    strangers: () => strangers
  }
})
