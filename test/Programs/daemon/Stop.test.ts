import * as fs from "node:fs"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { nothingAlive } from "../../../src/Domain/tree/UnservedHome.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import { HistoryReader } from "../../../src/Layers/history/HistoryReader.ts"
import * as ProcFs from "../../../src/Layers/machine/ProcFs.ts"
import { HomeSurvivors } from "../../../src/Layers/tree/HomeSurvivors.ts"
import { stop } from "../../../src/Programs/daemon/Stop.ts"
import { daemonThat, heard, invocationOf, messageOf } from "../../fixtures/CommandUser.ts"
import { noon, run } from "../../fixtures/HistoryRecords.ts"
import { statusFields } from "../../fixtures/StatusFields.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

/** Stops a daemon of another PID namespace: its pid is that of an innocent process here, which never ends. */
const stopped = (event: DaemonEvent | undefined, workerPids: ReadonlyArray<number>) =>
  Effect.gen(function* () {
    const home = yield* temporaryHome
    fs.writeFileSync(pathsBelow(home).pidFile, "1")
    let isGone = false
    const { asked, layer } = daemonThat(({ type }) => {
      if (isGone) return undefined
      if (type === "Shutdown") {
        isGone = true
        return { success: true, message: "Daemon shutting down" }
      }
      return { success: true, message: "", data: { ...statusFields, daemon_pid: 1 } }
    })
    const World = Layer.mergeAll(
      layer,
      ProcFs.layer,
      Layer.succeed(AutopilotHome, pathsBelow(home)),
      Layer.succeed(HomeSurvivors, {
        find: Effect.succeed(nothingAlive),
        workerPids: Effect.succeed(workerPids),
        named: Effect.succeed([])
      }),
      Layer.succeed(HistoryReader, {
        read: () =>
          Effect.succeed({ records: event === undefined ? [] : run("a", [noon, event]), damaged: 0 })
      })
    )
    const told = yield* heard(Effect.provide(stop(invocationOf("stop")), World))
    assert.strictEqual(asked.find(({ type }) => type === "Shutdown")?.type, "Shutdown")
    return told
  })

describe("autopilotd stop", () => {
  it.scopedLive("waits for the socket and the lock, not for a pid of another namespace (D15)", () =>
    Effect.gen(function* () {
      const { out, result } = yield* stopped({ _tag: "DaemonStopped", leftBehind: [] }, [])
      assert.strictEqual(messageOf(result), "no failure")
      assert.strictEqual(out, "Daemon stopped\n")
    })
  )

  it.scopedLive("names what is left, and fails, whether the daemon has recorded it or not", () =>
    Effect.gen(function* () {
      const recorded = yield* stopped({ _tag: "DaemonStopped", leftBehind: [41] }, [])
      const seen = yield* stopped(undefined, [41])
      for (const { out, result } of [recorded, seen]) {
        assert.strictEqual(out, "")
        assert.match(
          messageOf(result),
          /^The daemon stopped, but left 1 process \(pid 41\) of its workers behind/
        )
      }
    })
  )
})
