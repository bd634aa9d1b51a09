import { assert, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { eventually } from "../live/TestDaemon.ts"
import { inState, project, rowOf } from "../live/worker/SeveralProjects.ts"
import { fixture } from "./Machine.ts"
import { started } from "./Service.ts"
import { underUserManager } from "./UserManager.ts"

describe("systemctl restart", () => {
  underUserManager(
    "keeps failed, stopped and waiting workers as they are, and restarts those that ran",
    (machine) =>
      Effect.gen(function* () {
        const resetsAt = Math.floor(Date.now() / 1000) + 7200
        const limit = JSON.stringify({
          session_id: "s",
          type: "result",
          subtype: "success",
          is_error: true,
          num_turns: 3,
          total_cost_usd: 0.5,
          result: `Claude AI usage limit reached|${resetsAt}`,
          api_error_status: 429
        })
        const settings = [
          project("runs", [fixture("sleeps.sh")]),
          project("fails", [fixture("ends.sh"), "0", "3"], "restart.max_consecutive_restarts = 1"),
          project("stops", [fixture("sleeps.sh")]),
          project("waits", ["/bin/sh", "-c", `echo '${limit}'; exit 1`]),
          project("retries", [fixture("ends.sh"), "0", "3"], "restart.initial_backoff_ms = 300000")
        ].join("")
        const service = yield* started(machine, { settings })
        yield* inState(service.home, "stops", "running")
        yield* service.tell("stop-worker --project stops")
        const states = {
          runs: "running",
          fails: "failed",
          stops: "stopped",
          waits: "waiting",
          retries: "restarting"
        } as const
        const names = ["runs", "fails", "stops", "waits", "retries"] as const
        const settled = () => Effect.forEach(names, (name) => inState(service.home, name, states[name]))
        const before = yield* settled()
        const [mainPid = ""] = yield* service.show("MainPID")
        yield* machine.sh("systemctl --user restart autopilotd")
        assert.notStrictEqual((yield* service.show("MainPID"))[0], mainPid)
        const after = yield* settled()
        assert.notStrictEqual(after[0]?.worker_pid, before[0]?.worker_pid)
        for (const [index, row] of before.entries()) {
          const [then, now] = [row.next_start_at_ms, after[index]?.next_start_at_ms]
          assert.strictEqual(now === undefined, then === undefined, row.name)
          // What was left of a backoff is counted by another clock than the one on the wall.
          if (then !== undefined) assert.closeTo(now ?? 0, then, 5000, row.name)
        }
        assert.deepStrictEqual(
          after.map(({ consecutive_failures }) => consecutive_failures),
          before.map(({ consecutive_failures }) => consecutive_failures)
        )
        const starts = (yield* service.journal()).filter(({ text }) =>
          /(fails|stops): Worker started/.test(text)
        )
        assert.strictEqual(starts.length, 2)
        yield* service.tell("start-worker --project stops")
        yield* rowOf(
          service.home,
          "stops",
          "can be started again",
          ({ worker_status }) => worker_status === "running"
        )
        yield* machine.sh("systemctl --user restart autopilotd")
        for (const name of ["runs", "stops"]) yield* inState(service.home, name, "running")
        yield* eventually(
          "a daemon and two workers of one process",
          Effect.map(service.members, (pids) => pids.length === 3 || undefined)
        )
      })
  )
})
