import * as fs from "node:fs"
import * as Net from "node:net"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import type * as Layer from "effect/Layer"
import { metricsText } from "../../../src/Domain/metrics/MetricsText.ts"
import * as ControlClient from "../../../src/Layers/control/ControlClient.ts"
import { metrics } from "../../../src/Programs/metrics/Metrics.ts"
import { daemonThat, heard, invocationOf, messageOf, noDaemon } from "../../fixtures/CommandUser.ts"
import { measured, metricsOf } from "../../fixtures/Measurements.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

const data = metricsOf([measured("shop")])
const daemon = daemonThat(() => ({ success: true, message: "Metrics of 1 project", data })).layer

const down = metricsText(undefined, false)

const hearing = (client: Layer.Layer<ControlClient.ControlClient>, ...words: ReadonlyArray<string>) =>
  heard(Effect.provide(metrics(invocationOf("metrics", ...words), metricsText), client))

/** A daemon that is suspended: it takes connections, and answers nothing. */
const hangingDaemon = Effect.gen(function* () {
  const path = join(yield* temporaryHome, "socket")
  yield* Effect.acquireRelease(
    Effect.async<Net.Server>((resume) => {
      const server = Net.createServer().listen(path, () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.sync(() => void server.close())
  )
  return ControlClient.layer({ path, limits: { firstByteMs: 50, wholeMs: 600_000 } })
})

describe("autopilotd metrics", () => {
  it.effect("prints the text in the wanted format, and the answer for a program", () =>
    Effect.gen(function* () {
      assert.strictEqual((yield* hearing(daemon)).out, metricsText(data, false))
      assert.strictEqual((yield* hearing(daemon, "--openmetrics")).out, metricsText(data, true))
      const answer = JSON.parse((yield* hearing(daemon, "--json")).out)
      assert.deepInclude(answer, { success: true, message: "Metrics of 1 project" })
    })
  )

  it.scopedLive("prints autopilotd_up 0 and fails when no daemon runs, and when it hangs", () =>
    Effect.gen(function* () {
      const none = yield* hearing(noDaemon)
      assert.strictEqual(none.out, down)
      assert(Either.isLeft(none.result))
      assert.strictEqual(none.result.left._tag, "NotRunning")
      const hung = yield* hearing(yield* hangingDaemon)
      assert.strictEqual(hung.out, down)
      assert.include(messageOf(hung.result), "it is suspended")
    })
  )

  it.scopedLive("writes autopilotd_up 0 into the file, and has done what a timer wants", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryHome, "autopilotd.prom")
      for (const client of [daemon, noDaemon, daemon, yield* hangingDaemon]) {
        const { err, out, result } = yield* hearing(client, "--output", file)
        assert.deepStrictEqual([out, err, Either.isRight(result)], ["", "", true])
        assert.strictEqual(fs.readFileSync(file, "utf8"), client === daemon ? metricsText(data, false) : down)
      }
    })
  )

  it.scopedLive("leaves the file as it is where the daemon is of another version, and says why", () =>
    Effect.gen(function* () {
      const file = join(yield* temporaryHome, "autopilotd.prom")
      fs.writeFileSync(file, "before\n")
      const old = daemonThat(() => ({ success: false, message: 'Unknown request type "Metrics"' })).layer
      const { out, result } = yield* hearing(old, "--output", file)
      assert.strictEqual(out, "")
      assert.include(messageOf(result), "Unknown request type")
      assert.strictEqual(fs.readFileSync(file, "utf8"), "before\n")
    })
  )
})
