import { assert, describe, it } from "@effect/vitest"
import { findingsIn } from "../../../src/Domain/doctor/DoctorAnswer.ts"
import { fine, warning } from "../../../src/Domain/doctor/Finding.ts"

describe("the answer of doctor --json", () => {
  it("has findings, whatever a later version adds, and another text has none", () => {
    const findings = [fine("daemon", "It runs."), warning("log", "It is full.", "Remove it.")]
    const later = { findings: findings.map((one) => ({ ...one, more: 1 })), more: 1 }
    assert.deepStrictEqual(findingsIn(JSON.stringify({ success: true, data: later })), findings)
    for (const text of [
      "",
      "5",
      '{"data":{}}',
      '{"data":{"findings":[{"about":"a","level":"bad","text":"t"}]}}'
    ])
      assert.isUndefined(findingsIn(text), text)
  })
})
