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

describe("the stop timeout of the unit", () => {
  it("is too short: the warning has both times and the fix", () => {
    const event = stopTimeoutShort(unit, undefined, graces)
    if (event === undefined) return assert.fail("nothing was told")
    const { level, text } = describeEvent(event)
    assert.strictEqual(level, "warning")
    assert.match(
      text,
      /A stop of agents\.service may take 30 seconds, but stopping a worker may take 50 seconds/
    )
    assert.match(text, /TimeoutStopSec=50/)
  })

  it("is long enough for the grace periods, or infinite", () => {
    assert.isUndefined(stopTimeoutShort(unit, undefined, [10_000]))
    assert.isUndefined(stopTimeoutShort({ ...unit, stopTimeoutMs: 50_000 }, undefined, graces))
    assert.isDefined(stopTimeoutShort({ ...unit, stopTimeoutMs: 49_999 }, undefined, graces))
    assert.isUndefined(stopTimeoutShort({ ...unit, stopTimeoutMs: undefined }, undefined, graces))
    assert.isUndefined(stopTimeoutShort(undefined, undefined, graces))
  })

  it("does not matter where the daemon can extend it", () => {
    const program = { _tag: "SystemdNotify" } as const
    assert.isUndefined(stopTimeoutShort({ ...unit, notifyAccess: "all" }, program, graces))
    assert.isDefined(stopTimeoutShort({ ...unit, notifyAccess: "main" }, program, graces))
    const descriptor = { _tag: "Descriptor", descriptor: 3 } as const
    assert.isUndefined(stopTimeoutShort({ ...unit, notifyAccess: "main" }, descriptor, graces))
  })
})
