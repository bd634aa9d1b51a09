import { assert, describe, it } from "@effect/vitest"
import { tooManyFiles } from "../../../src/Domain/tree/StartLimits.ts"

describe("the limit of open files", () => {
  /** The number of workers that may run beside each other. */
  const most = (limit: number): number => {
    let running = 0
    while (running < 10_000 && tooManyFiles(limit, running) === undefined) running++
    return running
  }

  for (const [limit, workers] of [
    [48, 1],
    [64, 4],
    [128, 16],
    [1024, 184],
    [20_000, 4928],
    [Number.NaN, 10_000]
  ] as const) {
    it(`of ${limit} leaves the daemon what it needs beside ${workers} workers`, () => {
      assert.strictEqual(most(limit), workers)
    })
  }

  it("names itself, what it is too low for, and what to do", () => {
    assert.strictEqual(
      tooManyFiles(64, 4),
      "the daemon may open 64 files, too few for 5 workers. Raise the limit (ulimit -n, LimitNOFILE= of the unit) " +
        "and start the daemon again, or stop other workers"
    )
  })
})
