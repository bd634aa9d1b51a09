import { assert, describe, it } from "@effect/vitest"
import { adapters } from "../../../src/Domain/adapter/AgentAdapters.ts"
import type { AgentName } from "../../../src/Domain/agent/AgentName.ts"
import { type AgentSeen, noAgent } from "../../../src/Domain/agent/AgentSeen.ts"
import type { ExitEvidence } from "../../../src/Domain/verdict/ExitEvidence.ts"
import { verdictOf } from "../../../src/Domain/verdict/ExitJudgement.ts"
import type { VerdictKind } from "../../../src/Domain/verdict/ExitVerdict.ts"

/** 12:02 UTC. */
const nowMs = Date.parse("2026-10-06T12:02:00Z")

const begun = (agent: AgentName): AgentSeen => ({ ...noAgent, agent, sessionId: "s" })

const end = (agent: AgentSeen, code: number, ...stderr: ReadonlyArray<string>): ExitEvidence => ({
  exit: { code, signal: null },
  uptimeMs: 5000,
  asked: undefined,
  stall: undefined,
  overLimit: undefined,
  criticalMemory: undefined,
  oomKill: undefined,
  agent,
  tail: stderr.map((text) => ({ stream: "err", text })),
  nowMs,
  timeZone: "Europe/Berlin"
})

const failed = (agent: AgentName, text: string): AgentSeen => ({
  ...begun(agent),
  result: { atMs: nowMs, subtype: "error", isError: true, text }
})

describe("an exit code that says something else", () => {
  it.each<readonly [AgentName, number, VerdictKind]>([
    ["gemini", 41, "auth"],
    ["gemini", 42, "bad-arguments"],
    ["gemini", 52, "bad-arguments"],
    ["gemini", 53, "max-turns"],
    ["gemini", 144, "crash"],
    ["gemini", 145, "auth"],
    ["gemini", 147, "auth"],
    ["gemini", 148, "bad-arguments"],
    ["gemini", 173, "overloaded"],
    ["gemini", 244, "overloaded"],
    ["gemini", 247, "overloaded"],
    ["gemini", 130, "killed-by-other"],
    ["gemini", 1, "crash"],
    ["qwen", 53, "max-turns"],
    ["qwen", 1, "crash"],
    ["codex", 101, "crash"],
    ["claude", 53, "crash"],
    ["opencode", 1, "crash"]
  ])("of %s, %d, is told as what it is: %s", (agent, code, kind) => {
    assert.strictEqual(verdictOf(end(begun(agent), code)).kind, kind)
  })

  it("of Gemini CLI is 0 after SIGTERM and SIGINT, which do not finish the work", () => {
    assert.deepStrictEqual(verdictOf(end(begun("gemini"), 0)), {
      kind: "killed-by-other",
      signal: "SIGTERM or SIGINT"
    })
    const done = {
      ...begun("gemini"),
      result: { atMs: nowMs, subtype: "success", isError: false, text: "Done." }
    }
    assert.strictEqual(verdictOf(end(done, 0)).kind, "done")
  })

  it("of Claude Code, 0 without a result, does not finish the work", () => {
    assert.deepStrictEqual(verdictOf(end(begun("claude"), 0)), { kind: "killed-by-other", signal: "SIGINT" })
    assert.strictEqual(verdictOf(end({ ...noAgent, agent: "claude" }, 0)).kind, "done")
  })

  it("of Codex is 1 after SIGINT, without a word", () => {
    assert.deepStrictEqual(verdictOf(end(begun("codex"), 1, "2026-11-28T22:00:03Z ERROR codex_core: x")), {
      kind: "killed-by-other",
      signal: "SIGINT"
    })
    assert.strictEqual(verdictOf(end(begun("codex"), 1, "Error: out of cheese")).kind, "crash")
  })

  it("of Codex is 2 for arguments that it rejects", () => {
    const known: AgentSeen = { ...noAgent, agent: "codex" }
    const says = "error: one or more required arguments were not provided"
    assert.deepStrictEqual(verdictOf(end(known, 2, says, "", "Usage: codex exec [PROMPT]")), {
      kind: "bad-arguments",
      says
    })
  })
})

describe("an error of", () => {
  it.each<readonly [AgentName, string, VerdictKind]>([
    [
      "codex",
      "You've hit your usage limit for GPT-5. Switch to another model now, or try again at 3:05 PM.",
      "usage-limit"
    ],
    ["codex", "Your workspace is out of credits. Add credits to continue.", "budget"],
    ["codex", "You hit your spend cap set in your workspace. Increase your spend cap to continue.", "budget"],
    [
      "codex",
      "To use Codex with your ChatGPT plan, upgrade to Plus: https://chatgpt.com/explore/plus.",
      "budget"
    ],
    ["codex", "Selected model is at capacity. Please try a different model.", "overloaded"],
    ["codex", "We're currently experiencing high demand, which may cause temporary errors.", "overloaded"],
    ["codex", "exceeded retry limit, last status: 429 Too Many Requests, request id: x", "overloaded"],
    ["codex", "exceeded retry limit, last status: 401 Unauthorized", "auth"],
    ["codex", "Connection failed: error sending request", "overloaded"],
    ["codex", "unexpected status 403 Forbidden: no", "auth"],
    [
      "codex",
      "Your access token could not be refreshed because your refresh token has expired. Please log out and sign in again.",
      "auth"
    ],
    [
      "codex",
      "Codex ran out of room in the model's context window. Start a new thread or clear earlier history before retrying.",
      "context-full"
    ],
    ["codex", "the turn failed", "crash"],
    [
      "gemini",
      "You have exhausted your capacity on this model. Your quota will reset after 3h49m12s.",
      "usage-limit"
    ],
    [
      "gemini",
      "You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.",
      "usage-limit"
    ],
    [
      "opencode",
      "You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.",
      "budget"
    ],
    ["qwen", "API Error: 503 overloaded", "overloaded"],
    ["qwen", "API Error: 429 slow down", "overloaded"],
    ["qwen", "Qwen OAuth quota exceeded: Your free daily quota has been reached.", "usage-limit"]
  ])("%s, %s, is told as what it is: %s", (agent, text, kind) => {
    assert.strictEqual(verdictOf(end(failed(agent, text), 1)).kind, kind)
  })

  it("a usage limit waits until the time that it names, of any agent", () => {
    const until = (agent: AgentName, text: string) => {
      const verdict = verdictOf(end(failed(agent, text), 1))
      return verdict.kind === "usage-limit" ? verdict.resetAtMs : undefined
    }
    assert.strictEqual(
      until("codex", "You’ve hit your usage limit. Upgrade to Pro or try again at 11:28 PM."),
      Date.parse("2026-10-06T21:28:00Z")
    )
    assert.strictEqual(
      until(
        "gemini",
        "You have exhausted your capacity on this model. Your quota will reset after 3h49m12s."
      ),
      nowMs + (3 * 3600 + 49 * 60 + 12) * 1000
    )
  })

  it("OpenCode goes by its name and its HTTP status", () => {
    const told = (error: string, status?: number): VerdictKind =>
      verdictOf(end({ ...begun("opencode"), error: { atMs: nowMs, text: "no", error, status } }, 1)).kind
    assert.strictEqual(told("APIError", 401), "auth")
    assert.strictEqual(told("APIError", 402), "budget")
    assert.strictEqual(told("APIError", 503), "overloaded")
    assert.strictEqual(told("APIError", 429), "overloaded")
    assert.strictEqual(told("APIError", 400), "crash")
    assert.strictEqual(told("ProviderAuthError"), "auth")
    assert.strictEqual(told("ProviderModelNotFoundError"), "bad-arguments")
    assert.strictEqual(told("ContextOverflowError"), "context-full")
    assert.strictEqual(told("MessageAbortedError"), "killed-by-other")
  })
})

describe("a session that an agent refuses", () => {
  it.each<readonly [AgentName, string, string | undefined]>([
    [
      "codex",
      "Error: thread/resume: thread/resume failed: no rollout found for thread id 1111 (code -32600)",
      "unknown"
    ],
    ["gemini", 'Error resuming session: Invalid session identifier "1111".', "unknown"],
    ["gemini", "Error resuming session: No previous sessions found for this project.", "unknown"],
    [
      "gemini",
      'Error starting session: Session ID "1111" already exists. Use --resume to resume it.',
      "in-use"
    ],
    ["qwen", "No saved session found with ID 1111. Run `qwen --resume` without an ID.", "unknown"],
    ["qwen", "Error: Session Id 1111 is already in use.", "in-use"],
    ["opencode", "Error: Session not found", "unknown"],
    ["codex", "Error: something else", undefined],
    ["gemini", "Error: something else", undefined],
    ["qwen", "Error: something else", undefined],
    ["opencode", "Error: something else", undefined]
  ])("%s: %s", (name, line, refusal) => {
    const told = (seen: AgentSeen) =>
      adapters[name].refusal({ exit: { code: 1, signal: null }, seen, lastLines: ["later", line, "earlier"] })
    assert.strictEqual(told(noAgent), refusal)
    assert.isUndefined(told({ ...begun(name), turns: 1 }))
  })
})
