import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { sinceMs } from "../../../src/Domain/cli/SinceInstant.ts"
import { isSinceTime } from "../../../src/Domain/cli/SinceTime.ts"
import { utc } from "../../../src/Domain/text/LocalTime.ts"
import { zoneNamed } from "../../fixtures/Zones.ts"

const berlin = zoneNamed("Europe/Berlin")
/** A Sunday; in Berlin it is 13:00:30. */
const now = Date.parse("2026-11-22T12:00:30.250Z")

const inBerlin = (text: string, nowMs = now): string => {
  const found = sinceMs(text, nowMs, berlin)
  return typeof found === "string" ? found : new Date(found).toISOString()
}

describe("a time after --since", () => {
  const table: ReadonlyArray<readonly [given: string, meant: string]> = [
    ["0s", "2026-11-22T12:00:30.250Z"],
    ["45s", "2026-11-22T11:59:45.250Z"],
    ["10m", "2026-11-22T11:50:30.250Z"],
    ["2h", "2026-11-22T10:00:30.250Z"],
    ["1h30m", "2026-11-22T10:30:30.250Z"],
    ["3d", "2026-11-19T12:00:30.250Z"],
    ["2w", "2026-11-08T12:00:30.250Z"],
    ["10 min ago", "2026-11-22T11:50:30.250Z"],
    ["2 h ago", "2026-11-22T10:00:30.250Z"],
    ["1 hour 30 minutes ago", "2026-11-22T10:30:30.250Z"],
    ["3 days", "2026-11-19T12:00:30.250Z"],
    ["1 week ago", "2026-11-15T12:00:30.250Z"],
    // The last time that the clock on the wall showed it.
    ["13:00", "2026-11-22T12:00:00.000Z"],
    ["13:00:30", "2026-11-22T12:00:30.000Z"],
    ["13:00:30.3", "2026-11-21T12:00:30.300Z"],
    ["9:05", "2026-11-22T08:05:00.000Z"],
    ["14:30", "2026-11-21T13:30:00.000Z"],
    ["today", "2026-11-21T23:00:00.000Z"],
    ["today 08:00", "2026-11-22T07:00:00.000Z"],
    ["yesterday", "2026-11-20T23:00:00.000Z"],
    ["yesterday 14:30", "2026-11-21T13:30:00.000Z"],
    ["2026-11-20", "2026-11-19T23:00:00.000Z"],
    ["2026-07-01", "2026-06-30T22:00:00.000Z"],
    ["2026-11-20 14:30", "2026-11-20T13:30:00.000Z"],
    ["2026-11-20T14:30", "2026-11-20T13:30:00.000Z"],
    ["2026-11-20T14:30:05.125", "2026-11-20T13:30:05.125Z"],
    ["2026-11-20T14:30:05Z", "2026-11-20T14:30:05.000Z"],
    ["2026-11-20T14:30-05:00", "2026-11-20T19:30:00.000Z"],
    ["2026-11-20T14:30+0530", "2026-11-20T09:00:00.000Z"],
    [" 2h ", "2026-11-22T10:00:30.250Z"]
  ]
  for (const [given, meant] of table) {
    it(`"${given}" means ${meant} when it is 13:00:30 in Berlin`, () => {
      assert.isTrue(isSinceTime(given))
      assert.strictEqual(inBerlin(given), meant)
    })
  }

  it("uses local time, also an hour after midnight", () => {
    const justAfterMidnight = Date.parse("2026-11-21T23:30:00Z")
    assert.strictEqual(inBerlin("today", justAfterMidnight), "2026-11-21T23:00:00.000Z")
    assert.strictEqual(inBerlin("00:15", justAfterMidnight), "2026-11-21T23:15:00.000Z")
    assert.strictEqual(inBerlin("23:50", justAfterMidnight), "2026-11-21T22:50:00.000Z")
  })

  it("resolves today to local midnight on days of 23 and 25 hours", () => {
    assert.strictEqual(inBerlin("today", Date.parse("2026-10-25T22:00:00Z")), "2026-10-24T22:00:00.000Z")
    assert.strictEqual(inBerlin("yesterday", Date.parse("2026-03-30T10:00:00Z")), "2026-03-28T23:00:00.000Z")
    // 02:30 was skipped: the clock went from 02:00 to 03:00.
    assert.strictEqual(inBerlin("2026-03-29 02:30"), "2026-03-29T01:30:00.000Z")
  })

  const wrong = [
    "",
    "2",
    "h",
    "ago",
    "2 months ago",
    "10 min later",
    "-2h",
    "2y",
    "1.5h",
    "24:00",
    "12:60",
    "12",
    "tomorrow",
    "Yesterday",
    "yesterday 25:00",
    "2026-02-30",
    "2026-13-01",
    "26-11-20",
    "2026-11-20T",
    "2026-11-20T14:30+25:00",
    "2026-11-20T14",
    "99999999999999999d"
  ]
  for (const text of wrong) {
    it(`"${text}" is refused with the forms that are understood`, () => {
      assert.isFalse(isSinceTime(text))
      const problem = String(sinceMs(text, now, utc))
      assert.match(problem, /is not a time such as 2h, .*2026-11-20T14:30/)
      assert.include(problem, `"${text}"`)
    })
  }

  it("refuses a time in the future", () => {
    assert.strictEqual(inBerlin("today 14:30"), `"today 14:30" is in the future.`)
    assert.strictEqual(inBerlin("2026-11-22T12:00:31Z"), `"2026-11-22T12:00:31Z" is in the future.`)
  })

  it("resolves every past ISO 8601 time to the millisecond", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.integer({ min: 0, max: now }), (atMs) => {
        assert.strictEqual(sinceMs(new Date(atMs).toISOString(), now, berlin), atMs)
      })
    )
  })

  it("resolves a time of day to less than 25 hours ago in every zone", () => {
    const zones = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Chatham", "UTC"]
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer({ min: 0, max: now }),
        FastCheck.nat({ max: 23 }),
        FastCheck.nat({ max: 59 }),
        FastCheck.constantFrom(...zones),
        (nowMs, hour, minute, name) => {
          const text = `${hour}:${String(minute).padStart(2, "0")}`
          const atMs = Number(sinceMs(text, nowMs, zoneNamed(name)))
          assert.isAtMost(atMs, nowMs)
          assert.isBelow(nowMs - atMs, 25 * 3_600_000 + 60_000)
        }
      )
    )
  })

  it("answers every text with a time or a sentence", () => {
    const pieces = FastCheck.stringMatching(/^[0-9:.TZ +\-smhdwtodayers]{0,24}$/)
    FastCheck.assert(
      FastCheck.property(FastCheck.oneof(FastCheck.string(), pieces), (text) => {
        const found = sinceMs(text, now, berlin)
        if (typeof found === "number") assert.isTrue(Number.isSafeInteger(found))
        else assert.match(found, /\.$/)
        assert.strictEqual(isSinceTime(text), typeof found === "number" || found.endsWith("in the future."))
      }),
      { numRuns: 500 }
    )
  })
})
