import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { workerTimeZone } from "../../../src/Layers/worker/WorkerTimeZone.ts"

describe("the time zone of a worker", () => {
  it.live("is that of its variable TZ, also where Node does not understand it", () =>
    Effect.gen(function* () {
      const zones = {
        "": "UTC",
        "Asia/Shanghai": "Asia/Shanghai",
        ":Asia/Shanghai": "Asia/Shanghai",
        "<+0330>-3:30": "+03:30",
        "UTC-3": "+03:00",
        "XYZ11:15": "-11:15"
      }
      for (const [TZ, zone] of Object.entries(zones)) {
        assert.deepStrictEqual([TZ, yield* workerTimeZone(TZ)], [TZ, zone])
      }
      assert.match(yield* workerTimeZone(undefined), /./)
    })
  )
})
