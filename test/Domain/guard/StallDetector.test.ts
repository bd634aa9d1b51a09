import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  type ActivitySample,
  beginDetector,
  describeHalf,
  nextDetector,
  type StallDetector,
  stallReason,
  stallSampleMs
} from "../../../src/Domain/guard/StallDetector.ts"

const rules = { stallTimeoutMs: 60_000, toolTimeoutMs: 3_600_000 }

const quiet = (atMs: number, more: Partial<ActivitySample> = {}): ActivitySample => ({
  atMs,
  lastOutputMs: 0,
  cpuMs: new Map([["1", 1000]]),
  files: "",
  isExcused: false,
  tool: undefined,
  ...more
})

/** Takes the samples in order; returns the findings and their times. */
const findings = (samples: ReadonlyArray<ActivitySample>): ReadonlyArray<string> => {
  const [first, ...others] = samples
  assert.isDefined(first)
  let detector: StallDetector = beginDetector(first)
  return others.flatMap((sample) => {
    const step = nextDetector(detector, sample, rules)
    detector = step.detector
    return step.finding === undefined ? [] : [`${step.finding._tag} ${sample.atMs}`]
  })
}

const every = (
  stepMs: number,
  untilMs: number,
  more: (atMs: number) => Partial<ActivitySample> = () => ({})
) => Array.from({ length: untilMs / stepMs + 1 }, (_, index) => quiet(index * stepMs, more(index * stepMs)))

describe("a worker that does nothing", () => {
  it("is reported once at half of its timeout, and has stalled at the end of it (D30)", () => {
    assert.deepStrictEqual(findings(every(3000, 60_000)), ["half 30000", "stalled 60000"])
  })

  const signs: Readonly<Record<string, (atMs: number) => Partial<ActivitySample>>> = {
    output: (atMs) => ({ lastOutputMs: atMs - 1 }),
    "CPU time": (atMs) => ({ cpuMs: new Map([["1", 1000 + atMs / 20]]) }),
    "a new process": (atMs) => ({ cpuMs: new Map([[String(atMs), 0]]) }),
    "a file that changes": (atMs) => ({ files: String(atMs) }),
    "a usage limit that it waits for": () => ({ isExcused: true })
  }
  for (const [sign, more] of Object.entries(signs)) {
    it(`has not stalled while there is ${sign}`, () => {
      assert.deepStrictEqual(findings(every(3000, 600_000, more)), [])
    })
  }

  it("has stalled although its timers use a little CPU time", () => {
    const timers = (atMs: number) => ({ cpuMs: new Map([["1", atMs / 1000]]) })
    assert.deepStrictEqual(findings(every(3000, 60_000, timers)), ["half 30000", "stalled 60000"])
  })

  it("starts over after each activity, with its warning", () => {
    const once = (atMs: number) => ({ files: atMs < 45_000 ? "a" : "b" })
    assert.deepStrictEqual(findings(every(3000, 105_000, once)), [
      "half 30000",
      "half 75000",
      "stalled 105000"
    ])
  })

  it("has a longer limit while a tool runs that it has called", () => {
    const inTool = () => ({ tool: "Bash" })
    assert.deepStrictEqual(findings(every(6000, 3_600_000, inTool)), ["half 1800000", "stalled 3600000"])
  })

  it("has not stalled when it was frozen together with the daemon, which shows as one long gap", () => {
    const before = every(3000, 15_000)
    const after = every(3000, 15_000).map((sample) => ({ ...sample, atMs: sample.atMs + 600_000 }))
    assert.deepStrictEqual(findings([...before, ...after]), ["half 609000"])
  })

  it("never stalls before its timeout", () => {
    FastCheck.assert(
      FastCheck.property(
        FastCheck.array(
          FastCheck.record({
            stepMs: FastCheck.integer({ min: 1, max: 12_000 }),
            lives: FastCheck.boolean()
          })
        ),
        (looks) => {
          let atMs = 0
          let activeMs = 0
          let quietMs = 0
          let detector = beginDetector(quiet(0))
          for (const { lives, stepMs } of looks) {
            atMs += stepMs
            if (lives) activeMs = atMs
            quietMs = lives ? 0 : quietMs + Math.min(stepMs, 6000)
            const step = nextDetector(detector, quiet(atMs, { lastOutputMs: activeMs }), rules)
            detector = step.detector
            assert.strictEqual(step.finding?._tag === "stalled", quietMs >= rules.stallTimeoutMs)
            if (step.finding?._tag === "stalled") assert.isAtLeast(atMs - activeMs, rules.stallTimeoutMs)
          }
        }
      )
    )
  })

  it("is explained in one sentence", () => {
    const stall = { quietMs: 600_000, limitMs: 1_200_000, tool: undefined }
    assert.strictEqual(
      stallReason(stall),
      "stalled: no output, no CPU time and no change of a watched file for 10 minutes"
    )
    assert.strictEqual(
      describeHalf({ ...stall, tool: "Bash" }),
      "The worker may have stalled: no output, no CPU time and no change of a watched file for 10 minutes while Bash runs. The daemon restarts it after 20 minutes"
    )
  })

  it("is warned of with the question on which it may wait", () => {
    const text = describeHalf({ quietMs: 60_000, limitMs: 120_000, tool: undefined }, "Trust it? [y/N]")
    assert.match(
      text,
      /restarts it after 2 min[^.]*\. It may wait for an answer, its last line is: Trust it\? \[y\/N\]$/
    )
  })

  it("is sampled 20 times per timeout, within bounds", () => {
    const lookMs = (stallTimeoutMs: number) => stallSampleMs({ ...rules, stallTimeoutMs })
    assert.deepStrictEqual([0, 20_000, 86_400_000].map(lookMs), [50, 1000, 30_000])
  })
})
