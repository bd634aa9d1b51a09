import { createHash, timingSafeEqual } from "node:crypto"
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Option from "effect/Option"
import type { MetricsData } from "../../Domain/metrics/MetricsData.ts"
import type { RelayCounts } from "../../Domain/metrics/RelayMetrics.ts"
import {
  bug,
  type EndpointAnswer,
  healthAnswer,
  metricsAnswer,
  noToken,
  pageOf,
  readyAnswer,
  rootAnswer,
  tokenUnknown
} from "../../Domain/relay/EndpointAnswer.ts"
import type { OutletCounts } from "../../Domain/relay/OutletCounts.ts"
import type { Endpoint } from "../../Domain/relay/RelaySettings.ts"
import { ControlClient } from "../control/ControlClient.ts"
import { errorCode, messageOf } from "../files/SystemError.ts"
import { readTextFile } from "../files/TextFile.ts"
import { OutletReports } from "./OutletReports.ts"

const outlet = "metrics endpoint"

/** A daemon that takes longer is as good as none for a scrape and a probe. */
const answerLimitMs = 2000

/** Requests within this time share one answer of the daemon. */
const sharedFor = Duration.millis(500)

/** The pause before the next attempt to listen. */
const retryInterval = Duration.seconds(10)

/** A scrape and some probes are a handful. */
const maxConnections = 64

const cannotListen = ({ host, port }: Endpoint, cause: unknown): string => {
  const where = `${host.includes(":") ? `[${host}]` : host}:${port}`
  switch (errorCode(cause)) {
    case "EADDRINUSE":
      return `another program listens on ${where}. Stop it, or set another port in metrics.listen`
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return `${where} is no address of this machine. Correct metrics.listen`
    case "EACCES":
      return `the port of ${where} is reserved. Set one above 1023 in metrics.listen`
    default:
      return `it cannot listen on ${where}: ${messageOf(cause)}`
  }
}

/** Listens until the scope closes, which also ends open connections. */
const listen = (endpoint: Endpoint, serve: (request: IncomingMessage, response: ServerResponse) => void) =>
  Effect.acquireRelease(
    Effect.async<Server, string>((resume) => {
      const server = createServer(
        { headersTimeout: 5000, requestTimeout: 10_000, keepAliveTimeout: 65_000 },
        serve
      )
      server.maxConnections = maxConnections
      server.once("error", (cause) => resume(Effect.fail(cannotListen(endpoint, cause))))
      server.listen({ host: endpoint.host, port: endpoint.port }, () => {
        // An accept that fails for want of descriptors costs one connection.
        server.on("error", () => undefined)
        resume(Effect.succeed(server))
      })
    }),
    (server) =>
      Effect.sync(() => {
        server.close()
        server.closeAllConnections()
      })
  )

const hashOf = (text: string): Buffer => createHash("sha256").update(text).digest()

/** Whether the header brings the token, in a time that says nothing about it. */
const brings = (header: string | undefined, token: string): boolean => {
  const given = /^Bearer +(\S+) *$/i.exec(header ?? "")?.[1]
  return given !== undefined && timingSafeEqual(hashOf(given), hashOf(token))
}

/** The scrape's metrics and the probes' pages over HTTP, for ever. An address that cannot be had is tried again. */
export const metricsEndpoint = Effect.fnUntraced(function* (
  endpoint: Endpoint,
  shownOf: (counts: OutletCounts) => RelayCounts
) {
  const { request } = yield* ControlClient
  const { counts, fails, works } = yield* OutletReports

  const ask = Effect.gen(function* () {
    const startedNanos = yield* Clock.currentTimeNanos
    const limits = { connectMs: answerLimitMs, firstByteMs: answerLimitMs, wholeMs: answerLimitMs }
    const reply = yield* Effect.option(request({ type: "Metrics" }, limits))
    const data = Option.getOrUndefined(Option.flatMapNullable(reply, (one) => one.data))
    return { data, tookMs: Number((yield* Clock.currentTimeNanos) - startedNanos) / 1e6 }
  })
  const shared = yield* Effect.cachedWithTTL(ask, sharedFor)

  /** What refuses a request of the metrics. */
  const refusal = Effect.fnUntraced(function* (header: string | undefined) {
    const { tokenFile } = endpoint
    if (tokenFile === undefined) return undefined
    const file = yield* Effect.either(readTextFile(tokenFile))
    const token = file._tag === "Right" ? file.right.text.trim() : ""
    if (token === "") {
      yield* fails(
        outlet,
        file._tag === "Left" ? `${tokenFile} ${file.left.reason}` : `${tokenFile} is empty`
      )
      return tokenUnknown
    }
    yield* works(outlet)
    return brings(header, token) ? undefined : noToken
  })

  const probe = (answerOf: (data: MetricsData | undefined) => EndpointAnswer) =>
    Effect.map(shared, ({ data }) => answerOf(data))

  const answer = Effect.fnUntraced(function* ({ headers, method = "", url = "" }: IncomingMessage) {
    const { accept, authorization, host } = headers
    const page = pageOf({ method, path: url.split("?", 1)[0] ?? "", host, accept }, endpoint.host)
    switch (page) {
      case "metrics": {
        const refused = yield* refusal(authorization)
        if (refused !== undefined) return refused
        const { data, tookMs } = yield* shared
        return metricsAnswer(data, shownOf(yield* counts), tookMs, accept)
      }
      case "healthz":
        return yield* probe(healthAnswer)
      case "readyz":
        return yield* probe(readyAnswer)
      case "root":
        return rootAnswer
      default:
        return page
    }
  })

  const run = yield* FiberSet.makeRuntime<never>()
  const serve = (incoming: IncomingMessage, response: ServerResponse): void => {
    // A client that disconnects is no error of the endpoint.
    response.on("error", () => undefined)
    const answering = Effect.catchAllCause(answer(incoming), (cause) =>
      Effect.as(Effect.logError("Answering a request of the metrics endpoint failed", cause), bug)
    )
    run(
      Effect.map(answering, ({ body, status, type }) => {
        const headers = {
          "content-type": type,
          "content-length": Buffer.byteLength(body),
          "cache-control": "no-store",
          "x-content-type-options": "nosniff",
          "content-security-policy": "default-src 'none'",
          ...(status === 401 ? { "www-authenticate": "Bearer" } : {})
        }
        response.writeHead(status, headers).end(incoming.method === "HEAD" ? undefined : body)
      })
    )
  }

  const serving = Effect.gen(function* () {
    yield* listen(endpoint, serve)
    yield* works(outlet)
    return yield* Effect.never
  }).pipe(
    Effect.scoped,
    Effect.catchAll((problem) => Effect.zipRight(fails(outlet, problem), Effect.sleep(retryInterval)))
  )
  return yield* Effect.forever(serving)
}, Effect.scoped)
