import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { hogs } from "../../../src/Programs/guard/Hogs.ts"
import { daemonThat, heard, invocationOf, messageOf, noDaemon } from "../../fixtures/CommandUser.ts"

const reply = {
  success: true,
  message: "1 process would be killed for memory",
  data: {
    memory_level: "low",
    memory_available_bytes: 2 ** 30,
    memory_total_bytes: 2 ** 34,
    memory_min_available_bytes: 2 ** 31,
    memory_critical_threshold_bytes: 2 ** 29,
    hog_policy: "any",
    hog_names: ["node", "python3"],
    node_kill_threshold_bytes: 500 * 2 ** 20,
    dry_run: true,
    workers: [],
    would_end: [
      {
        pid: 5,
        name: "node",
        command: "node a.js",
        memory_bytes: 2 ** 30,
        swap_bytes: 0,
        kind: "orphan",
        project: "shop",
        reason: 'detached from the running worker of "shop"'
      }
    ],
    would_spare: []
  }
}

const listing = (...words: ReadonlyArray<string>) => {
  const { asked, layer } = daemonThat(() => reply)
  return Effect.map(heard(Effect.provide(hogs(invocationOf("hogs", ...words)), layer)), (said) => ({
    ...said,
    asked
  }))
}

describe("autopilotd hogs", () => {
  it.effect("lists the processes that the daemon would kill, and why", () =>
    Effect.gen(function* () {
      const { asked, out } = yield* listing()
      assert.deepStrictEqual(asked, [{ type: "Hogs" }])
      assert.match(out, /^Memory is low: 1 GiB of 16 GiB available\./)
      assert.match(out, /^ +5 {2}node +1 GiB {2}detached from the running worker of "shop" {2}node a\.js$/m)
    })
  )

  it.effect("answers a program with the daemon's answer, in bytes", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(JSON.parse((yield* listing("--json")).out), reply)
    })
  )

  it.effect("says what a daemon answers that cannot tell, and that none is running", () =>
    Effect.gen(function* () {
      const old = daemonThat(() => ({ success: false, message: "Unknown request" })).layer
      const { out, result } = yield* heard(Effect.provide(hogs(invocationOf("hogs", "--json")), old))
      assert.strictEqual(messageOf(result), "Unknown request")
      assert.strictEqual(out, "")
      const none = yield* heard(Effect.provide(hogs(invocationOf("hogs")), noDaemon))
      assert(Either.isLeft(none.result))
      assert.strictEqual(none.result.left._tag, "NotRunning")
    })
  )
})
