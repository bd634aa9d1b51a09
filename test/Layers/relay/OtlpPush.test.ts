import * as fs from "node:fs"
import * as http from "node:http"
import { join } from "node:path"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as TestServices from "effect/TestServices"
import { relayCountsOf } from "../../../src/Domain/relay/OutletCounts.ts"
import type { OtlpPush } from "../../../src/Domain/relay/RelaySettings.ts"
import { Caller } from "../../../src/Layers/daemon/Caller.ts"
import { otlpPush } from "../../../src/Layers/relay/OtlpPush.ts"
import { OutletReports } from "../../../src/Layers/relay/OutletReports.ts"
import { daemonThat } from "../../fixtures/CommandUser.ts"
import { httpReceiver, type Received } from "../../fixtures/LocalServer.ts"
import { measured, metricsOf } from "../../fixtures/Measurements.ts"
import { otlpJson, otlpJudge } from "../../fixtures/OtlpTables.ts"
import { temporaryFolder } from "../../fixtures/TemporaryFolder.ts"
import { nextTold, outletsInto } from "../../fixtures/ToldOutlets.ts"
import { eventually } from "../../live/TestDaemon.ts"

/** A receiver that answers as a test says. */
const receiver = Effect.gen(function* () {
  const service = { answer: (response: http.ServerResponse) => void response.end() }
  const { close, received, url } = yield* httpReceiver((response) => service.answer(response))
  return Object.assign(service, { close, exports: received, url })
})

/** A push each second to the receiver, in a time that the test moves. */
const inWorld = Effect.fnUntraced(function* (more: Partial<OtlpPush> = {}) {
  const service = yield* receiver
  const told: Array<string> = []
  const daemon = { isRunning: true }
  const data = metricsOf([measured("shop")])
  const World = Layer.mergeAll(
    daemonThat(() => (daemon.isRunning ? { success: true, message: "", data } : undefined)).layer,
    Layer.succeed(OutletReports, outletsInto(told)),
    Layer.succeed(Caller, {
      environment: { OTEL_EXPORTER_OTLP_HEADERS: "x-team=night" },
      cwd: "/",
      userHome: "/",
      program: ["node"]
    }),
    NodeHttpClient.layer
  )
  const otlp: OtlpPush = { url: service.url, protocol: "http/protobuf", intervalMs: 1000, ...more }
  const push = otlpPush(otlp, (counts) => relayCountsOf({ otlp }, counts))
  yield* Effect.forkScoped(Effect.provide(push, World))
  /** Waits in real time for what comes of the exports under way. */
  const shown = <A>(what: string, look: () => A | undefined) =>
    TestServices.provideLive(eventually(what, Effect.sync(look)))
  /** Lets the time pass until something more is told. */
  const next = nextTold(told)
  const until = (outcome: string) => Effect.repeat(next, { until: (one) => one.includes(outcome) })
  return { service, daemon, data, next, until, shown, told }
})

/** The metrics of an export by their names, as OpenTelemetry's own tables read it. */
const metricsIn = ({ body, bytes, headers }: Received) => {
  const message =
    headers["content-type"] === "application/json"
      ? otlpJudge.fromObject(JSON.parse(body))
      : otlpJudge.decode(bytes)
  // The judge knows the form, TypeScript does not.
  const { resourceMetrics } = otlpJson(message) as {
    resourceMetrics: ReadonlyArray<{
      resource: { attributes: ReadonlyArray<{ key: string; value: { stringValue: string } }> }
      scopeMetrics: ReadonlyArray<{
        metrics: ReadonlyArray<{
          name: string
          gauge?: { dataPoints: ReadonlyArray<{ asDouble: number }> }
          sum?: { dataPoints: ReadonlyArray<{ asDouble: number }>; aggregationTemporality: number }
        }>
      }>
    }>
  }
  const [only] = resourceMetrics
  const metrics = new Map(only?.scopeMetrics.flatMap((one) => one.metrics).map((one) => [one.name, one]))
  const value = (name: string) =>
    (metrics.get(name)?.gauge ?? metrics.get(name)?.sum)?.dataPoints[0]?.asDouble
  const resource = Object.fromEntries(
    only?.resource.attributes.map(({ key, value: { stringValue } }) => [key, stringValue]) ?? []
  )
  return { names: [...metrics.keys()], value, resource }
}

describe("the push of metrics to an OTLP receiver", () => {
  it.scoped(
    "sends all metrics at each interval, in both encodings, and autopilotd.up 0 without a daemon",
    () =>
      Effect.gen(function* () {
        for (const protocol of ["http/protobuf", "http/json"] as const) {
          const { daemon, data, next, service, shown } = yield* inWorld({ protocol })
          assert.strictEqual(yield* next, "otlp works")
          const first = yield* shown("an export", () => service.exports[0])
          assert.strictEqual(first.path, "/v1/metrics")
          assert.strictEqual(first.headers["x-team"], "night")
          assert.isUndefined(first.headers["traceparent"])
          const { names, resource, value } = metricsIn(first)
          assert.includeMembers(names, [
            "autopilotd.up",
            "autopilotd.worker.restarts",
            "autopilotd.otlp.exports_failed"
          ])
          assert.strictEqual(value("autopilotd.up"), 1)
          assert.strictEqual(resource["service.instance.id"], data.daemon.home_id)
          daemon.isRunning = false
          const last = yield* Effect.repeat(
            Effect.map(next, () => service.exports.at(-1)),
            { until: (one) => one !== undefined && metricsIn(one).value("autopilotd.up") === 0 }
          )
          assert.isDefined(last)
          if (last !== undefined) assert.deepStrictEqual(metricsIn(last).resource, resource)
        }
      })
  )

  it.scoped("says why it fails, counts that, and goes on; Retry-After holds the next one back", () =>
    Effect.gen(function* () {
      const folder = yield* temporaryFolder
      const headersFile = join(folder, "headers")
      fs.writeFileSync(headersFile, "Authorization: Bearer s3cr3t\n")
      const { next, service, shown, told, until } = yield* inWorld({ headersFile, protocol: "http/json" })
      assert.strictEqual(yield* next, "otlp works")
      assert.strictEqual(service.exports[0]?.headers.authorization, "Bearer s3cr3t")
      const json = (status: number, body: unknown) => (response: http.ServerResponse) =>
        void response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body))
      for (const [answer, problem] of [
        [json(400, {}), "the receiver answers with status 400"],
        [json(503, {}), "the receiver answers with status 503"],
        [
          json(200, { partialSuccess: { rejectedDataPoints: "2", errorMessage: "too old" } }),
          "the receiver refuses 2 of the values: too old"
        ],
        [
          (response: http.ServerResponse) => void response.socket?.resetAndDestroy(),
          "the receiver has closed the connection without an answer"
        ]
      ] as const) {
        service.answer = answer
        yield* until(problem)
      }
      service.answer = (response) => void response.writeHead(429, { "retry-after": "60" }).end()
      yield* until("status 429")
      const held = service.exports.length
      yield* TestClock.adjust("58 seconds")
      assert.lengthOf(service.exports, held)

      service.answer = () => undefined
      yield* TestClock.adjust("2 seconds")
      yield* shown("the hanging receiver is asked", () => (service.exports.length > held ? true : undefined))
      const before = told.length
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual(
        yield* shown("the limit", () => told[before]),
        "otlp: the receiver has not answered within 10s"
      )
      service.answer = (response) => void response.end("{}")
      yield* until("otlp works")
      const last = service.exports.at(-1)
      assert.isAtLeast((last && metricsIn(last).value("autopilotd.otlp.exports_failed")) ?? 0, 6)
      fs.writeFileSync(headersFile, "s3cr3t")
      yield* until("headers has no header in line 1")
      service.close()
      fs.writeFileSync(headersFile, "")
      yield* until("the receiver refuses connections")
      assert.notInclude(told.join(), "s3cr3t")
    })
  )
})
