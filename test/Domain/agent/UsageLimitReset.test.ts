import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { resetFigureMs, resetTimeMs } from "../../../src/Domain/agent/UsageLimitReset.ts"

/** A Tuesday; 14:02 in Berlin, 20:02 in Shanghai, 8:02 in New York. */
const now = Date.parse("2026-10-06T12:02:00Z")

const reset = (text: string, nowMs = now, timeZone = "Europe/Berlin"): string | undefined => {
  const atMs = resetTimeMs(text, nowMs, timeZone)
  return atMs === undefined ? undefined : new Date(atMs).toISOString().slice(0, 16)
}

describe("the reset of a usage limit", () => {
  it.each([
    ["You've hit your session limit · resets 3:20pm (Europe/Berlin)", "2026-10-06T13:20"],
    ["You've hit your limit · resets 3pm (Europe/Berlin)", "2026-10-06T13:00"],
    ["You've hit your limit · resets 3am (Asia/Shanghai)", "2026-10-06T19:00"],
    ["You've hit your limit · resets 12am (UTC)", "2026-10-07T00:00"],
    ["You've hit your limit · resets 12pm (America/New_York)", "2026-10-06T16:00"],
    ["5-hour limit reached ∙ resets 3pm", "2026-10-06T13:00"],
    ["Your limit will reset at 15:20", "2026-10-06T13:20"],
    ["limit reached, resets at 9 AM", "2026-10-07T07:00"],
    ["You've hit your weekly limit · resets Oct 9, 1pm (Europe/Berlin)", "2026-10-09T11:00"],
    ["You've hit your weekly limit · resets Oct 9, 1:30pm", "2026-10-09T11:30"],
    ["You've hit your weekly limit · resets Oct 9 at 1pm", "2026-10-09T11:00"],
    ["You've hit your weekly limit · resets October 30, 1pm", "2026-10-30T12:00"],
    ["You've hit your weekly limit · resets Oct 9, 2026, 1pm", "2026-10-09T11:00"],
    ["You’ve hit your usage limit. Upgrade to Pro or try again at 11:28 PM.", "2026-10-06T21:28"],
    ["You've hit your usage limit. Try again at Oct 9th, 2026 1:30 PM.", "2026-10-09T11:30"],
    ["You've hit your usage limit. Try again at Oct 22nd, 2026 12:05 AM.", "2026-10-21T22:05"],
    ["You've hit your usage limit. Try again in 2 days 3 hours 5 minutes.", "2026-10-08T15:07"],
    ["You've hit your usage limit, try again in 35 minutes", "2026-10-06T12:37"],
    ["You've hit your usage limit. Try again in less than a minute.", "2026-10-06T12:03"],
    [
      "You have exhausted your capacity on this model. Your quota will reset after 3h49m12s.",
      "2026-10-06T15:51"
    ],
    ["Quota exceeded. Please retry in 3600.5s.", "2026-10-06T13:02"],
    ["resets in 1 hour, 2 mins and 3 secs", "2026-10-06T13:04"],
    ["Claude AI usage limit reached|1791300000", "2026-10-06T15:20"],
    ["Claude AI usage limit reached|1791300000000", "2026-10-06T15:20"]
  ])("is read from %s", (text, at) => assert.strictEqual(reset(text), at))

  it("is read in the zone of a worker that has only an offset, or none", () => {
    assert.strictEqual(reset("resets 7:30pm", now, "+03:30"), "2026-10-06T16:00")
    assert.strictEqual(reset("resets 3:20pm", now, "UTC"), "2026-10-06T15:20")
    assert.strictEqual(reset("resets 3:20pm (Etc/Unknown)"), "2026-10-06T15:20")
    assert.strictEqual(reset("resets 3:20pm (GMT)"), "2026-10-06T15:20")
  })

  it("is in the next year at the end of a year", () => {
    const eve = Date.parse("2026-12-31T20:00:00Z")
    assert.strictEqual(reset("resets Jan 2, 1pm", eve), "2027-01-02T12:00")
    assert.strictEqual(reset("resets 3am", eve), "2027-01-01T02:00")
    assert.strictEqual(reset("resets Jan 2, 2027, 1pm", eve), "2027-01-02T12:00")
  })

  it("is never too early when the clock is set back or forward", () => {
    const autumn = Date.parse("2026-10-24T20:00:00Z")
    assert.strictEqual(reset("resets 2:30am", autumn), "2026-10-25T01:30")
    const spring = Date.parse("2026-03-28T20:00:00Z")
    assert.strictEqual(reset("resets 2:30am", spring), "2026-03-29T01:30")
  })

  it.each([
    "You've hit your limit",
    "resets soon",
    "resets 3",
    "resets 25:10",
    "resets 15pm",
    "resets 0am",
    "resets 3:75pm",
    "try again in 5 months",
    "try again in 40 days",
    "try again in a while",
    "try again later.",
    "retry in 1.2.3s",
    "resets 3pm (Nowhere/Land)",
    "resets Foo 6, 1pm",
    "resets Oct 45, 1pm",
    "resets Oct 9",
    "resets Oct 6, 1pm (Europe/Berlin)",
    "resets Mar 3, 1pm",
    "resets Oct 9, 2025, 1pm",
    "presets 3pm",
    "Claude AI usage limit reached|1691300000",
    "Claude AI usage limit reached|17",
    "Claude AI usage limit reached|99999999999999"
  ])("is unknown without a time, after that time, and when the time is ambiguous: %s", (text) => {
    assert.strictEqual(reset(text), undefined)
  })

  it("is unknown for ten minutes after it, not a day later: messages cut off seconds", () => {
    const text = "resets 2pm (Europe/Berlin)"
    assert.strictEqual(reset(text), undefined)
    assert.strictEqual(reset(text, now + 7 * 60_000), undefined)
    assert.strictEqual(reset(text, now + 8 * 60_000), "2026-10-07T12:00")
  })

  it("is a figure in seconds or milliseconds, at most 32 days ahead", () => {
    assert.strictEqual(resetFigureMs(now / 1000 + 60, now), now + 60_000)
    assert.strictEqual(resetFigureMs(now + 60_000, now), now + 60_000)
    for (const figure of [
      undefined,
      0,
      now,
      now - 1,
      now + 40 * 86_400_000,
      now / 1000 + 40 * 86_400,
      1_764_300_000_000_000,
      1e308,
      Number.POSITIVE_INFINITY,
      Number.NaN
    ])
      assert.strictEqual(resetFigureMs(figure, now), undefined)
  })

  it("is at most 32 days ahead or unknown, whatever the message, the time and the zone", () => {
    const word = FastCheck.constantFrom(
      "resets",
      "at",
      "Oct",
      "Feb 30,",
      "3pm",
      "3:20 am",
      "|1791300000",
      "(UTC)",
      "29"
    )
    const text = FastCheck.oneof(
      FastCheck.string(),
      FastCheck.array(word).map((words) => words.join(" "))
    )
    const zone = FastCheck.constantFrom("UTC", "Europe/Berlin", "Asia/Kathmandu", "America/St_Johns", "", "x")
    FastCheck.assert(
      FastCheck.property(
        text,
        FastCheck.integer({ min: -1e12, max: 4e12 }),
        zone,
        (said, nowMs, timeZone) => {
          const atMs = resetTimeMs(said, nowMs, timeZone)
          if (atMs === undefined) return
          assert.isAbove(atMs, nowMs)
          assert.isAtMost(atMs, nowMs + 32 * 86_400_000)
        }
      )
    )
  })

  it("is the next moment at which a clock of the zone shows the time of day", () => {
    const zone = FastCheck.constantFrom(
      "UTC",
      "Europe/Berlin",
      "Asia/Kathmandu",
      "America/St_Johns",
      "Pacific/Apia"
    )
    const nowMs = FastCheck.integer({ min: Date.parse("2026-01-01"), max: Date.parse("2028-01-01") })
    const minutes = FastCheck.integer({ min: 0, max: 24 * 60 - 1 })
    FastCheck.assert(
      FastCheck.property(zone, nowMs, minutes, (timeZone, at, minute) => {
        const [hour, rest] = [Math.floor(minute / 60), String(minute % 60).padStart(2, "0")]
        const said = `resets ${hour % 12 === 0 ? 12 : hour % 12}:${rest}${hour < 12 ? "am" : "pm"} (${timeZone})`
        const resetMs = resetTimeMs(said, at, "UTC")
        if (resetMs === undefined) return
        const clock = new Intl.DateTimeFormat("en-GB", { timeZone, timeStyle: "short" }).format(resetMs)
        const [hourThere = 0, minuteThere = 0] = clock.split(":").map(Number)
        // A time that is skipped in spring is moved by that hour.
        assert.include([minute, minute + 60], hourThere * 60 + minuteThere)
        assert.isAtMost(resetMs, at + 25 * 3_600_000)
      })
    )
  })
})
