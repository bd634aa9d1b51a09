import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import type { ProjectRow } from "../../../src/Domain/status/ProjectsData.ts"
import { projectsText } from "../../../src/Domain/status/ProjectsText.ts"
import { clockTime } from "../../../src/Layers/output/ClockTime.ts"
import { runningRow, stoppedRow } from "../../fixtures/ProjectRows.ts"

const running: ProjectRow = { ...runningRow, name: "default" }

const failed: ProjectRow = {
  ...stoppedRow,
  name: "a-longer-name",
  selected: false,
  worker_status: "failed",
  total_restarts: 9,
  reason: "it failed 10 times in a row"
}

const waiting: ProjectRow = {
  ...failed,
  name: "b",
  worker_status: "waiting",
  reason: "the usage limit is reached",
  next_start_at_ms: 1_012_000
}

const plain = (...projects: ReadonlyArray<ProjectRow>) =>
  projectsText({ projects }, { clockTime, nowMs: 1_000_000, colour: false })

describe("the table of projects", () => {
  it("is aligned, marks the selected project, and has the reason of one that does not run", () => {
    assert.deepStrictEqual(plain(running, failed, waiting).split("\n"), [
      "  NAME           STATE     PID  UPTIME       MEMORY  PROCS  RESTARTS  WHY",
      "* default        running  4711  2 h 03 min  512 MiB      7        12",
      "  a-longer-name  failed      -  -                 -      -         9  it failed 10 times in a row",
      "  b              waiting     -  -                 -      -         9  the usage limit is reached; next start in 12 seconds",
      ""
    ])
  })

  it("says finished for a worker that has done its work", () => {
    const done = { ...failed, worker_status: "stopped", finished: true } as const
    assert.match(
      plain({ ...done, reason: "its work is finished (exit code 0 after 3 hours)" }),
      /a-longer-name +finished .* exit code 0 after 3 hours\n$/
    )
  })

  it("has no column for reasons without one", () => {
    assert.deepStrictEqual(plain(running).split("\n"), [
      "  NAME     STATE     PID  UPTIME       MEMORY  PROCS  RESTARTS",
      "* default  running  4711  2 h 03 min  512 MiB      7        12",
      ""
    ])
  })

  it("has the turns, the pace, the cost and the running tool of an agent, and what it waits for", () => {
    const agent = {
      since_ms: 0,
      turns: 12,
      actions: 40,
      actions_last_minute: 3,
      actions_last_ten_minutes: 21,
      cost_micro_usd: 420_000,
      cost_is_exact: false,
      last_tool: { name: "Bash", at_ms: 700_000 }
    }
    const reason = 'the agent has finished, and waits for "work"'
    assert.deepStrictEqual(
      plain({ ...running, agent, reason })
        .split("\n")
        .slice(1),
      [
        `* default  running  4711  2 h 03 min  512 MiB      7        12  12 turns, 3/min, about $0.42, Bash for 5 minutes  ${reason}`,
        ""
      ]
    )
  })

  it("never promises a start in the past", () => {
    assert.include(plain({ ...waiting, next_start_at_ms: 1 }), "; next start now\n")
  })

  it("colours only states, and only on request", () => {
    const text = projectsText({ projects: [running, failed] }, { clockTime, nowMs: 0, colour: true })
    assert.include(text, "\u001b[32mrunning\u001b[0m")
    assert.include(text, "\u001b[31mfailed\u001b[0m ")
    assert.strictEqual(text.replace(/\p{Cc}\[\d+m/gu, ""), plain(running, failed))
  })

  it("lets no text of the answer control the terminal or begin a line", () => {
    const hostile = FastCheck.oneof(
      FastCheck.string({ unit: "binary" }),
      FastCheck.constantFrom("\u001b]0;owned\u0007", "a\n* other", "\u202egnp.exe")
    )
    FastCheck.assert(
      FastCheck.property(hostile, hostile, (name, reason) => {
        const text = plain({ ...failed, name, reason })
        assert.notMatch(text, /[^\n\P{Cc}]|[\p{Cf}\p{Zl}\p{Zp}]/u)
        assert.strictEqual(text.split("\n").length, 3)
      })
    )
  })
})
