import { assert, describe, it } from "@effect/vitest"
import { ProjectName, unnamed } from "../../../src/Domain/Project.ts"
import { serviceStatus } from "../../../src/Domain/service/ServiceStatus.ts"
import { initial, Phase, type WorkerState } from "../../../src/Domain/worker/WorkerState.ts"

const running = (pid: number, totalRestarts = 0): WorkerState => ({
  ...initial,
  totalRestarts,
  phase: Phase.Running({ epoch: 1, pid })
})
const failed: WorkerState = { ...initial, phase: Phase.Failed({ epoch: 1, because: "it gave up" }) }
const waiting: WorkerState = {
  ...initial,
  totalRestarts: 1,
  phase: Phase.Waiting({ epoch: 1, untilMs: 5, because: "usage limit", again: true, awaits: "time" })
}
const starting: WorkerState = { ...initial, phase: Phase.Starting({ epoch: 1, again: false, remains: [] }) }
const stopped: WorkerState = { ...initial, phase: Phase.Stopped({ because: "stopped by command" }) }

const finished: WorkerState = {
  ...initial,
  phase: Phase.Stopped({ because: "its work is finished", isFinished: true })
}

const one = (state: WorkerState) => serviceStatus([{ project: unnamed, state }])

const several = (states: Readonly<Record<string, WorkerState>>) =>
  serviceStatus(Object.entries(states).map(([name, state]) => ({ project: ProjectName.make(name), state })))

describe("the line in systemctl status", () => {
  it("shows the state of a single project", () => {
    assert.strictEqual(one(running(123)), "running, pid 123")
    assert.strictEqual(one(running(123, 1)), "running, pid 123, 1 restart")
    assert.strictEqual(one(running(123, 2)), "running, pid 123, 2 restarts")
    assert.strictEqual(one(starting), "starting")
    assert.strictEqual(one(failed), "failed: it gave up")
    assert.strictEqual(one(waiting), "waiting, 1 restart: usage limit")
    assert.strictEqual(
      one({ ...running(5), leaving: "the daemon is shutting down" }),
      "stopping, pid 5: the daemon is shutting down"
    )
  })

  it("says finished for a worker that has done its work", () => {
    assert.strictEqual(one(finished), "finished: its work is finished")
    assert.strictEqual(
      several({ a: finished, b: stopped, c: running(1) }),
      "3 projects: 1 running, 1 finished, 1 stopped"
    )
  })

  it("counts several projects by state, and names those in trouble with the reason", () => {
    assert.strictEqual(several({ a: running(1), b: running(2) }), "2 projects: 2 running")
    assert.strictEqual(
      several({ a: running(1), blog: waiting, b: running(2), c: stopped, shop: failed }),
      "5 projects: 2 running, 1 waiting, 1 stopped, 1 failed (shop: it gave up; blog: usage limit)"
    )
  })

  it("counts every project once, whatever its state", () => {
    const states = [running(1), failed, waiting, starting, stopped, { ...running(7), leaving: "removed" }]
    const counted = several(Object.fromEntries(states.map((state, at) => [`p${at}`, state])))
    const counts = [...(counted.split("(")[0] ?? "").matchAll(/([0-9]+) [a-z]+(?:,| $)/g)]
    assert.strictEqual(
      counts.reduce((sum, [, count]) => sum + Number(count), 0),
      states.length
    )
  })
})
