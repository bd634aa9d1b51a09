import { assert, describe, it } from "@effect/vitest"
import type { RelayCounts } from "../../../src/Domain/metrics/RelayMetrics.ts"
import {
  type EndpointRequest,
  healthAnswer,
  metricsAnswer,
  pageOf,
  prefersOpenMetrics,
  readyAnswer
} from "../../../src/Domain/relay/EndpointAnswer.ts"
import { initial } from "../../../src/Domain/worker/WorkerState.ts"
import { measured, metricsOf, phases } from "../../fixtures/Measurements.ts"

const nothing: RelayCounts = { sinceMs: 0, channels: [], exports: undefined }

const asked = (changes: Partial<EndpointRequest>, listensOn = "127.0.0.1") => {
  const page = pageOf(
    { method: "GET", path: "/metrics", host: "127.0.0.1:7421", accept: undefined, ...changes },
    listensOn
  )
  return typeof page === "string" ? page : page.status
}

describe("the metrics endpoint", () => {
  it("has pages that only show, and none to act with", () => {
    assert.deepStrictEqual(
      ["/", "/metrics", "/healthz", "/readyz", "/stop", "/metrics/"].map((path) => asked({ path })),
      ["root", "metrics", "healthz", "readyz", 404, 404]
    )
    assert.deepStrictEqual(
      ["HEAD", "POST", "DELETE", "OPTIONS"].map((method) => asked({ method })),
      ["metrics", 405, 405, 405]
    )
  })

  it("of this machine refuses a web page whose name was made to point here", () => {
    for (const host of ["localhost", "localhost:7421", "[::1]:7421", "127.0.0.1", undefined])
      assert.strictEqual(asked({ host }), "metrics", host)
    assert.strictEqual(asked({ host: "evil.example:7421" }), 403)
    assert.strictEqual(asked({ host: "box.lan:7421" }, "0.0.0.0"), "metrics")
  })

  it("answers in OpenMetrics only to a reader that prefers it", () => {
    const prometheus =
      "application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
    assert.isTrue(prefersOpenMetrics(prometheus))
    assert.isTrue(prefersOpenMetrics("application/openmetrics-text"))
    for (const accept of [
      undefined,
      "*/*",
      "text/plain",
      "text/html,*/*;q=0.8",
      "application/openmetrics-text;version=2.0.0",
      "application/openmetrics-text;q=0.3,text/plain;q=0.5"
    ])
      assert.isFalse(prefersOpenMetrics(accept), accept)
    const { body, type } = metricsAnswer(undefined, nothing, 2000, prometheus)
    assert.strictEqual(type, "application/openmetrics-text; version=1.0.0; charset=utf-8")
    assert.isTrue(body.endsWith("# EOF\n"))
  })

  it("is healthy whatever a worker does, and ready when none has failed or is stopping", () => {
    const inPhase = (phase: keyof typeof phases) =>
      metricsOf([measured("shop", { state: { ...initial, phase: phases[phase] } })])
    const statuses = (phase: keyof typeof phases) =>
      [healthAnswer, readyAnswer].map((answerOf) => answerOf(inPhase(phase)).status)
    assert.deepStrictEqual(statuses("running"), [200, 200])
    assert.deepStrictEqual(statuses("waiting"), [200, 200])
    assert.deepStrictEqual(statuses("failed"), [200, 503])
    assert.deepStrictEqual(statuses("stopping"), [200, 503])
  })

  it("says that the daemon does not answer with a metric, and to probes with a status", () => {
    const { body, status, type } = metricsAnswer(undefined, nothing, 2000, undefined)
    assert.deepStrictEqual([status, type], [200, "text/plain; version=0.0.4; charset=utf-8"])
    assert.match(body, /^autopilotd_up 0$/m)
    assert.match(body, /^autopilotd_scrape_duration_seconds 2$/m)
    assert.deepStrictEqual([healthAnswer(undefined).status, readyAnswer(undefined).status], [503, 503])
  })
})
