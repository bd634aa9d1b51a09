import * as fs from "node:fs"
import { join, resolve } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { readAgentLine } from "../../../src/Domain/adapter/AgentReader.ts"
import { renderAgentLine } from "../../../src/Domain/adapter/AgentText.ts"
import { noAgent } from "../../../src/Domain/agent/AgentSeen.ts"
import type { TailLine } from "../../../src/Domain/output/OutputTail.ts"
import type { WorkerExit } from "../../../src/Domain/tree/WorkerExit.ts"
import type { ExitEvidence } from "../../../src/Domain/verdict/ExitEvidence.ts"
import { verdictOf } from "../../../src/Domain/verdict/ExitJudgement.ts"
import type { VerdictKind } from "../../../src/Domain/verdict/ExitVerdict.ts"

/** Real runs of agents against a stand-in of their API, see test/fixtures/recorded/README.md. */
const recorded = resolve(import.meta.dirname, "../../fixtures/recorded")
const claudeVersions = ["claude-2.1.197", "claude-2.1.332"]
const versions = [...claudeVersions, "codex-0.171.0", "gemini-0.61.0", "opencode-1.18.33", "qwen-0.15.10"]

interface Recording {
  readonly exit: WorkerExit
  readonly ms: number
  readonly stderr: string
  /** When each line came, in milliseconds since the start. */
  readonly atMs: ReadonlyArray<number>
}

/** The time of the recording, before the resets of its usage limits. */
const startMs = Date.UTC(2026, 10, 27, 20)

const plain = (text: string, stream: TailLine["stream"]): ReadonlyArray<TailLine> =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => ({ stream, text: line }))

const linesOf = (version: string, name: string): string =>
  fs.readFileSync(join(recorded, version, `${name}.ndjson`), "utf8")

const evidenceOf = (version: string, name: string, { atMs, exit, ms, stderr }: Recording): ExitEvidence => {
  const out = plain(linesOf(version, name), "out")
  return {
    exit,
    uptimeMs: ms,
    asked: undefined,
    stall: undefined,
    overLimit: undefined,
    criticalMemory: undefined,
    oomKill: undefined,
    agent: out.reduce(
      (state, { text }, at) => readAgentLine(state, text, startMs + (atMs[at] ?? 0)),
      noAgent
    ),
    tail: [...out, ...plain(stderr, "err")].slice(-64),
    nowMs: startMs + ms,
    timeZone: "UTC"
  }
}

const runs = versions.flatMap((version) => {
  const index: Record<string, Recording> = JSON.parse(
    fs.readFileSync(join(recorded, version, "index.json"), "utf8")
  )
  return Object.entries(index).map(([name, run]) => ({ version, name, run }))
})

/** Every other run is done. */
const verdicts: Readonly<Record<string, VerdictKind>> = {
  "error-400-credit": "budget",
  "error-400-generic": "crash",
  "error-400-prompt-too-long": "context-full",
  "error-401-api-key": "auth",
  "error-401-oauth": "auth",
  "error-403": "auth",
  "error-404-model": "bad-arguments",
  "error-429-plain": "overloaded",
  "error-429-plain-oauth": "overloaded",
  "error-429-retry-after-long": "overloaded",
  "error-429-should-retry-false": "overloaded",
  "error-429-unified-api-key": "overloaded",
  "error-429-usage-limit-mid-turn": "usage-limit",
  "error-429-usage-limit-oauth": "usage-limit",
  "error-429-weekly-limit-oauth": "usage-limit",
  "error-429-weekly-model-limit-oauth": "usage-limit",
  "error-500": "overloaded",
  "error-529": "overloaded",
  "error-bad-option": "bad-arguments",
  "error-connection-cut": "overloaded",
  "error-hang": "overloaded",
  "error-max-budget": "budget",
  "error-max-turns": "max-turns",
  "error-not-logged-in": "auth",
  "error-resume-unknown": "bad-arguments",
  "error-session-id-in-use": "bad-arguments",
  "error-spend-limit": "usage-limit",
  "kill9-0-first": "killed-by-other",
  "resume-4-budget": "budget",
  "sighup-mid-tool": "killed-by-other",
  "sigint-mid-tool": "killed-by-other",
  "sigterm-mid-request": "killed-by-other",
  "sigterm-mid-tool": "killed-by-other",
  "codex-401": "auth",
  "codex-429-quota": "budget",
  "codex-429-usage-limit": "usage-limit",
  "codex-503": "overloaded",
  "codex-cut": "overloaded",
  "codex-no-key": "auth",
  "codex-resume-unknown": "bad-arguments",
  "codex-sigint": "killed-by-other",
  "codex-sigterm": "killed-by-other",
  "gemini-400-key": "auth",
  "gemini-401": "auth",
  "gemini-429-quota": "usage-limit",
  "gemini-503": "killed-by-other",
  "gemini-max-turns": "max-turns",
  "gemini-no-key": "auth",
  "gemini-resume-unknown": "bad-arguments",
  "gemini-sigint": "killed-by-other",
  "gemini-sigterm": "killed-by-other",
  "opencode-400": "crash",
  "opencode-401": "auth",
  "opencode-429": "killed-by-other",
  "opencode-no-model": "crash",
  "opencode-resume-unknown": "bad-arguments",
  "opencode-sigint": "killed-by-other",
  "opencode-sigterm": "killed-by-other",
  "qwen-401": "auth",
  "qwen-429": "killed-by-other",
  "qwen-max-turns": "max-turns",
  "qwen-resume-unknown": "bad-arguments",
  "qwen-sigterm": "killed-by-other"
}

/** Options that this version does not know. */
const unknownOption = new Set(["claude-2.1.197/compaction", "claude-2.1.197/subagent-forwarded"])

describe("a recorded run of", () => {
  it.each(runs)("$version, $name, has its verdict", ({ name, run, version }) => {
    const expected = unknownOption.has(`${version}/${name}`) ? "bad-arguments" : (verdicts[name] ?? "done")
    assert.strictEqual(verdictOf(evidenceOf(version, name, run)).kind, expected)
  })

  it.each(runs)("$version, $name, is shown in words", ({ name, version }) => {
    for (const { text } of plain(linesOf(version, name), "out"))
      assert.notMatch(renderAgentLine(text, { colour: false }) ?? "", /^\{/)
  })

  it.each(claudeVersions)("%s that lingers after its success is done, however it exits", (version) => {
    const found = runs.find((one) => one.version === version && one.name === "background-bash-left")
    assert.isDefined(found)
    const evidence = evidenceOf(version, "background-bash-left", found.run)
    const stall = { quietMs: 60_000, limitMs: 60_000, tool: undefined }
    const ends: ReadonlyArray<Partial<ExitEvidence>> = [
      { exit: { code: null, signal: "SIGKILL" } },
      { exit: { code: 143, signal: null } },
      { exit: { code: 1, signal: null } },
      { exit: { code: null, signal: "SIGTERM" }, asked: "stalled", stall }
    ]
    for (const end of ends) assert.deepInclude(verdictOf({ ...evidence, ...end }), { kind: "done", turns: 2 })
    const stopped = { exit: { code: 143, signal: null }, asked: "stopped by command" }
    assert.strictEqual(verdictOf({ ...evidence, ...stopped }).kind, "killed-by-us")
  })

  it("several turns of the loop has the turns of all, and the cost of the last total", () => {
    const found = runs.find(
      ({ name, version }) => name === "background-bash-ends" && version === "claude-2.1.332"
    )
    assert.isDefined(found)
    assert.deepStrictEqual(verdictOf(evidenceOf(found.version, found.name, found.run)), {
      kind: "done",
      turns: 3,
      costUsd: 0.0075
    })
  })

  it("the API's own spend limit waits until the date it names", () => {
    for (const { name, run, version } of runs.filter((one) => one.name === "error-spend-limit"))
      assert.deepInclude(verdictOf(evidenceOf(version, name, run)), { resetAtMs: Date.UTC(2026, 11, 1) })
  })
})
