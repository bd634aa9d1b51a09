import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { metricFamilies } from "../../Domain/metrics/MetricFamilies.ts"
import type { MetricsData } from "../../Domain/metrics/MetricsData.ts"
import { otlpMetrics } from "../../Domain/metrics/OtlpMetrics.ts"
import { otlpProtobuf } from "../../Domain/metrics/OtlpProtobuf.ts"
import { type RelayCounts, relayFamilies } from "../../Domain/metrics/RelayMetrics.ts"
import {
  environmentHeaders,
  exportProblem,
  exportUrl,
  headersIn,
  resourceOf
} from "../../Domain/relay/OtlpExport.ts"
import { type OutletCounts, otlpOutlet } from "../../Domain/relay/OutletCounts.ts"
import type { OtlpPush } from "../../Domain/relay/RelaySettings.ts"
import { ControlClient } from "../control/ControlClient.ts"
import { Caller } from "../daemon/Caller.ts"
import { readTextFile } from "../files/TextFile.ts"
import { hostName } from "../machine/HostName.ts"
import { requestProblem } from "./HttpProblem.ts"
import { OutletReports } from "./OutletReports.ts"

/** A daemon that takes longer is as good as none. */
const answerLimitMs = 2000

/** The limit that exporters of OpenTelemetry have. */
const receiverLimit = Duration.seconds(10)

/** An answer is some bytes. */
const mostPieces = 16

/**
 * Sends all metrics to an OTLP receiver at each interval, and for ever. Counters are cumulative, so an export that fails is
 * not repeated: the next one says all that it would have said.
 */
export const otlpPush = Effect.fnUntraced(function* (
  { headersFile, intervalMs, protocol, url }: OtlpPush,
  shownOf: (counts: OutletCounts) => RelayCounts
) {
  const { request } = yield* ControlClient
  const { counts, fails, works } = yield* OutletReports
  const { environment } = yield* Caller
  const client = HttpClient.withTracerPropagation(yield* HttpClient.HttpClient, false)
  const startedMs = yield* Clock.currentTimeMillis
  const isJson = protocol === "http/json"
  /** The last answer of the daemon: its name outlives it. */
  let last: MetricsData | undefined

  const headers =
    headersFile === undefined
      ? Effect.succeed({})
      : readTextFile(headersFile).pipe(
          Effect.mapError(({ path, reason }) => `${path} ${reason}`),
          Effect.flatMap(({ text }) =>
            Effect.mapError(headersIn(text), (problem) => `${headersFile} ${problem}`)
          )
        )

  const body = Effect.gen(function* () {
    const limits = { connectMs: answerLimitMs, firstByteMs: answerLimitMs, wholeMs: answerLimitMs }
    const reply = yield* Effect.option(request({ type: "Metrics" }, limits))
    const data = Option.getOrUndefined(Option.flatMapNullable(reply, (one) => one.data))
    last = data ?? last
    const families = [...metricFamilies(data), ...relayFamilies(shownOf(yield* counts))]
    const message = otlpMetrics(families, {
      resource: resourceOf(last, environment, yield* hostName),
      startMs: last?.daemon.started_at_ms ?? startedMs,
      nowMs: yield* Clock.currentTimeMillis
    })
    return isJson ? new TextEncoder().encode(JSON.stringify(message)) : otlpProtobuf(message)
  })

  const post = Effect.fnUntraced(function* () {
    const contentType = isJson ? "application/json" : "application/x-protobuf"
    const sent = HttpClientRequest.post(exportUrl(url)).pipe(
      HttpClientRequest.setHeaders({
        "user-agent": "autopilotd",
        ...environmentHeaders(environment),
        ...(yield* headers)
      }),
      HttpClientRequest.bodyUint8Array(yield* body, contentType)
    )
    return yield* client.execute(sent).pipe(
      Effect.flatMap((response) =>
        Effect.map(Stream.runCollect(Stream.take(response.stream, mostPieces)), (pieces) => ({
          status: response.status,
          retryAfter: response.headers["retry-after"],
          isJson,
          body: Buffer.concat(Chunk.toReadonlyArray(pieces))
        }))
      ),
      Effect.mapError(requestProblem("the receiver")),
      Effect.timeoutFail({
        duration: receiverLimit,
        onTimeout: () => `the receiver has not answered within ${Duration.format(receiverLimit)}`
      })
    )
  })

  /** One export. Returns the pause before the next one. */
  const send = Effect.gen(function* () {
    const found = exportProblem(yield* post())
    if (found === undefined) {
      yield* works(otlpOutlet)
      return intervalMs
    }
    yield* fails(otlpOutlet, found.problem)
    return Math.max(intervalMs, found.waitMs ?? 0)
  }).pipe(Effect.catchAll((problem) => Effect.as(fails(otlpOutlet, problem), intervalMs)))

  return yield* Effect.forever(Effect.flatMap(send, (pauseMs) => Effect.sleep(pauseMs)))
})
