import { defineConfig } from "vitest/config"
import { BaseSequencer, type TestSpecification } from "vitest/node"

/** The tests that need no bundle. */
const quick = ["test/{Domain,Layers,Programs}/**/*.test.ts"]

/** Live tests, which wait for daemons, begin first: those of the Domain take milliseconds, and fill the time at the end. */
class LongestFirst extends BaseSequencer {
  override async sort(files: Array<TestSpecification>): Promise<Array<TestSpecification>> {
    const houses = ["Programs", "Layers", "Domain"]
    const rank = ({ moduleId }: TestSpecification) =>
      houses.findIndex((house) => moduleId.includes(`/test/${house}/`))
    // oxlint-disable-next-line unicorn/no-array-sort -- this is no array
    const longestFirst = await super.sort(files)
    return longestFirst.toSorted((a, b) => rank(a) - rank(b))
  }
}

// `--mode quick` leaves the live tests out. As a project of their own they would wait until the last of the others has ended.
export default defineConfig(({ mode }) => ({
  test: {
    include: mode === "quick" ? quick : ["test/**/*.test.ts"],
    globalSetup: mode === "quick" ? [] : ["./test/globalSetup.ts"],
    sequence: { sequencer: LongestFirst },
    // The files of a worker share one process: importing Effect anew for each takes longer than most of them run.
    isolate: false,
    // Live tests mostly wait for daemons, so each of two cores carries three of them. With fewer workers at times, tinypool
    // ends an idle one twice, and the whole run with "Terminating worker thread".
    maxWorkers: 6,
    minWorkers: 6,
    maxConcurrency: 10,
    // Ends only what hangs: a test waits for conditions, and `eventually` says which one never comes about.
    testTimeout: 600_000,
    hookTimeout: 600_000,
    reporters: ["default", "./test/reporter.ts"]
  }
}))
