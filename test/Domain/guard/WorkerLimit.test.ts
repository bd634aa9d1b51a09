import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import {
  limitOutcome,
  nextReportedLimit,
  nextSampleMs,
  proportionalOf,
  type ReportedLimit,
  restMs,
  type SizeSample,
  workerLimits
} from "../../../src/Domain/guard/WorkerLimit.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { describeLimit, type LimitFigures, limitReason } from "../../../src/Domain/verdict/OverLimit.ts"
import { inForce } from "../../fixtures/SettingsInForce.ts"

const MiB = 2 ** 20
const GiB = 2 ** 30

const sample = (atMs: number, treeBytes: number, proportionalBytes?: number): SizeSample => ({
  atMs,
  treeBytes,
  proportionalBytes
})

describe("the limits of workers", () => {
  it("are those of the projects that have one, their own or the top level's", () => {
    const worker_command = { type: "Command", argv: ["agent"] }
    const projects = {
      shop: { memory: { worker_limit_bytes: 2 * GiB } },
      blog: {},
      free: { memory: { worker_limit_bytes: false } }
    }
    const limits = workerLimits(
      inForce({ project: "main", worker_command, memory: { worker_limit_bytes: GiB }, projects })
    )
    assert.deepStrictEqual(
      [...limits],
      [
        [ProjectName.make("main"), GiB],
        [ProjectName.make("shop"), 2 * GiB],
        [ProjectName.make("blog"), GiB]
      ]
    )
    assert.strictEqual(workerLimits(inForce({ worker_command })).size, 0)
  })
})

describe("the next sample of a worker with a limit", () => {
  it("comes when a sudden leak could have reached the limit, as long as it stands still", () => {
    for (const [heldGiB, expectedMs] of [
      [0, 4000],
      [2, 2000],
      [3.5, 500],
      [3.99, 250],
      [4, 250]
    ] as const) {
      assert.strictEqual(nextSampleMs(4 * GiB, sample(0, heldGiB * GiB), undefined), expectedMs)
      const same = sample(-10_000, heldGiB * GiB)
      assert.strictEqual(nextSampleMs(4 * GiB, sample(0, heldGiB * GiB), same), expectedMs)
    }
  })

  it("is never later than ten seconds, however large the limit is", () => {
    assert.strictEqual(nextSampleMs(1000 * GiB, sample(0, 0), undefined), 10_000)
  })

  it("comes at half the way to the limit, at the pace of the last two samples", () => {
    // 2 GiB in a second, and 4 GiB to go.
    assert.strictEqual(nextSampleMs(8 * GiB, sample(2000, 4 * GiB), sample(1000, 2 * GiB)), 1000)
  })

  it("ignores growth that is faster than memory can be filled", () => {
    const jump = nextSampleMs(8 * GiB, sample(1001, 2 * GiB), sample(1000, 0))
    assert.strictEqual(jump, 1000)
    assert.strictEqual(nextSampleMs(8 * GiB, sample(1000, 2 * GiB), sample(1000, 0)), 6000)
  })

  it("comes for a shrinking worker as for one that stands still", () => {
    assert.strictEqual(nextSampleMs(4 * GiB, sample(1000, 2 * GiB), sample(0, 3 * GiB)), 2000)
  })

  it("uses the proportional size where that was read", () => {
    assert.strictEqual(nextSampleMs(4 * GiB, sample(0, 5 * GiB, 2 * GiB), undefined), 2000)
  })

  it("is not urgent above the limit, where the worker was dealt with already", () => {
    assert.strictEqual(nextSampleMs(4 * GiB, sample(0, 5 * GiB, 4 * GiB + 1), undefined), 10_000)
  })

  it("catches every leak of up to 1 GiB/s within a quarter of a second of reaching the limit", () => {
    const leak = FastCheck.record({
      limitBytes: FastCheck.integer({ min: MiB, max: 64 * GiB }),
      fullAfterMs: FastCheck.integer({ min: 100, max: 1_000_000 })
    })
    FastCheck.assert(
      FastCheck.property(leak, ({ fullAfterMs, limitBytes }) => {
        const heldAfter = (atMs: number) => sample(atMs, (atMs / fullAfterMs) * limitBytes)
        FastCheck.pre(heldAfter(1000).treeBytes <= GiB)
        let before: SizeSample | undefined
        let now = heldAfter(0)
        while (now.treeBytes <= limitBytes) {
          const nextMs = nextSampleMs(limitBytes, now, before)
          assert.isAtLeast(nextMs, 250)
          assert.isAtMost(nextMs, 10_000)
          before = now
          now = heldAfter(now.atMs + nextMs)
        }
        assert.isAtMost(now.atMs - fullAfterMs, 251)
      })
    )
  })

  it("waits twenty times as long as the last one took, so that samples cost a twentieth of a core at most", () => {
    assert.strictEqual(restMs(250, 5), 250)
    assert.strictEqual(restMs(250, 100), 2000)
    assert.strictEqual(restMs(250, 1000), 20_000)
    assert.strictEqual(restMs(250, 60_000), 60_000)
    assert.strictEqual(restMs(10_000, 100), 10_000)
    assert.strictEqual(restMs(Number.POSITIVE_INFINITY, 0), 10_000)
  })
})

describe("the proportional size of a worker", () => {
  it("counts a process whose share cannot be read with all its memory", () => {
    const member = { startTicks: 1, residentBytes: 10, swapBytes: 5 }
    const members = [
      { ...member, pid: 1 },
      { ...member, pid: 2 }
    ]
    assert.strictEqual(proportionalOf(members, new Map([[1, 4]])), 4 + 15)
    assert.strictEqual(
      proportionalOf(
        members,
        new Map([
          [1, 0],
          [2, 0],
          [3, 100]
        ])
      ),
      0
    )
  })
})

describe("a worker above its limit", () => {
  it("is restarted only when its proportional size is above the limit, and not in a dry run", () => {
    assert.isUndefined(limitOutcome(undefined, GiB, false))
    assert.strictEqual(limitOutcome(GiB, GiB, false), "shared")
    assert.strictEqual(limitOutcome(GiB + 1, GiB, false), "restart")
    assert.strictEqual(limitOutcome(GiB + 1, GiB, true), "dry-run")
    assert.strictEqual(limitOutcome(GiB, GiB, true), "shared")
  })

  const told: ReportedLimit = { workerId: "home:shop:1", limitBytes: 100, outcome: "dry-run" }

  it("is reported once, and again for another worker, another limit or another outcome", () => {
    assert.deepStrictEqual(nextReportedLimit(undefined, told, 150), told)
    assert.strictEqual(nextReportedLimit(told, { ...told }, 150), told)
    for (const change of [
      { workerId: "home:shop:2" },
      { limitBytes: 101 },
      { outcome: "restart" } as const
    ]) {
      assert.deepStrictEqual(nextReportedLimit(told, { ...told, ...change }, 150), { ...told, ...change })
    }
  })

  it("is not reported again while it goes up and down at the limit", () => {
    assert.strictEqual(nextReportedLimit(told, { ...told, outcome: undefined }, 95), told)
    assert.strictEqual(nextReportedLimit(told, { ...told, outcome: "shared" }, 101), told)
    assert.isUndefined(nextReportedLimit(told, { ...told, outcome: undefined }, 90))
    assert.isUndefined(nextReportedLimit(told, { ...told, outcome: undefined, limitBytes: 1000 }, 950))
  })

  const figures: LimitFigures = {
    outcome: "restart",
    limitBytes: 4 * GiB,
    treeBytes: 5 * GiB,
    proportionalBytes: 4.2 * GiB,
    processes: 7
  }

  it("is restarted with a reason that has both figures, also where they look the same", () => {
    assert.strictEqual(limitReason(figures), "worker-limit: its 7 processes hold 4.2 GiB, the limit is 4 GiB")
    assert.strictEqual(
      limitReason({ ...figures, processes: 1, proportionalBytes: 4 * GiB + 5 * MiB }),
      "worker-limit: its only process holds 4 GiB, 5 MiB more than the limit of 4 GiB"
    )
  })

  it("is reported with all figures and the action", () => {
    assert.strictEqual(
      describeLimit(figures),
      "Above memory.worker_limit_bytes: its 7 processes hold 4.2 GiB, the limit is 4 GiB " +
        "(5 GiB with shared pages counted for each process)"
    )
    assert.strictEqual(
      describeLimit({ ...figures, treeBytes: figures.proportionalBytes, outcome: "dry-run" }),
      "Above memory.worker_limit_bytes: its 7 processes hold 4.2 GiB, the limit is 4 GiB. " +
        "The daemon does not restart it because memory.dry_run is on"
    )
    assert.strictEqual(
      describeLimit({ ...figures, proportionalBytes: 1.5 * GiB, outcome: "shared" }),
      "Not above memory.worker_limit_bytes: its 7 processes hold 5 GiB with shared pages counted for each process, " +
        "but 1.5 GiB with shared pages counted once; the limit is 4 GiB"
    )
  })
})
