import { createServer, type Server } from "node:http"
import type { Socket } from "node:net"
import type * as HttpApp from "@effect/platform/HttpApp"
import * as HttpServer from "@effect/platform/HttpServer"
import * as HttpServerRequest from "@effect/platform/HttpServerRequest"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type GuardRules, refusalOf, securityHeaders } from "../../Domain/panel/RequestGuard.ts"
import { errorCode, messageOf } from "../files/SystemError.ts"

/** The address cannot be listened on. */
export class PortUnusable extends Data.TaggedError("PortUnusable")<{
  readonly port: number
  readonly cause: unknown
}> {
  override get message(): string {
    return errorCode(this.cause) === "EADDRINUSE"
      ? `Another program listens on 127.0.0.1:${this.port}, perhaps another panel. ` +
          "Stop it, or choose another port: autopilotd gui --port 0"
      : `The panel cannot listen on 127.0.0.1:${this.port}: ${messageOf(this.cause)}. Choose another port: autopilotd gui --port 0`
  }
}

/** Completed when the server is about to close, while requests are still served. */
export class PanelClosing extends Context.Tag("PanelClosing")<PanelClosing, Deferred.Deferred<void>>() {}

/** The time that open connections have for their last answer, in milliseconds. */
const closingMs = 300

/**
 * The finalizer of platform-node waits for every connection, and a browser keeps its own open for minutes. Its server
 * listens before it handles requests; one that comes in between would have no answer at all, and now has a 503.
 */
const closingSoon = (): Server => {
  const server = createServer({ headersTimeout: 10_000, requestTimeout: 15_000, keepAliveTimeout: 5000 })
  server.on("request", (_, response) => {
    if (server.listenerCount("request") === 1) response.writeHead(503, { "retry-after": "0" }).end()
  })
  const open = new Set<Socket>()
  server.on("connection", (socket) => {
    open.add(socket)
    socket.once("close", () => open.delete(socket))
  })
  const close = server.close.bind(server)
  server.close = (callback) => {
    setTimeout(() => {
      for (const socket of open) socket.destroy()
    }, closingMs).unref()
    return close(callback)
  }
  return server
}

interface PanelServerOptions {
  /** 0 lets the system choose. */
  readonly port: number
  readonly isToken: GuardRules["isToken"]
  readonly embedOrigins: ReadonlyArray<string>
}

/** An answer that says why there is no other one. */
export const refused = (status: number, message: string) =>
  HttpServerResponse.unsafeJson({ success: false, message }, { status })

/**
 * The guard in front of everything, the upgrade to a WebSocket included, and the headers of every answer. It is no
 * middleware: those see an answer only when it is sent, and can no longer add a header to it.
 */
const guarded = <E, R>(
  app: HttpApp.Default<E, R>,
  { embedOrigins, isToken }: PanelServerOptions,
  port: number
) =>
  Effect.gen(function* () {
    const { headers, method, url } = yield* HttpServerRequest.HttpServerRequest
    const rules = { port, isToken, isEmbeddable: embedOrigins.length > 0 }
    const refusal = refusalOf({ method, url, headers }, rules)
    const response =
      refusal === undefined
        ? yield* Effect.catchAllCause(app, (cause) =>
            // The page has gone, or the panel stops.
            Cause.isInterrupted(cause)
              ? Effect.failCause(cause)
              : Effect.as(
                  Effect.logError("A request of the panel failed", cause),
                  refused(500, "The panel has failed to answer: see its output.")
                )
          )
        : refused(refusal.status, refusal.message)
    const path = url.split("?", 1)[0] ?? ""
    return HttpServerResponse.setHeaders(response, {
      ...securityHeaders(path, embedOrigins),
      // platform-node ends the connection after an upgrade that is refused: the client must not use it again.
      ...(headers["upgrade"] === undefined ? {} : { connection: "close" })
    })
  })

/** Serves an app on 127.0.0.1 until the scope closes. Returns the port. */
export const serve = <E, R>(app: HttpApp.Default<E, R>, options: PanelServerOptions) =>
  Effect.gen(function* () {
    const closing = yield* Deferred.make<void>()
    const platform = yield* Layer.build(
      NodeHttpServer.layer(closingSoon, { port: options.port, host: "127.0.0.1" })
    ).pipe(Effect.mapError(({ cause }) => new PortUnusable({ port: options.port, cause })))
    const server = Context.get(platform, HttpServer.HttpServer)
    const { address } = server
    const port = address._tag === "TcpAddress" ? address.port : options.port
    yield* server
      .serve(guarded(Effect.provideService(app, PanelClosing, closing), options, port))
      .pipe(Effect.provide(platform))
    // Before the server closes: a page learns by the close code that the panel may come back.
    yield* Effect.addFinalizer(() =>
      Effect.zipRight(Deferred.succeed(closing, undefined), Effect.sleep("100 millis"))
    )
    return port
  })
