import { assert, describe, it } from "@effect/vitest"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { allPieces, allWords } from "../../../src/Domain/panel/AllView.ts"
import { bannerView, needsExplanation } from "../../../src/Domain/panel/BannerView.ts"
import { agentCard, daemonCard } from "../../../src/Domain/panel/CardView.ts"
import { controlsView } from "../../../src/Domain/panel/ControlsView.ts"
import type { DaemonSight } from "../../../src/Domain/panel/DaemonSight.ts"
import { projectNav } from "../../../src/Domain/panel/ProjectNav.ts"
import { stateView } from "../../../src/Domain/panel/StateView.ts"
import type { AgentData } from "../../../src/Domain/status/AgentData.ts"
import type { ProjectRow } from "../../../src/Domain/status/ProjectsData.ts"
import type { StatusReply } from "../../../src/Domain/status/StatusData.ts"
import { stoppedRow } from "../../fixtures/ProjectRows.ts"

const nowMs = 1_795_000_000_000
const shop = ProjectName.make("shop")

const row = (
  name: string,
  state: ProjectRow["worker_status"],
  more: Partial<ProjectRow> = {}
): ProjectRow => ({
  ...stoppedRow,
  name,
  selected: name === "shop",
  worker_status: state,
  worker_pid: state === "running" ? 42 : null,
  total_restarts: 3,
  ...more
})

const status: StatusReply = {
  worker_status: "running",
  worker_pid: 42,
  uptime_seconds: 60,
  total_restarts: 3,
  consecutive_failures: 0,
  memory_available_bytes: 8 * 2 ** 30,
  memory_total_bytes: 16 * 2 ** 30,
  project: "shop",
  worker_command: ["claude", "--model", "sonnet", "--resume", "7f3c9a12"]
}

const sight = (projects: ReadonlyArray<ProjectRow>, more: Partial<StatusReply> = {}): DaemonSight => ({
  _tag: "Running",
  projects: { selected: "shop", projects },
  starts: new Map(
    projects.flatMap(({ name, worker_pid }) => (worker_pid === null ? [] : [[name, nowMs - 60_000]]))
  ),
  status: { ...status, ...more }
})

const both = [row("shop", "running"), row("blog", "failed", { consecutive_failures: 10, reason: "gave up" })]

describe("all projects side by side", () => {
  it("shows state, reason and buttons of each", () => {
    const [all] = allPieces(sight(both), nowMs)
    const text = all?.content.text ?? ""
    assert.include(text, 'id="do-restart-worker-shop"')
    assert.include(text, "/api/daemon/start-worker?project=blog")
    assert.include(text, "gave up")
    assert.include(text, `data-since="${nowMs - 60_000}"`)
  })

  it("is sent whole only when projects come or go", () => {
    const key = (rows: ReadonlyArray<ProjectRow>) => allPieces(sight(rows), nowMs)[0]?.key
    assert.strictEqual(key(both), key([row("shop", "stopped"), row("blog", "running")]))
    assert.notStrictEqual(key(both), key([row("shop", "running")]))
  })

  it("does not replace a button when only an amount changes", () => {
    const pieces = (bytes: number) =>
      new Map(
        allPieces(sight([row("shop", "running", { memory_bytes: bytes })]), nowMs).map(({ content, id }) => [
          id,
          content.text
        ])
      )
    assert.strictEqual(pieces(1).get("controls-shop"), pieces(2).get("controls-shop"))
    assert.notStrictEqual(pieces(1).get("facts-shop"), pieces(2).get("facts-shop"))
  })

  it("has the colour of the worst, and counts the states", () => {
    assert.deepInclude(allWords(sight(both)), { tone: "bad", headline: "1 running, 1 failed" })
  })
})

describe("the header", () => {
  it("marks the project that the page shows, and leads to all of them when there are several", () => {
    const { text } = projectNav(sight(both), { name: "blog" })
    assert.match(text, /id="project-blog" aria-current="page"/)
    assert.include(text, 'href="/all"')
    assert.notInclude(projectNav(sight([row("shop", "running")]), { name: undefined }).text, "/all")
  })
})

describe("the small card", () => {
  it("shows model and session of the command, and turns and cost of the last result", () => {
    const ends = [
      { atMs: 2, project: shop, verdict: { kind: "killed-by-us", reason: "stopped by command" }, ranMs: 1 },
      { atMs: 1, project: shop, verdict: { kind: "done", turns: 431, costUsd: 41.07 }, ranMs: 1 }
    ] as const
    const { text } = agentCard(sight(both), ends, nowMs)
    for (const known of ["sonnet", "7f3c9a12", ">431<", "$41.07", "Requested"]) assert.include(text, known)
  })

  it("shows what a running agent tells: cost, tokens, tool, context, limits, tasks, and what it is in", () => {
    const agent: AgentData = {
      session_id: "9b2f1c44",
      model: "claude-sonnet-5-5",
      since_ms: nowMs - 60_000,
      turns: 12,
      actions: 40,
      actions_last_minute: 3,
      actions_last_ten_minutes: 21,
      cost_micro_usd: 420_000,
      cost_is_exact: true,
      input_tokens: 31_000,
      context_tokens: 250_000,
      context_window_tokens: 1_000_000,
      last_tool: { name: "Bash", input: "npm test", at_ms: nowMs - 5000 },
      tasks: [{ description: "dev server", subagent: false, since_ms: nowMs - 9000 }],
      limits: [{ name: "five_hour", used_per_mille: 920, resets_at_ms: nowMs + 3_600_000 }],
      finished_at_ms: nowMs - 1000,
      situation: 'has finished, and waits for "dev server"'
    }
    const running = sight(both)
    const told: DaemonSight =
      running._tag === "Running" && running.status !== undefined
        ? { ...running, status: { ...running.status, agent, reason: `the agent ${agent.situation}` } }
        : assert.fail("a worker runs")
    const card = agentCard(told, [], nowMs).text
    for (const known of [
      "9b2f1c44",
      "$0.42",
      "31,000 in",
      "Bash",
      "25 % of 1,000,000",
      "92 %",
      "dev server",
      "has finished"
    ])
      assert.include(card, known)
    const full = stateView(told, nowMs).text
    for (const known of [
      "Agent finished, worker stays",
      "$0.42",
      "12 turns",
      "claude --resume 9b2f1c44",
      "25 %"
    ])
      assert.include(full, known)
  })

  it("leaves out what is not known", () => {
    const { text } = agentCard({ _tag: "NotRunning" }, [], nowMs)
    assert.notMatch(text, /Model|Session|Cost|Turns/)
  })

  it("shows a usage limit until it ends", () => {
    const limited = (resetAtMs: number) => [
      {
        atMs: 1,
        project: shop,
        verdict: { kind: "usage-limit", says: "limit", resetAtMs },
        ranMs: 1
      } as const
    ]
    const limit = /<dt>Usage limit/
    assert.match(agentCard(sight(both), limited(nowMs + 1000), nowMs).text, limit)
    assert.notMatch(agentCard(sight(both), limited(nowMs - 1000), nowMs).text, limit)
  })

  it("marks the memory at which the daemon acts", () => {
    const { text } = daemonCard(
      sight(both, { memory_min_available_bytes: 2 ** 31, memory_critical_threshold_bytes: 2 ** 30 }),
      nowMs
    )
    assert.include(text, `high="${15 * 2 ** 30}"`)
  })
})

describe("the page of a project", () => {
  it("does not change while nothing but time passes", () => {
    const running = sight(both)
    assert.strictEqual(controlsView(running).text, controlsView(running).text)
    assert.include(stateView(running, nowMs).text, "Worker running")
    assert.include(stateView(running, nowMs).text, `data-since="${nowMs - 60_000}"`)
  })

  it("marks failures only where there are some", () => {
    const failed = (failures: number) =>
      stateView(sight(both, { worker_status: "failed", consecutive_failures: failures }), nowMs).text
    assert.include(failed(10), "t-bad")
    assert.notInclude(failed(0), "t-bad")
  })

  it("says that a failed worker starts when you act, unless its next start has a time", () => {
    const failed = (more: Partial<StatusReply>) =>
      stateView(sight(both, { worker_status: "failed", ...more }), nowMs).text
    assert.include(failed({}), "when you act")
    assert.notInclude(failed({ next_start_at_ms: nowMs + 60_000 }), "when you act")
    assert.notInclude(stateView(sight(both), nowMs).text, "when you act")
  })

  it("explains why a worker does not run, but not one that starts again in a moment", () => {
    const needs = (more: Partial<StatusReply>) => needsExplanation(sight(both, more), nowMs)
    assert.isFalse(needs({}))
    assert.isFalse(needs({ worker_status: "restarting", next_start_at_ms: nowMs + 1000 }))
    assert.isTrue(needs({ worker_status: "restarting", next_start_at_ms: nowMs + 60_000 }))
    for (const state of ["waiting", "failed", "stopped"]) assert.isTrue(needs({ worker_status: state }))
    assert.isTrue(needsExplanation({ _tag: "NotRunning" }, nowMs))
  })

  it("says what has happened first, and shows commands as such", () => {
    const { text } = bannerView(
      { _tag: "NotRunning" },
      {
        state: "no daemon",
        sentences: ["The worker has failed: <b>key</b> is wrong.", "It was up."],
        events: [],
        advice: ["Fix it, then run: autopilotd start-worker"]
      }
    )
    assert.include(text, "<strong>The worker has failed:</strong> &lt;b&gt;key&lt;/b&gt; is wrong.")
    assert.include(text, "<code>autopilotd start-worker</code>")
  })
})
