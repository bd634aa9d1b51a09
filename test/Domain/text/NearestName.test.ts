import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { nearestName } from "../../../src/Domain/text/NearestName.ts"

const commands = ["start", "status", "start-worker", "stop-worker", "restart-worker", "stop"]

describe("the nearest name", () => {
  it("forgives one slip of each kind: missing, surplus, wrong and swapped letters, and case", () => {
    for (const given of ["sttus", "sttatus", "statos", "sattus", "STATUS"]) {
      assert.strictEqual(nearestName(given, commands), "status", given)
    }
  })

  it("completes an unambiguous beginning", () => {
    assert.strictEqual(nearestName("re", commands), "restart-worker")
    assert.strictEqual(nearestName("stat", commands), "status")
    assert.strictEqual(nearestName("sto", commands), "stop")
    assert.isUndefined(nearestName("sta", ["status-line", "status-page"]))
  })

  it("suggests nothing when nothing is near", () => {
    for (const given of ["", "x", "claude", "s".repeat(5000)])
      assert.isUndefined(nearestName(given, commands), given)
  })

  it("finds each name itself, and suggests only names it was given", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.string({ minLength: 1, maxLength: 20 })), (names) => {
        for (const name of names) {
          const nearest = nearestName(name, names)
          assert.isTrue(nearest !== undefined && names.includes(nearest))
          assert.strictEqual(nearest?.toLowerCase(), name.toLowerCase())
        }
      })
    )
  })
})
