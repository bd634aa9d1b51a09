import { createServer, type IncomingMessage, type ServerResponse } from "node:http"
import type { AddressInfo, Socket } from "node:net"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Mailbox from "effect/Mailbox"
import type * as Scope from "effect/Scope"
import { patience } from "../TestDaemon.ts"

/** A stand-in of an agent's API on 127.0.0.1, with which the test decides turn by turn what the agent does. */
export interface AgentApi<Ask> {
  /** The address of the API, and a proxy for everything else the agent might want to reach. */
  readonly url: string
  /** The next request of an agent; each is had once. */
  readonly nextAsk: Effect.Effect<Ask>
  /** What was asked of it that an API has no answer for, or that was meant for another host. */
  readonly strangers: () => ReadonlyArray<string>
}

/** The ways to answer a request other than with a turn. Nothing happens when the agent is gone meanwhile. */
export interface Refusals {
  /** Answers with an error of the API. */
  readonly refuse: (
    status: number,
    error: object,
    headers?: Readonly<Record<string, string>>
  ) => Effect.Effect<void>
  /** Cuts the connection without an answer. */
  readonly cut: Effect.Effect<void>
  /** Answers with server-sent events. */
  readonly stream: (
    events: ReadonlyArray<{ readonly type: string }>,
    headers?: Readonly<Record<string, string>>
  ) => Effect.Effect<void>
}

const refusalsOf = (response: ServerResponse): Refusals => ({
  refuse: (status, error, headers = {}) =>
    Effect.sync(() => {
      response.writeHead(status, { "content-type": "application/json", ...headers })
      response.end(JSON.stringify(error))
    }),
  cut: Effect.sync(() => response.destroy()),
  stream: (events, headers = {}) =>
    Effect.sync(() => {
      response.writeHead(200, {
        "content-type": "text/event-stream",
        "cache-control": "no-cache",
        ...headers
      })
      response.end(events.map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`).join(""))
    })
})

const bodyOf = (request: IncomingMessage): Promise<string> =>
  new Promise((resolve) => {
    const chunks: Array<Buffer> = []
    request.on("data", (chunk: Buffer) => chunks.push(chunk))
    request.on("end", () => resolve(Buffer.concat(chunks).toString("utf8")))
  })

/** Serves POST requests to one path until the end of the scope. `askOf` reads the body of one. */
export const serveAgentApi = Effect.fnUntraced(function* <Ask>(
  path: string,
  askOf: (body: string, refusals: Refusals) => Either.Either<Ask, { readonly message: string }>
): Effect.fn.Return<AgentApi<Ask>, never, Scope.Scope> {
  const asks = yield* Mailbox.make<Ask>()
  const strangers: Array<string> = []

  const refuse = (request: IncomingMessage, response: ServerResponse, why: string) => {
    strangers.push(`${request.method} ${request.url}: ${why}`)
    const error = { type: "not_found_error", message: why }
    response.writeHead(404, { "content-type": "application/json" })
    response.end(JSON.stringify({ type: "error", error }))
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await bodyOf(request)
    // How an agent finds out whether the address can be reached.
    if (request.method === "HEAD" && request.url === "/") {
      response.end()
      return
    }
    if (request.method !== "POST" || request.url?.split("?")[0] !== path) {
      return refuse(request, response, `only POST ${path} is answered`)
    }
    const ask = askOf(body, refusalsOf(response))
    if (Either.isLeft(ask)) return refuse(request, response, ask.left.message)
    asks.unsafeOffer(ask.right)
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
