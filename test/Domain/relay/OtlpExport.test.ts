import { assert, describe, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import {
  environmentHeaders,
  exportProblem,
  exportUrl,
  headersIn,
  resourceOf
} from "../../../src/Domain/relay/OtlpExport.ts"
import { relaySettingsOf } from "../../../src/Domain/relay/RelaySettings.ts"
import { decodeRaw } from "../../../src/Domain/settings/SettingsDecode.ts"
import { measured, metricsOf } from "../../fixtures/Measurements.ts"
import { inForce } from "../../fixtures/SettingsInForce.ts"

const answer = (status: number, body: string | Uint8Array = "", retryAfter?: string) => ({
  status,
  retryAfter,
  isJson: typeof body === "string",
  body: typeof body === "string" ? new TextEncoder().encode(body) : body
})

describe("an export to an OTLP receiver", () => {
  it("goes to /v1/metrics below the URL of the settings", () => {
    for (const [receiver, url] of [
      ["http://127.0.0.1:4318", "http://127.0.0.1:4318/v1/metrics"],
      ["https://otlp.example/otlp/", "https://otlp.example/otlp/v1/metrics"],
      ["https://otlp.example/v1/metrics", "https://otlp.example/v1/metrics"]
    ] as const)
      assert.strictEqual(exportUrl(receiver).href, url)
  })

  it("is what a relay has to do where metrics.otlp is set, and a port or URL that cannot work is refused", () => {
    assert.deepStrictEqual(relaySettingsOf(inForce({ metrics: { otlp: "http://127.0.0.1:4318" } })), {
      otlp: { url: "http://127.0.0.1:4318", protocol: "http/protobuf", intervalMs: 60_000 }
    })
    for (const otlp of [
      "http://127.0.0.1:4317",
      "127.0.0.1:4318",
      "http://me:pw@h:4318",
      "ftp://h",
      "http://h?k=1",
      true
    ]) {
      const problems = Either.getOrThrow(Either.flip(decodeRaw({ metrics: { otlp } })))
      assert.include(problems[0]?.reason, "port 4317 speaks gRPC, and the relay HTTP only", String(otlp))
      assert.notInclude(problems[0]?.reason, "pw")
    }
  })

  it("has the headers of a file and of the environment; a line that is none is named, and not shown", () => {
    assert.deepStrictEqual(
      headersIn("# mine\n\nAuthorization: Bearer s3cr3t\r\nX-Scope-OrgID:1\n"),
      Either.right({ authorization: "Bearer s3cr3t", "x-scope-orgid": "1" })
    )
    assert.deepStrictEqual(
      headersIn("a: b\ns3cr3t"),
      Either.left("has no header in line 2: write it as Name: value")
    )
    assert.deepStrictEqual(
      environmentHeaders({ OTEL_EXPORTER_OTLP_HEADERS: "api-key=a%20b, X=1,nothing, bad name=2" }),
      { "api-key": "a b", x: "1" }
    )
  })

  it("names the service, its version, the home and the host, as far as the environment says nothing else", () => {
    const data = metricsOf([measured("shop")])
    assert.deepStrictEqual(resourceOf(data, {}, "box"), {
      "host.name": "box",
      "service.version": data.daemon.version,
      "service.instance.id": data.daemon.home_id,
      "service.name": "autopilotd"
    })
    assert.deepStrictEqual(
      resourceOf(
        undefined,
        { OTEL_SERVICE_NAME: "night", OTEL_RESOURCE_ATTRIBUTES: "team=a%2Cb,host.name=other" },
        "box"
      ),
      { "host.name": "other", team: "a,b", "service.name": "night" }
    )
  })

  it("is told as failed with what helps, also where the receiver has taken only a part", () => {
    assert.isUndefined(exportProblem(answer(200, "{}")))
    assert.isUndefined(exportProblem(answer(200, new Uint8Array())))
    assert.isUndefined(exportProblem(answer(200, '{"partialSuccess":{"errorMessage":"only a warning"}}')))
    const partial = { problem: "the receiver refuses 3 of the values: too old\\x1b[31m" }
    assert.deepStrictEqual(
      exportProblem(
        answer(
          200,
          JSON.stringify({ partialSuccess: { rejectedDataPoints: "3", errorMessage: "too old\u001b[31m" } })
        )
      ),
      partial
    )
    const message = new TextEncoder().encode("too old\u001b[31m")
    const inner = [0x08, 3, 0x12, message.length, ...message]
    assert.deepStrictEqual(
      exportProblem(answer(200, Uint8Array.from([0x0a, inner.length, ...inner]))),
      partial
    )
    assert.deepStrictEqual(exportProblem(answer(429, "", "120")), {
      problem: "the receiver answers with status 429",
      waitMs: 120_000
    })
    assert.deepStrictEqual(exportProblem(answer(503)), { problem: "the receiver answers with status 503" })
    assert.deepStrictEqual(exportProblem(answer(400, "", "120")), {
      problem: "the receiver answers with status 400"
    })
    assert.match(exportProblem(answer(401))?.problem ?? "", /metrics\.otlp_headers_file/)
    assert.match(exportProblem(answer(404))?.problem ?? "", /no receiver of metrics at this URL/)
    assert.match(exportProblem(answer(307))?.problem ?? "", /redirects/)
  })

  it("never throws for any answer", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.uint8Array({ maxLength: 60 }), FastCheck.boolean(), (body, isJson) => {
        exportProblem({ status: 200, retryAfter: undefined, isJson, body })
        exportProblem({ status: 200, retryAfter: undefined, isJson, body: Uint8Array.from([0x0a, ...body]) })
      })
    )
  })
})
