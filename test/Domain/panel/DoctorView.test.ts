import { assert, describe, it } from "@effect/vitest"
import { error, fine, warning } from "../../../src/Domain/doctor/Finding.ts"
import { doctorAnswer, doctorFailure, preferencesView } from "../../../src/Domain/panel/DoctorView.ts"

const hostile = "<img src=x onerror=alert(1)>"

describe("doctor's drawer", () => {
  it("shows errors first, then warnings, each with what to do, and folds up what is well", () => {
    const [list, count] = doctorAnswer([
      fine("Node", "v20"),
      warning("Swap", "There is none", "Add some"),
      error("Worker", "claude was not found", "Install it")
    ]).map(({ content }) => content.text)
    assert.match(
      list ?? "",
      /1 error and 1 warning\..*Error: .*Worker.*Install it.*Warning: .*Swap.*Add some.*<details><summary>1 check passed.*Node/s
    )
    assert.include(count, 'class="tag bad">2<')
  })

  it("has no count, and opens what is well, when there are no problems", () => {
    const [list, count] = doctorAnswer([fine("Node", "v20")]).map(({ content }) => content.text)
    assert.include(list, "<details open>")
    assert.strictEqual(count, "")
  })

  it("escapes every text of a finding, of a failure and of a preference's problem", () => {
    const pieces = [
      ...doctorAnswer([error(hostile, hostile, hostile)]),
      ...doctorFailure(hostile),
      preferencesView({ isAutoStart: true, problem: hostile })
    ]
    for (const { content } of pieces) assert.notInclude(content.text, "<img")
  })

  it("shows whether the panel starts the daemon", () => {
    assert.include(preferencesView({ isAutoStart: true }).content.text, " checked>")
    assert.notInclude(preferencesView({ isAutoStart: false }).content.text, "checked")
  })
})
