import { assert, describe, it } from "@effect/vitest"
import { unnamed } from "../../../src/Domain/Project.ts"
import type { OomKill } from "../../../src/Domain/verdict/OomKill.ts"
import { describeEnd, type WorkerEnd } from "../../../src/Domain/verdict/WorkerEnd.ts"
import { initial, Phase, reason, type WorkerState } from "../../../src/Domain/worker/WorkerState.ts"
import { step } from "../../../src/Domain/worker/WorkerStep.ts"
import { defaultPolicy } from "../../fixtures/policies.ts"
import { noEvidence } from "../../fixtures/RunEvidence.ts"

const oomKill: OomKill = { certainty: "proven", victim: "leader", kills: 1, cgroup: "/x" }
const killed = { exit: { code: null, signal: "SIGKILL" }, uptimeMs: 5000 } satisfies WorkerEnd
const sentence =
  "killed by SIGKILL after 5 seconds; the kernel killed it because memory ran out (1 kill in the cgroup /x)"

describe("the end of a worker", () => {
  it("is described with the kernel's kill, when there is evidence of one", () => {
    assert.strictEqual(describeEnd(killed), "killed by SIGKILL after 5 seconds")
    assert.strictEqual(describeEnd({ ...killed, oomKill }), sentence)
  })

  it("by the kernel is in the last exit, the reason of the failure, and the event", () => {
    const rules = { project: unnamed, restart: { ...defaultPolicy, maxConsecutiveRestarts: 2 } }
    const running: WorkerState = { ...initial, epoch: 4, phase: Phase.Running({ epoch: 4, pid: 100 }) }
    const [stopping, actions] = step(rules, running, { _tag: "Exited", epoch: 4, ...killed, oomKill })
    assert.strictEqual(stopping.lastExit, sentence)
    assert.deepInclude(actions, {
      _tag: "Publish",
      event: { _tag: "WorkerExited", project: unnamed, ...killed, oomKill, wasAsked: false }
    })
    const [restarting] = step(rules, stopping, { _tag: "Down", epoch: 4, seen: noEvidence })
    assert.strictEqual(reason(restarting), sentence)
    assert.strictEqual(restarting.failures, 1)
  })

  it("has no kill in its event without evidence of one", () => {
    const rules = { project: unnamed, restart: defaultPolicy }
    const running: WorkerState = { ...initial, epoch: 4, phase: Phase.Running({ epoch: 4, pid: 100 }) }
    const [, actions] = step(rules, running, { _tag: "Exited", epoch: 4, ...killed })
    assert.deepInclude(actions, {
      _tag: "Publish",
      event: { _tag: "WorkerExited", project: unnamed, ...killed, wasAsked: false }
    })
  })
})
