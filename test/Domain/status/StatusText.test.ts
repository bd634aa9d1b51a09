import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { explain } from "../../../src/Domain/history/Explain.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import type { StatusReply } from "../../../src/Domain/status/StatusData.ts"
import { statusText } from "../../../src/Domain/status/StatusText.ts"
import { utc } from "../../../src/Domain/text/LocalTime.ts"
import { nothingAlive } from "../../../src/Domain/tree/UnservedHome.ts"
import { adviceFor, describeVerdict } from "../../../src/Domain/verdict/ExitVerdict.ts"
import { clockTime } from "../../../src/Layers/output/ClockTime.ts"

const gib = 2 ** 30

/** The seven fields, which are all that the original daemon sends. */
const original: StatusReply = {
  worker_status: "running",
  worker_pid: 5,
  uptime_seconds: 1,
  total_restarts: 2,
  consecutive_failures: 0,
  memory_available_bytes: 4 * gib,
  memory_total_bytes: 16 * gib
}

const plain = (status: StatusReply) => statusText(status, { clockTime, nowMs: 1_000_000, colour: false })

describe("the text of a status", () => {
  it("shows an answer of the original daemon in the original's layout", () => {
    assert.strictEqual(
      plain(original),
      [
        "Autopilot Daemon Status",
        "=======================",
        "Worker status:  running",
        "Worker PID:     5",
        "Uptime:         1 second",
        "Total restarts: 2",
        "Failures:       0",
        "Memory:         4.0 GB / 16.0 GB available",
        ""
      ].join("\n")
    )
  })

  it("says that the work is finished, and that once", () => {
    const done = { worker_status: "stopped", worker_pid: null, finished: true } as const
    const text = plain({ ...original, ...done, reason: "its work is finished (exit code 0 after 3 hours)" })
    assert.match(text, /^Worker status: {2}finished$/m)
    assert.match(text, /^Why: +exit code 0 after 3 hours$/m)
  })

  it("says since when a worker does not run", () => {
    const failed = {
      ...original,
      worker_status: "failed",
      worker_pid: null,
      state_since_ms: 400_000
    } as const
    assert.match(plain(failed), /^Since: +\d\d:\d\d \(10 minutes ago\)$/m)
    assert.notInclude(plain({ ...original, state_since_ms: 400_000 }), "Since")
  })

  it("leaves the PID out when there is no worker", () => {
    assert.notInclude(plain({ ...original, worker_pid: null }), "PID")
  })

  it("shows the empty state of the original before its first poll", () => {
    assert.include(plain({ ...original, worker_status: "" }), "Worker status:  not known yet\n")
  })

  it("has the reason, the next start, the last exit and the daemon", () => {
    const text = plain({
      ...original,
      worker_status: "restarting",
      worker_pid: null,
      uptime_seconds: 0,
      consecutive_failures: 4,
      memory_level: "plentiful",
      memory_min_available_bytes: 2 * gib,
      memory_critical_threshold_bytes: gib,
      memory_bound_by: "/sys/fs/cgroup/shop",
      memory_pressure_some_per_mille: 12,
      memory_pressure_full_per_mille: 3,
      swap_total_bytes: 2 * gib,
      swap_free_bytes: gib,
      worker_processes: 7,
      worker_memory_bytes: 312 * 2 ** 20,
      worker_swap_bytes: 12 * 2 ** 20,
      worker_peak_memory_bytes: 2 * gib,
      worker_limit_bytes: 4 * gib,
      containment: "cgroup",
      project: "shop",
      selected_project: "default",
      reason: "The worker exited with code 1.",
      next_start_at_ms: 1_012_000,
      last_exit: "exited with code 1 after 3 seconds",
      worker_command: ["claude", "-p", "it's done"],
      working_dir: "/srv/shop",
      awaiting_restart: ["working_dir", "model"],
      daemon_pid: 77,
      daemon_uptime_seconds: 7380,
      daemon_version: "0.1.0",
      degraded: ["memory guard", "relay: heartbeat"],
      projects: { running: 2, restarting: 1, failed: 0 }
    })
    assert.deepStrictEqual(text.split("\n").slice(2), [
      "Worker status:  restarting",
      "Uptime:         0 seconds",
      "Total restarts: 2",
      "Failures:       4",
      "Memory:         4.0 GB / 16.0 GB available",
      "Memory level:   plentiful (low: below 2 GiB, critical: below 1 GiB)",
      "Memory limit:   set by the cgroup /sys/fs/cgroup/shop",
      "Memory waits:   some processes waited for memory 1.2 % of the time, all at once 0.3 %",
      "Swap:           1 GiB of 2 GiB free",
      "Worker memory:  312 MiB in 7 processes (12 MiB of it in swap), at most 2 GiB so far; limit 4 GiB",
      "Containment:    its own cgroup",
      "Project:        shop",
      "Selected:       default (autopilotd switch)",
      "Why:            The worker exited with code 1.",
      "Next start:     in 12 seconds",
      "Last exit:      exited with code 1 after 3 seconds",
      "Command:        claude -p 'it'\\''s done'",
      "Folder:         /srv/shop",
      "Settings changed: working_dir, model; effective at the next start (autopilotd restart-worker --project shop)",
      "Daemon:         version 0.1.0, PID 77, up 2 h 03 min",
      "Projects:       2 running, 1 restarting",
      "Degraded:       memory guard (failed; the daemon is restarting them)",
      "Relay:          its heartbeat fails, and it keeps trying; workers are not affected (autopilotd events)",
      ""
    ])
  })

  it("has no line about other projects or degraded parts without any", () => {
    const text = plain({
      ...original,
      projects: { running: 1, stopped: 0 },
      degraded: [],
      awaiting_restart: [],
      selected_project: "default"
    })
    assert.strictEqual(text, plain(original))
  })

  it("names the process tree as containment without a cgroup", () => {
    assert.include(plain({ ...original, containment: "tree" }), "Containment:    by its process tree\n")
  })

  it("leaves out a peak and a swap that say nothing new", () => {
    const worker = {
      ...original,
      worker_processes: 1,
      worker_memory_bytes: gib,
      worker_peak_memory_bytes: gib
    }
    assert.include(plain(worker), "Worker memory:  1 GiB in 1 process\n")
    assert.include(
      plain({ ...worker, worker_peak_memory_bytes: 2 * gib }),
      "Worker memory:  1 GiB in 1 process, at most 2 GiB so far\n"
    )
    assert.include(
      plain({ ...worker, worker_limit_bytes: 2 * gib }),
      "Worker memory:  1 GiB in 1 process; limit 2 GiB\n"
    )
    assert.include(plain({ ...original, worker_memory_bytes: gib }), "Worker memory:  1 GiB\n")
    assert.notInclude(plain({ ...original, worker_limit_bytes: gib }), "Worker memory")
  })

  it("has no line about swap or pressure without any", () => {
    const text = plain({
      ...original,
      memory_pressure_some_per_mille: 0,
      memory_pressure_full_per_mille: 0,
      swap_total_bytes: 0,
      swap_free_bytes: 0
    })
    assert.strictEqual(text, plain(original))
  })

  it("names the selected project only where another one is shown", () => {
    const several = { ...original, projects: { running: 2 }, project: "shop" }
    assert.notInclude(plain({ ...several, selected_project: "shop" }), "Selected")
    assert.include(
      plain({ ...several, selected_project: "blog" }),
      "Selected:       blog (autopilotd switch)\n"
    )
  })

  it("has the command that applies changed settings", () => {
    assert.include(
      plain({ ...original, project: "shop", selected_project: "shop", awaiting_restart: ["working_dir"] }),
      "\nSettings changed: working_dir; effective at the next start (autopilotd restart-worker)\n"
    )
  })

  it("shows what helps whole, behind the longest words of a worker", () => {
    const says = "x".repeat(300)
    const limits = { max_budget: "file [projects.shop]", max_turns: "file [projects.shop]" }
    const places = { project: ProjectName.make("shop"), worker: "file [projects.shop]", limits }
    for (const kind of ["auth", "bad-arguments", "context-full"] as const) {
      const verdict = { kind, says }
      const advice = adviceFor(verdict, places) ?? assert.fail("no advice")
      const failed = {
        ...original,
        worker_status: "failed",
        reason: `${describeVerdict(verdict)}. ${advice}`
      }
      assert.include(plain(failed), advice)
      const evidence = { project: undefined, bootedMs: undefined, survivors: nothingAlive, zone: utc }
      assert.include(explain({ status: failed, records: [], nowMs: 0, ...evidence }).sentences[0], advice)
    }
  })

  it("never promises a start in the past", () => {
    assert.include(plain({ ...original, next_start_at_ms: 1 }), "Next start:     now\n")
  })

  it("colours only the state, and only on request", () => {
    const text = statusText(original, { clockTime, nowMs: 0, colour: true })
    assert.include(text, "Worker status:  \u001b[32mrunning\u001b[0m\n")
    assert.strictEqual(text.replace("\u001b[32m", "").replace("\u001b[0m", ""), plain(original))
  })

  it("shows an unknown state as it is", () => {
    assert.include(
      statusText({ ...original, worker_status: "resting" }, { clockTime, nowMs: 0, colour: true }),
      " resting\n"
    )
  })

  it("lets no text of the answer control the terminal or begin a line", () => {
    const hostile = FastCheck.oneof(
      FastCheck.string({ unit: "binary" }),
      FastCheck.constantFrom(
        "\u001b]0;owned\u0007",
        "a\nWorker status:  fine",
        "\u009b2J",
        "\u202egnp.exe",
        "\u2028"
      )
    )
    FastCheck.assert(
      FastCheck.property(hostile, hostile, (one, other) => {
        const text = plain({
          ...original,
          worker_status: one === "" ? "x" : one,
          project: one,
          selected_project: `${other} `,
          awaiting_restart: [one, other],
          reason: other,
          last_exit: one,
          memory_bound_by: `${one}x`,
          worker_command: [one, other],
          working_dir: other,
          daemon_version: one,
          degraded: [other],
          projects: { [`${one} `]: 2 }
        })
        assert.notMatch(text, /[^\n\P{Cc}]|[\p{Cf}\p{Zl}\p{Zp}]/u)
        assert.strictEqual(text.split("\n").length, 20)
      })
    )
    assert.include(plain({ ...original, reason: "\u001b[2Jx" }), "Why:            \\x1b[2Jx\n")
  })

  it("cuts a command line of pages to one line", () => {
    const text = plain({ ...original, worker_command: ["claude", "x".repeat(100_000)] })
    assert.isBelow(text.length, 1000)
    assert.include(text, "...")
  })
})
