import { assert, describe, it } from "@effect/vitest"
import * as DateTime from "effect/DateTime"
import * as FastCheck from "effect/FastCheck"
import {
  instantOf,
  localDay,
  localTime,
  midnightBefore,
  spokenTime
} from "../../../src/Domain/text/LocalTime.ts"
import { zoneNamed } from "../../fixtures/Zones.ts"

const berlin = zoneNamed("Europe/Berlin")
const zoneNames = ["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Pacific/Chatham", "UTC"]
const zones = zoneNames.map(zoneNamed)
const ms = (iso: string) => Date.parse(iso)

describe("a local time", () => {
  it("has the day and time of its zone", () => {
    assert.strictEqual(localTime(ms("2026-11-21T23:05:09Z"), berlin), "2026-11-22 00:05:09")
    assert.strictEqual(localTime(ms("2026-07-01T12:00:00Z"), berlin), "2026-07-01 14:00:00")
    assert.strictEqual(localDay(ms("2026-11-21T23:05:09Z"), berlin), "2026-11-22")
    assert.strictEqual(midnightBefore(ms("2026-10-25T22:00:00Z"), berlin), ms("2026-10-24T22:00:00Z"))
  })

  it("is relative to today, yesterday and tomorrow", () => {
    const now = ms("2026-11-22T12:00:00Z")
    const said = (iso: string, nowMs = now) => spokenTime(ms(iso), nowMs, berlin)
    assert.strictEqual(said("2026-11-22T14:20:59Z"), "15:20")
    assert.strictEqual(said("2026-11-21T23:00:00Z"), "00:00")
    assert.strictEqual(said("2026-11-21T22:59:59Z"), "yesterday 23:59")
    assert.strictEqual(said("2026-11-20T22:59:59Z"), "2026-11-20 23:59")
    assert.strictEqual(said("2026-11-22T23:00:00Z"), "tomorrow 00:00")
    assert.strictEqual(said("2026-11-24T00:00:00Z"), "2026-11-24 01:00")
    // Days of 25 and of 23 hours.
    assert.strictEqual(said("2026-10-25T23:30:00Z", ms("2026-10-25T00:30:00Z")), "tomorrow 00:30")
    assert.strictEqual(said("2026-03-28T23:30:00Z", ms("2026-03-29T23:30:00Z")), "yesterday 00:30")
  })

  it("exists for any number in any zone, and midnight is never after it", () => {
    const anyMs = FastCheck.oneof(
      FastCheck.integer({ min: 0, max: 4e12 }),
      FastCheck.integer(),
      FastCheck.maxSafeInteger()
    )
    FastCheck.assert(
      FastCheck.property(anyMs, anyMs, FastCheck.constantFrom(...zones), (atMs, nowMs, zone) => {
        assert.match(localTime(atMs, zone), /^-?\d+-\d\d-\d\d \d\d:\d\d:\d\d$/)
        assert.match(spokenTime(atMs, nowMs, zone), /\d\d:\d\d$/)
        if (atMs >= 0 && atMs < 4e12) {
          assert.isAtMost(midnightBefore(atMs, zone), atMs)
          assert.isAbove(midnightBefore(atMs, zone), atMs - 26 * 3_600_000)
        }
      })
    )
  })

  it("is read as the instant at which a clock first shows it, or skips it", () => {
    const wall = (iso: string) => Date.parse(`${iso}Z`)
    assert.strictEqual(instantOf(wall("2026-10-25T02:30:00"), berlin), ms("2026-10-25T00:30:00Z"))
    assert.strictEqual(instantOf(wall("2026-03-29T02:30:00"), berlin), ms("2026-03-29T01:30:00Z"))
    // The oracle is Effect's DateTime.
    FastCheck.assert(
      FastCheck.property(
        FastCheck.integer({ min: 0, max: 4e12 }),
        FastCheck.constantFrom(...zoneNames),
        (wallMs, timeZone) => {
          const zoned = DateTime.unsafeMakeZoned(wallMs, { timeZone, adjustForTimeZone: true })
          assert.strictEqual(instantOf(wallMs, zoneNamed(timeZone)), DateTime.toEpochMillis(zoned))
        }
      ),
      { numRuns: 1000 }
    )
  })
})
