import * as fs from "node:fs"
import { join } from "node:path"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import * as TestServices from "effect/TestServices"
import { heartbeat } from "../../../src/Layers/relay/Heartbeat.ts"
import { OutletReports } from "../../../src/Layers/relay/OutletReports.ts"
import { daemonThat } from "../../fixtures/CommandUser.ts"
import { httpServer } from "../../fixtures/LocalServer.ts"
import { stoppedRow } from "../../fixtures/ProjectRows.ts"
import { temporaryFolder } from "../../fixtures/TemporaryFolder.ts"
import { nextTold, outletsInto } from "../../fixtures/ToldOutlets.ts"
import { eventually } from "../../live/TestDaemon.ts"

type Answer = "ok" | "hang" | "reset" | "drip" | number

/** A service that answers as a test says, and notes what it is asked. */
const receiver = Effect.gen(function* () {
  const service = { requests: new Array<string>(), headers: new Array<string>(), answer: "ok" as Answer }
  const { close, url } = yield* httpServer((request, response) => {
    service.requests.push(`${request.method} ${request.url}`)
    service.headers.push(...Object.keys(request.headers))
    if (service.answer === "hang") return
    if (service.answer === "reset") return void request.socket.resetAndDestroy()
    if (service.answer === "drip") {
      response.writeHead(200)
      response.write("x".repeat(1_000_000))
      return
    }
    response.writeHead(service.answer === "ok" ? 200 : service.answer, { location: "/elsewhere" }).end("OK")
  })
  return Object.assign(service, { close, url: `${url}/s3cr3t` })
})

const dataOf = (worker_status: string) => ({
  selected: "shop",
  projects: [{ ...stoppedRow, worker_status }]
})

/** A heartbeat each second against the receiver, in a time that the test moves. */
const inWorld = Effect.gen(function* () {
  const service = yield* receiver
  const folder = yield* temporaryFolder
  const urlFile = join(folder, "url")
  fs.writeFileSync(urlFile, `${service.url}\n`)
  const told: Array<string> = []
  const daemon = { state: "running", isRunning: true }
  const World = Layer.mergeAll(
    daemonThat(() =>
      daemon.isRunning ? { success: true, message: "", data: dataOf(daemon.state) } : undefined
    ).layer,
    Layer.succeed(OutletReports, outletsInto(told)),
    NodeHttpClient.layer
  )
  yield* Effect.forkScoped(Effect.provide(heartbeat({ urlFile, intervalMs: 1000 }), World))
  /** Lets beats come until one has this outcome, which is the next one to be told. */
  const next = nextTold(told)
  /** Lets beats come until one has this outcome: those on their way have another. */
  const until = (outcome: string) => Effect.repeat(next, { until: (one) => one.includes(outcome) })
  return { service, daemon, told, urlFile, next, until }
})

describe("the heartbeat", () => {
  it.scoped("calls the URL while the daemon answers, and tells of a worker that has failed", () =>
    Effect.gen(function* () {
      const { daemon, next, service, told } = yield* inWorld
      assert.strictEqual(yield* next, "heartbeat works")
      daemon.state = "failed"
      assert.strictEqual(yield* next, "heartbeat works")
      assert.include(service.requests, "GET /s3cr3t")
      assert.strictEqual(service.requests.at(-1), "GET /s3cr3t/fail")
      assert.notInclude(service.headers, "traceparent")
      daemon.isRunning = false
      const [calls, tales] = [service.requests.length, told.length]
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual([service.requests.length, told.length], [calls, tales])
    })
  )

  it.scoped("says why it fails, without the URL, and goes on", () =>
    Effect.gen(function* () {
      const { next, service, told, until, urlFile } = yield* inWorld
      yield* next
      for (const [answer, problem] of [
        [404, "the service answers with status 404"],
        [503, "the service answers with status 503"],
        [302, "the service redirects (status 302): write the address it redirects to into the file"],
        ["reset", "the service has closed the connection without an answer"]
      ] as const) {
        service.answer = answer
        yield* until(`heartbeat: ${problem}`)
      }
      service.answer = "drip"
      yield* until("heartbeat works")
      service.answer = "hang"
      const [asked, before] = [service.requests.length, told.length]
      yield* TestClock.adjust("1 second")
      yield* TestServices.provideLive(
        eventually("the hanging service is asked", () => service.requests.length > asked)
      )
      assert.lengthOf(told, before)
      yield* TestClock.adjust("15 seconds")
      assert.strictEqual(told[before], "heartbeat: the service has not answered within 15s")
      service.answer = "ok"
      yield* until("heartbeat works")
      service.close()
      yield* until("heartbeat: the service refuses connections")
      fs.writeFileSync(urlFile, "s3cr3t")
      yield* until("url has no URL in its first line")
      fs.rmSync(urlFile)
      yield* until("does not exist")
      assert.notInclude(told.join(), "s3cr3t")
    })
  )
})
