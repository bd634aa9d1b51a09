import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { Followed } from "../../../src/Domain/relay/Followed.ts"
import * as ControlClient from "../../../src/Layers/control/ControlClient.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import * as Following from "../../../src/Layers/relay/Following.ts"
import { readHistory } from "../../fixtures/HistoryWorld.ts"
import { command, eventually, killForSure, startDaemon } from "../TestDaemon.ts"

/** A worker that crashes ten times within a second. */
const crashing = { args: ["--project", "shop"], worker: ["/bin/false"] }
const settings = "[restart]\ninitial_backoff_ms = 50\nmax_backoff_ms = 50\n"

describe("following a daemon", () => {
  it.scopedLive(
    "misses nothing of a daemon that is killed and started again, and says how each one ended",
    () =>
      Effect.gen(function* () {
        const { home, pid, status } = yield* startDaemon({ ...crashing, settings })
        const { socket } = pathsBelow(home)
        const layer = Following.layer.pipe(
          Layer.provide(
            Layer.merge(ControlClient.layer({ path: socket }), Layer.succeed(AutopilotHome, pathsBelow(home)))
          )
        )
        const { from } = yield* Effect.provide(Following.Following, layer)
        yield* status("given up", ({ worker_status }) => worker_status === "failed")
        const { records } = yield* readHistory(home)
        const first = records[0]
        assert(first !== undefined)

        const seen: Array<Followed> = []
        const seenTags = () => seen.map(({ _tag }) => _tag)
        yield* Effect.forkScoped(
          Stream.runForEach(from(first), (one) => Effect.sync(() => void seen.push(one)))
        )
        const sees = (tag: Followed["_tag"], times: number) =>
          eventually(`${times} times ${tag}`, () => seenTags().filter((one) => one === tag).length >= times)
        yield* sees("Connected", 1)
        killForSure(pid)
        yield* sees("Vanished", 1)
        yield* startDaemon({ ...crashing, home })
        yield* sees("Connected", 2)
        yield* command({ home, args: ["stop"] })
        yield* sees("Ended", 1)

        assert.deepStrictEqual(
          seenTags().filter((tag) => tag !== "Event"),
          ["Connected", "Vanished", "Connected", "Ended"]
        )
        const followed = seen.flatMap((one) => (one._tag === "Event" ? [one.record] : []))
        assert.deepStrictEqual(followed, (yield* readHistory(home)).records.slice(1))
      })
  )
})
