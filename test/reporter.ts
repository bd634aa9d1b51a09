import type { UserConsoleLog } from "vitest"
import type { Reporter, TestModule } from "vitest/node"

/**
 * Ends a run with one plain line, the reason of each skipped test, the notes of tests, and what failed ones have printed.
 * In CI a skip is a failure.
 */
export default class PlainSummary implements Reporter {
  readonly #printed = new Map<string, string>()

  onUserConsoleLog({ content, taskId = "" }: UserConsoleLog): void {
    this.#printed.set(taskId, `${this.#printed.get(taskId) ?? ""}${content}`)
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
    for (const { fullName, id } of inState("failed")) {
      if (this.#printed.has(id)) console.log(`printed by ${fullName}:\n${this.#printed.get(id)}`)
    }
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
