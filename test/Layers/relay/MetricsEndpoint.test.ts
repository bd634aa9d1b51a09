import * as fs from "node:fs"
import * as http from "node:http"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import { type OutletCounts, relayCountsOf } from "../../../src/Domain/relay/OutletCounts.ts"
import { decodeRaw } from "../../../src/Domain/settings/SettingsDecode.ts"
import { metricsEndpoint } from "../../../src/Layers/relay/MetricsEndpoint.ts"
import { OutletReports } from "../../../src/Layers/relay/OutletReports.ts"
import { daemonThat } from "../../fixtures/CommandUser.ts"
import { freePort, tcpServer } from "../../fixtures/LocalServer.ts"
import { measured, metricsOf } from "../../fixtures/Measurements.ts"
import { temporaryFolder } from "../../fixtures/TemporaryFolder.ts"
import { outletsInto } from "../../fixtures/ToldOutlets.ts"
import { eventually } from "../../live/TestDaemon.ts"

const get = (port: number, path: string, options: http.RequestOptions = {}) =>
  Effect.async<{ readonly status: number; readonly type: string; readonly body: string }, Error>((resume) => {
    http
      .request({ host: "127.0.0.1", port, path, agent: false, ...options }, (response) => {
        let body = ""
        response
          .setEncoding("utf8")
          .on("data", (text: string) => {
            body += text
          })
          .on("end", () =>
            resume(
              Effect.succeed({
                status: response.statusCode ?? 0,
                type: response.headers["content-type"] ?? "",
                body
              })
            )
          )
      })
      .on("error", (cause) => resume(Effect.fail(cause)))
      .end()
  })

const { notify } = Either.getOrThrow(
  decodeRaw({ notify: { to: { desk: { type: "desktop" }, phone: { type: "desktop" } } } })
)

/** An endpoint of a daemon that a test starts and stops, in a relay with two channels. */
const inWorld = Effect.fnUntraced(function* (port: number, tokenFile?: string) {
  const told: Array<string> = []
  const outlets = outletsInto(told)
  const daemon = { isRunning: true, asked: 0 }
  const data = metricsOf([measured("shop")])
  const World = Layer.mergeAll(
    daemonThat(() => {
      daemon.asked++
      return daemon.isRunning ? { success: true, message: "", data } : undefined
    }).layer,
    Layer.succeed(OutletReports, outlets)
  )
  const endpoint = { host: "127.0.0.1", port, ...(tokenFile === undefined ? {} : { tokenFile }) }
  const countsOf = (counts: OutletCounts) => relayCountsOf({ notify }, counts)
  yield* Effect.forkScoped(Effect.provide(metricsEndpoint(endpoint, countsOf), World))
  yield* eventually("the endpoint has said what it does", () => told[0])
  return { daemon, outlets, told }
})

describe("the metrics endpoint", () => {
  it.scopedLive("serves the daemon's metrics, and says with a metric when it does not answer", () =>
    Effect.gen(function* () {
      const port = yield* freePort
      const { daemon } = yield* inWorld(port)
      const scrape = yield* get(port, "/metrics?a=b")
      assert.deepStrictEqual([scrape.status, scrape.type], [200, "text/plain; version=0.0.4; charset=utf-8"])
      assert.match(scrape.body, /^autopilotd_up 1$/m)
      assert.match(scrape.body, /^autopilotd_worker_state\{project="shop",state="stopped"\} 1$/m)
      const open = yield* get(port, "/metrics", { headers: { accept: "application/openmetrics-text" } })
      assert.match(open.type, /openmetrics/)
      assert.deepStrictEqual((yield* get(port, "/healthz")).status, 200)
      const head = yield* get(port, "/metrics", { method: "HEAD" })
      assert.deepStrictEqual([head.status, head.body], [200, ""])
      assert.strictEqual((yield* get(port, "/healthz", { method: "POST" })).status, 405)
      assert.strictEqual((yield* get(port, "/metrics", { headers: { host: "evil.example" } })).status, 403)

      const before = daemon.asked
      const many = yield* Effect.all(
        Array.from({ length: 30 }, () => get(port, "/metrics")),
        { concurrency: "unbounded" }
      )
      assert.isTrue(many.every(({ status }) => status === 200))
      assert.isBelow(daemon.asked - before, 30)

      daemon.isRunning = false
      const gone = yield* eventually(
        "the daemon is gone",
        Effect.map(get(port, "/metrics"), (one) => (one.body.includes("autopilotd_up 0") ? one : undefined))
      )
      assert.strictEqual(gone.status, 200)
      assert.deepStrictEqual(
        [(yield* get(port, "/healthz")).status, (yield* get(port, "/readyz")).status],
        [503, 503]
      )
    })
  )

  it.scopedLive(
    "counts for each channel what was sent and what failed, from 0 on, and nothing that is switched off",
    () =>
      Effect.gen(function* () {
        const port = yield* freePort
        const { outlets } = yield* inWorld(port)
        const counted = Effect.map(get(port, "/metrics"), ({ body }) =>
          body.split("\n").filter((line) => /^autopilotd_(notifications|otlp)/.test(line))
        )
        assert.deepStrictEqual(yield* counted, [
          'autopilotd_notifications_sent_total{channel="desk"} 0',
          'autopilotd_notifications_sent_total{channel="phone"} 0',
          'autopilotd_notifications_failed_total{channel="desk"} 0',
          'autopilotd_notifications_failed_total{channel="phone"} 0'
        ])
        yield* outlets.works("notify.to.desk")
        yield* outlets.fails("notify.to.phone", "answered 503")
        yield* outlets.fails("notify.to.phone", "answered 503")
        yield* outlets.fails("notify.to.gone", "answered 503")
        assert.deepStrictEqual(yield* counted, [
          'autopilotd_notifications_sent_total{channel="desk"} 1',
          'autopilotd_notifications_sent_total{channel="phone"} 0',
          'autopilotd_notifications_failed_total{channel="desk"} 0',
          'autopilotd_notifications_failed_total{channel="phone"} 2'
        ])
      })
  )

  it.scopedLive("asks for the token of its file, which is read each time, and for none on a probe", () =>
    Effect.gen(function* () {
      const port = yield* freePort
      const tokenFile = join(yield* temporaryFolder, "token")
      fs.writeFileSync(tokenFile, "s3cr3t\n")
      const { told } = yield* inWorld(port, tokenFile)
      const withToken = (authorization?: string) =>
        Effect.map(
          get(port, "/metrics", { headers: authorization === undefined ? {} : { authorization } }),
          ({ status }) => status
        )
      assert.strictEqual(yield* withToken("Bearer s3cr3t"), 200)
      for (const wrong of [undefined, "Bearer", "Bearer s3cr3", "Bearer s3cr3tt", "Basic s3cr3t", "s3cr3t"])
        assert.strictEqual(yield* withToken(wrong), 401, wrong)
      assert.strictEqual((yield* get(port, "/healthz")).status, 200)
      fs.writeFileSync(tokenFile, "another")
      assert.deepStrictEqual(
        [yield* withToken("Bearer s3cr3t"), yield* withToken("Bearer another")],
        [401, 200]
      )
      for (const spoil of [() => fs.writeFileSync(tokenFile, "\n"), () => fs.rmSync(tokenFile)]) {
        spoil()
        assert.strictEqual(yield* withToken("Bearer another"), 503)
      }
      assert.include(told.at(-1), "token does not exist")
      assert.notInclude(told.join(), "s3cr3t")
    })
  )

  it.scopedLive("says that its address is taken, and what to do", () =>
    Effect.gen(function* () {
      const { port } = yield* tcpServer()
      const { told } = yield* inWorld(port)
      assert.deepStrictEqual(told, [
        `metrics endpoint: another program listens on 127.0.0.1:${port}. Stop it, or set another port in metrics.listen`
      ])
    })
  )
})
