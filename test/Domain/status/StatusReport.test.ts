import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { noTokens } from "../../../src/Domain/agent/AgentUsage.ts"
import { type MemorySample, memorySample } from "../../../src/Domain/memory/MemorySample.ts"
import { ProjectName, unnamed } from "../../../src/Domain/Project.ts"
import { StatusData } from "../../../src/Domain/status/StatusData.ts"
import {
  type DaemonReport,
  type ProjectReport,
  projectRow,
  statusData
} from "../../../src/Domain/status/StatusReport.ts"
import { initial, Phase, type WorkerState } from "../../../src/Domain/worker/WorkerState.ts"

const runningState: WorkerState = {
  ...initial,
  failures: 1,
  totalRestarts: 4,
  lastExit: "exit code 1 after 5 seconds",
  phase: Phase.Running({ epoch: 9, pid: 4711 })
}

const stoppedState: WorkerState = { ...initial, phase: Phase.Stopped({ because: "stopped by command" }) }

const project = (state: WorkerState): ProjectReport => ({
  project: unnamed,
  state,
  argv: ["claude", "-p"],
  workingDir: "/shop",
  autostart: true,
  awaited: ["env"],
  nextStartMs: undefined,
  sinceMs: 7000,
  worker: { id: "home:default:1", uptimeMs: 61_999.9 },
  memory: { residentBytes: 120_000, swapBytes: 3456, processes: 7, peakBytes: 200_000 },
  containment: "cgroup",
  unfinished: undefined,
  agent: undefined,
  limitBytes: 300_000
})

const look: MemorySample = memorySample(
  {
    availableBytes: 4096,
    totalBytes: 8192,
    swapTotalBytes: 1000,
    swapFreeBytes: 900,
    boundBy: "/sys/fs/cgroup/shop",
    stall: undefined
  },
  { some: 0.0126, full: 0.0004 },
  { minAvailableBytes: 5000, criticalBytes: 3000 }
)

const daemon: DaemonReport = {
  pid: 99,
  version: "1.2.3",
  uptimeMs: 100_500.5,
  memory: look,
  degraded: ["memory monitor"],
  selected: unnamed,
  all: [runningState, stoppedState, stoppedState]
}

describe("the data of a status", () => {
  it("has the original's seven fields, all integers, times rounded down", () => {
    const data = statusData(project(runningState), daemon)
    assert.deepInclude(data, {
      worker_status: "running",
      worker_pid: 4711,
      uptime_seconds: 61,
      total_restarts: 4,
      consecutive_failures: 1,
      memory_available_bytes: 4096,
      memory_total_bytes: 8192
    })
    assert.strictEqual(data.daemon_uptime_seconds, 100)
    assert.doesNotThrow(() => Schema.encodeSync(StatusData)(data))
  })

  it("has the memory's level, thresholds, binding cgroup, swap and pressure, all integers", () => {
    const data = statusData(project(runningState), daemon)
    assert.deepInclude(data, {
      memory_level: "low",
      memory_min_available_bytes: 5000,
      memory_critical_threshold_bytes: 3000,
      memory_bound_by: "/sys/fs/cgroup/shop",
      memory_pressure_some_per_mille: 13,
      memory_pressure_full_per_mille: 0,
      swap_total_bytes: 1000,
      swap_free_bytes: 900
    })
    assert.doesNotThrow(() => Schema.encodeSync(StatusData)(data))
  })

  it("leaves out a cgroup that does not bind, and pressure that the kernel does not measure", () => {
    const memory = memorySample({ ...look.reading, boundBy: undefined }, undefined, look.thresholds)
    const data = statusData(project(runningState), { ...daemon, memory })
    assert.include(Object.keys(data), "memory_level")
    assert.notMatch(Object.keys(data).join(), /bound|pressure/)
  })

  it("has the original's fields before the first reading of the memory, but no level", () => {
    const data = statusData(project(runningState), { ...daemon, memory: undefined })
    assert.deepInclude(data, { memory_available_bytes: 0, memory_total_bytes: 0 })
    assert.notMatch(Object.keys(data).join(), /level|threshold|swap_(total|free)/)
    assert.doesNotThrow(() => Schema.encodeSync(StatusData)(data))
  })

  it("has no pid and no uptime of a worker that has exited, but its last exit (D4, D31)", () => {
    const state = { ...stoppedState, lastExit: "exit code 0 after 2 seconds" }
    const data = statusData(project(state), daemon)
    assert.isNull(data.worker_pid)
    assert.strictEqual(data.uptime_seconds, 0)
    assert.isUndefined(data.worker_id)
    // The limit is the project's, and not that worker's.
    const aboutMemory = Object.keys(data).filter((key) => /^worker_.*(bytes|processes)$/.test(key))
    assert.deepStrictEqual(aboutMemory, ["worker_limit_bytes"])
    assert.strictEqual(data.reason, "stopped by command")
    assert.strictEqual(data.last_exit, "exit code 0 after 2 seconds")
  })

  it("has the end of the last run in parts for programs, and its turns and cost where they are known", () => {
    const ended: WorkerState = {
      ...stoppedState,
      lastEnd: { verdict: "killed-by-other", signal: "SIGKILL" },
      lastAgent: { turns: 12, costUsd: 0.42, isCostExact: true, tokens: noTokens }
    }
    const told = {
      last_verdict: "killed-by-other" as const,
      last_exit_signal: "SIGKILL",
      turns: 12,
      cost_micro_usd: 420_000
    }
    const answers = [statusData(project(ended), daemon), projectRow(project(ended), unnamed)]
    for (const answer of answers) {
      assert.deepInclude(answer, told)
      assert.notProperty(answer, "last_exit_code")
    }
    const unpriced = { ...ended, lastEnd: { verdict: "done" as const, code: 0 }, lastAgent: undefined }
    const plain = statusData(project(unpriced), daemon)
    assert.deepInclude(plain, { last_verdict: "done", last_exit_code: 0 })
    for (const key of ["turns", "cost_micro_usd", "last_exit_signal"]) assert.notProperty(plain, key)
    assert.doesNotThrow(() => Schema.encodeSync(StatusData)(plain))
  })

  it("counts all projects by state, and names degraded parts", () => {
    const data = statusData(project(runningState), daemon)
    assert.deepStrictEqual(data.projects, { running: 1, stopped: 2 })
    assert.deepStrictEqual(data.degraded, ["memory monitor"])
  })

  it("has the time of the next start in whole milliseconds", () => {
    const state = { ...initial, phase: Phase.Restarting({ epoch: 2, dueMs: 5000, because: "exit code 1" }) }
    const data = statusData({ ...project(state), nextStartMs: 1234.5 }, daemon)
    assert.strictEqual(data.worker_status, "restarting")
    assert.strictEqual(data.next_start_at_ms, 1235)
    assert.strictEqual(data.reason, "exit code 1")
  })

  it("names the settings that wait for the next start", () => {
    assert.deepStrictEqual(statusData(project(runningState), daemon).awaiting_restart, ["env"])
  })

  it("has the memory of the process tree, its peak, size and limit", () => {
    const data = statusData(project(runningState), daemon)
    assert.deepInclude(data, {
      worker_processes: 7,
      worker_memory_bytes: 123_456,
      worker_swap_bytes: 3456,
      worker_peak_memory_bytes: 200_000,
      worker_limit_bytes: 300_000
    })
    assert.doesNotThrow(() => Schema.encodeSync(StatusData)(data))
  })

  it("has the containment of a running worker, once it is known", () => {
    assert.strictEqual(statusData(project(runningState), daemon).containment, "cgroup")
    const unknown = statusData({ ...project(runningState), containment: undefined }, daemon)
    assert.notProperty(unknown, "containment")
    assert.notProperty(statusData(project(stoppedState), daemon), "containment")
  })

  it("leaves out unused swap, a limit that is not set, and memory before the first sample", () => {
    const memory = { residentBytes: 120_000, swapBytes: 0, processes: 1, peakBytes: 120_000 }
    const unlimited = statusData({ ...project(runningState), memory, limitBytes: undefined }, daemon)
    assert.notMatch(Object.keys(unlimited).join(), /worker_(swap|limit)/)
    assert.strictEqual(unlimited.worker_memory_bytes, 120_000)
    const unseen = statusData({ ...project(runningState), memory: undefined }, daemon)
    assert.notMatch(Object.keys(unseen).join(), /worker_(memory|swap|peak|processes)/)
  })
})

describe("a row of the projects", () => {
  it("has the state of the worker, and no pid or memory of one that has exited", () => {
    const row = projectRow(project(runningState), unnamed)
    assert.deepStrictEqual(row, {
      name: "default",
      selected: true,
      worker_status: "running",
      worker_pid: 4711,
      uptime_seconds: 61,
      total_restarts: 4,
      consecutive_failures: 1,
      memory_bytes: 123_456,
      processes: 7,
      autostart: true,
      state_since_ms: 7000
    })
    const stopped = projectRow(project(stoppedState), ProjectName.make("shop"))
    assert.deepInclude(stopped, {
      selected: false,
      worker_pid: null,
      uptime_seconds: 0,
      memory_bytes: null,
      processes: null,
      reason: "stopped by command"
    })
  })
})
