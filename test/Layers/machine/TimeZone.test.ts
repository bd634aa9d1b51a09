import { assert, describe, it } from "@effect/vitest"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/TestClock"
import { sinceMs } from "../../../src/Domain/cli/SinceInstant.ts"
import { localDay, localTime } from "../../../src/Domain/text/LocalTime.ts"
import { localZone, timeZoneOf, today } from "../../../src/Layers/machine/TimeZone.ts"

/** Lets a test set TZ. */
const restoresTz = Effect.suspend(() => {
  const before = process.env["TZ"]
  return Effect.addFinalizer(() =>
    Effect.sync(() => {
      if (before === undefined) delete process.env["TZ"]
      else process.env["TZ"] = before
    })
  )
})

describe("the day of a budget", () => {
  it.scoped("begins at midnight in the zone of the machine, or that of TZ", () =>
    Effect.gen(function* () {
      yield* restoresTz
      yield* TestClock.setTime(Date.UTC(2026, 10, 20, 22, 30))
      for (const [TZ, day] of [
        ["", "2026-11-20"],
        ["<+0330>-3:30", "2026-11-21"],
        ["Asia/Tokyo", "2026-11-21"],
        ["America/New_York", "2026-11-20"]
      ] as const) {
        process.env["TZ"] = TZ
        assert.deepStrictEqual([TZ, yield* today], [TZ, day])
      }
      delete process.env["TZ"]
      assert.strictEqual(yield* today, localDay(yield* Clock.currentTimeMillis, yield* localZone))
    })
  )
})

describe("the time zone of history, why and --since", () => {
  it.live("is that of the variable TZ, also where Node does not understand it", () =>
    Effect.gen(function* () {
      yield* restoresTz
      const noon = Date.UTC(2026, 10, 20, 12)
      for (const [TZ, day] of [
        ["", "2026-11-20 12:00:00"],
        ["<+0330>-3:30", "2026-11-20 15:30:00"],
        ["Asia/Tokyo", "2026-11-20 21:00:00"]
      ] as const) {
        process.env["TZ"] = TZ
        const zone = yield* localZone
        assert.strictEqual(localTime(noon, zone), day)
        assert.strictEqual(sinceMs(day.replace(" ", "T"), noon + 1, zone), noon)
      }
    }).pipe(Effect.scoped)
  )
})

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
        assert.deepStrictEqual([TZ, yield* timeZoneOf(TZ)], [TZ, zone])
      }
      const machine = yield* timeZoneOf(undefined)
      const { timeZone } = new Intl.DateTimeFormat("en", { timeZone: machine }).resolvedOptions()
      assert.strictEqual(timeZone, new Intl.DateTimeFormat("en").resolvedOptions().timeZone)
    })
  )
})
