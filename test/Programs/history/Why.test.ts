import * as fs from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as TestClock from "effect/TestClock"
import type { ControlRequest } from "../../../src/Domain/control/ControlProtocol.ts"
import { nothingAlive } from "../../../src/Domain/tree/UnservedHome.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import { HistoryReader, HistoryUnreadable } from "../../../src/Layers/history/HistoryReader.ts"
import { MachineBoot } from "../../../src/Layers/machine/MachineBoot.ts"
import { HomeSurvivors } from "../../../src/Layers/tree/HomeSurvivors.ts"
import { why } from "../../../src/Programs/history/Why.ts"
import { callerIn, daemonThat, heard, invocationOf, messageOf } from "../../fixtures/CommandUser.ts"
import { at, noon, run } from "../../fixtures/HistoryRecords.ts"
import { shop } from "../../fixtures/HistoryWorld.ts"
import { noService } from "../../fixtures/NoService.ts"

const records = run(
  "a",
  [at("09:00"), { _tag: "DaemonStarted", pid: 4000, version: "0.1.0", home: "/h" }],
  [at("09:01"), { _tag: "GaveUp", project: shop, failures: 10, reason: "exit code 1" }]
)

const failed = {
  success: true,
  message: "Worker is failed",
  data: {
    worker_status: "failed",
    worker_pid: null,
    uptime_seconds: 0,
    total_restarts: 9,
    consecutive_failures: 10,
    memory_available_bytes: 2 ** 33,
    memory_total_bytes: 2 ** 34,
    project: "shop",
    reason: "10 failures in a row, the last: exit code 1"
  }
}

/** The home of a daemon that was killed. */
const Home = Layer.scoped(
  AutopilotHome,
  Effect.acquireRelease(
    Effect.sync(() => fs.mkdtempSync(join(tmpdir(), "autopilotd-why-"))),
    (root) => Effect.sync(() => fs.rmSync(root, { recursive: true }))
  ).pipe(
    Effect.map((root) => {
      const paths = pathsBelow(root)
      fs.writeFileSync(paths.aliveFile, "4000\n")
      fs.utimesSync(paths.aliveFile, at("09:01") / 1000, at("09:01") / 1000)
      return paths
    })
  )
)
const nothingLives = Layer.succeed(HomeSurvivors, {
  find: Effect.succeed(nothingAlive),
  workerPids: Effect.succeed([]),
  named: Effect.succeed([])
})

const explained = (
  answers: (request: ControlRequest) => object | undefined,
  ...words: ReadonlyArray<string>
) =>
  Effect.gen(function* () {
    const { asked, layer } = daemonThat(answers)
    yield* TestClock.setTime(noon)
    const World = Layer.mergeAll(
      layer,
      Layer.succeed(HistoryReader, { read: () => Effect.succeed({ records, damaged: 0 }) }),
      Home,
      nothingLives,
      callerIn("/"),
      noService,
      Layer.succeed(MachineBoot, { bootedMs: Effect.succeed(at("09:30")) })
    )
    return { ...(yield* heard(Effect.provide(why(invocationOf("why", ...words)), World))), asked }
  })

describe("autopilotd why", () => {
  it.effect("explains the state of the daemon's worker by the events", () =>
    Effect.gen(function* () {
      const { asked, out } = yield* explained(() => failed, "--project", "shop")
      assert.deepStrictEqual(asked, [{ type: "Status", project: shop }])
      assert.match(out, /^The worker of shop has failed and stays so until you act: 10 failures in a row/)
      assert.match(out, /\nEvents:\n {2}TIME.*\n.*daemon started.*\n.*gave up/)
      assert.match(out, /\nWhat you can do:\n/)
    })
  )

  it.effect("explains the end of the last daemon when none runs", () =>
    Effect.gen(function* () {
      const { out, result } = yield* explained(() => undefined)
      assert.isTrue(Either.isRight(result))
      assert.match(out, /^No daemon is running\.\nThe last one \(pid 4000, .* disappeared/)
      assert.match(out, /\nThe machine booted at /)
    })
  )

  it.effect("answers a program with the same in one JSON object", () =>
    Effect.gen(function* () {
      const { out } = yield* explained(() => failed, "--json")
      assert.lengthOf(out.split("\n"), 2)
      const { data, message, success } = JSON.parse(out)
      assert.isTrue(success)
      assert.strictEqual(data.state, "failed")
      assert.strictEqual(data.explanation[0], message)
      assert.lengthOf(data.events, 2)
      assert.isAbove(data.advice.length, 0)
    })
  )

  it.effect("says what the daemon answers for a project that it does not know", () =>
    Effect.gen(function* () {
      const { out, result } = yield* explained(() => ({ success: false, message: "There is no project no" }))
      assert.strictEqual(messageOf(result), "There is no project no")
      assert.strictEqual(out, "")
    })
  )

  it.effect("says that the history cannot be read", () =>
    Effect.gen(function* () {
      const World = Layer.mergeAll(
        daemonThat(() => failed).layer,
        nothingLives,
        callerIn("/"),
        noService,
        Layer.succeed(HistoryReader, {
          read: () => new HistoryUnreadable({ path: "/h/history.jsonl", reason: "permission denied" })
        }),
        Home,
        Layer.succeed(MachineBoot, { bootedMs: Effect.succeed(0) })
      )
      const { result } = yield* heard(Effect.provide(why(invocationOf("why")), World))
      assert.strictEqual(
        messageOf(result),
        "The history in /h/history.jsonl cannot be read: permission denied."
      )
    })
  )
})
