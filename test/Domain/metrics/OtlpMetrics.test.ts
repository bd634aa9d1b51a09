import { assert, describe, it } from "@effect/vitest"
import { metricFamilies, metricHeads } from "../../../src/Domain/metrics/MetricFamilies.ts"
import { type OtlpRequest, otlpMetrics } from "../../../src/Domain/metrics/OtlpMetrics.ts"
import { otlpProtobuf } from "../../../src/Domain/metrics/OtlpProtobuf.ts"
import { relayFamilies, relayMetricHeads } from "../../../src/Domain/metrics/RelayMetrics.ts"
import { measured, metricsOf, running } from "../../fixtures/Measurements.ts"
import { otlpJson, otlpJudge } from "../../fixtures/OtlpTables.ts"
import { agentAfter, recordedLines } from "../../fixtures/RecordedRuns.ts"

const request: OtlpRequest = otlpMetrics(
  [
    ...metricFamilies(
      metricsOf(
        [measured("shop", running(agentAfter(recordedLines("claude-2.1.332/subagent"))))],
        undefined,
        ['a "name" \n with ü and \u{1f680}', "x".repeat(300)]
      )
    ),
    ...relayFamilies({
      sinceMs: 1_795_984_030_000,
      channels: [{ channel: "phone", worked: 2, failed: 1 }],
      exports: { worked: 7, failed: 0 }
    })
  ],
  {
    resource: { "service.name": "autopilotd", "service.instance.id": "0123456789abcdef" },
    startMs: 1_795_984_000_250,
    nowMs: 1_795_984_060_251
  }
)

const metrics = request.resourceMetrics[0]?.scopeMetrics[0]?.metrics ?? []

const isEmpty = (value: unknown): boolean => value === "" || (Array.isArray(value) && value.length === 0)

/** Without what protobuf cannot tell from its default: empty texts and lists. */
const withoutEmpty = (value: unknown): unknown =>
  Array.isArray(value)
    ? value.map(withoutEmpty)
    : typeof value === "object" && value !== null
      ? Object.fromEntries(
          Object.entries(value)
            .filter(([, one]) => !isEmpty(one))
            .map(([key, one]) => [key, withoutEmpty(one)])
        )
      : value

describe("the request to an OTLP receiver", () => {
  it("as JSON has only keys that OpenTelemetry's own tables know, and loses nothing", () => {
    const decoded = otlpJudge.decode(
      otlpJudge.encode(otlpJudge.fromObject(JSON.parse(JSON.stringify(request)))).finish()
    )
    assert.deepStrictEqual(withoutEmpty(otlpJson(decoded)), withoutEmpty(request))
  })

  it("as protobuf is read by OpenTelemetry's own tables, and says the same", () => {
    const decoded = otlpJudge.decode(otlpProtobuf(request))
    assert.deepStrictEqual(withoutEmpty(otlpJson(decoded)), withoutEmpty(request))
  })

  it("counts from the start of the daemon, the relay from its own, cumulatively", () => {
    const exits = metrics.find(({ name }) => name === "autopilotd.worker.exits")
    assert.deepInclude(exits?.sum, { aggregationTemporality: 2, isMonotonic: true })
    assert.deepInclude(exits?.sum?.dataPoints[0], {
      startTimeUnixNano: "1795984000250000000",
      timeUnixNano: "1795984060251000000"
    })
    const sent = metrics.find(({ name }) => name === "autopilotd.notifications.sent")
    assert.deepInclude(sent?.sum?.dataPoints[0], {
      startTimeUnixNano: "1795984030000000000",
      asDouble: 2
    })
  })

  it("has names that Prometheus turns into those of a scrape", () => {
    const suffixes: Readonly<Record<string, string>> = { s: "_seconds", By: "_bytes", "1": "_ratio" }
    const translated = metrics.map(
      ({ name, sum, unit }) => `${name.replaceAll(".", "_")}${suffixes[unit] ?? ""}${sum ? "_total" : ""}`
    )
    const names = [...metricHeads, ...relayMetricHeads].map(({ name }) => name)
    assert.strictEqual(new Set(translated).size, metrics.length)
    assert.deepStrictEqual(
      translated.filter((name) => !names.includes(name)),
      []
    )
    assert.include(
      metrics.map(({ name, unit }) => `${name} ${unit}`),
      "autopilotd.agent.cost_usd {USD}"
    )
  })
})
