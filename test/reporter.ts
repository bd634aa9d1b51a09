import type { UserConsoleLog } from "vitest"
import type { Reporter, TestModule } from "vitest/node"

/**
 * Ends a run with one plain line, the reason of each skipped test, the notes of tests, and what failed ones have printed.
 * In CI a skip is a failure.
 */
export default class PlainSummary implements Reporter {
  /** Of failed tests, and of tests beside them: Vitest does not know which one of concurrent tests has printed a line. */
  #printed = ""

  onUserConsoleLog({ content }: UserConsoleLog): void {
    this.#printed += content
  }

  onTestRunEnd(testModules: ReadonlyArray<TestModule>): void {
    const tests = testModules.flatMap((module) => [...module.children.allTests()])
    const inState = (state: string) => tests.filter((test) => test.result().state === state)
    const skipped = inState("skipped")
    for (const test of skipped) {
      const result = test.result()
      const why = result.state === "skipped" && result.note !== undefined ? `: ${result.note}` : ""
      console.log(`skipped: ${test.fullName}${why}`)
    }
    for (const test of tests) {
      for (const { message } of test.annotations()) console.log(`note: ${test.fullName}: ${message}`)
    }
    if (inState("failed").length > 0 && this.#printed !== "")
      console.log(`printed by tests:\n${this.#printed}`)
    console.log(
      `\n${inState("passed").length} passed, ${inState("failed").length} failed, ${skipped.length} skipped`
    )
    // No package brings another kernel.
    const avoidable = skipped.filter(({ name }) => !name.includes("(skipped: the kernel "))
    if (process.env["CI"] && avoidable.length > 0) {
      console.log("In CI everything that a test needs is installed, so a skipped test fails the run.")
      process.exitCode = 1
    }
  }
}
