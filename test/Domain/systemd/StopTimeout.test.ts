import { assert, describe, it } from "@effect/vitest"
import { describeEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import type { OwnUnitFacts } from "../../../src/Domain/systemd/OwnUnitFacts.ts"
import { stopTimeoutShort } from "../../../src/Domain/systemd/StopTimeout.ts"

const unit: OwnUnitFacts = {
  name: "agents.service",
  manager: "user",
  type: "simple",
  notifyAccess: "none",
  isDelegated: false,
  stopTimeoutMs: 30_000,
  controlGroup: "/agents.service"
}

const graces = [10_000, 45_000]

describe("a stop by systemd", () => {
  it("that may come too early is told with both figures and the cure", () => {
    const event = stopTimeoutShort(unit, undefined, graces)
    if (event === undefined) return assert.fail("nothing was told")
    const { level, text } = describeEvent(event)
    assert.strictEqual(level, "warning")
    assert.match(text, /waits 30 seconds at a stop of agents\.service, but a worker may take 50 seconds/)
    assert.match(text, /TimeoutStopSec=50/)
  })

  it("is early enough for the shorter graces alone, and where it never kills", () => {
    assert.isUndefined(stopTimeoutShort(unit, undefined, [10_000]))
    assert.isUndefined(stopTimeoutShort({ ...unit, stopTimeoutMs: 50_000 }, undefined, graces))
    assert.isDefined(stopTimeoutShort({ ...unit, stopTimeoutMs: 49_999 }, undefined, graces))
    assert.isUndefined(stopTimeoutShort({ ...unit, stopTimeoutMs: undefined }, undefined, graces))
    assert.isUndefined(stopTimeoutShort(undefined, undefined, graces))
  })

  it("waits where it can be asked to", () => {
    const program = { _tag: "SystemdNotify" } as const
    assert.isUndefined(stopTimeoutShort({ ...unit, notifyAccess: "all" }, program, graces))
    assert.isDefined(stopTimeoutShort({ ...unit, notifyAccess: "main" }, program, graces))
    const descriptor = { _tag: "Descriptor", descriptor: 3 } as const
    assert.isUndefined(stopTimeoutShort({ ...unit, notifyAccess: "main" }, descriptor, graces))
  })
})
