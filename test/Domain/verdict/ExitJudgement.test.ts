import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import { noAgent } from "../../../src/Domain/agent/AgentSeen.ts"
import { nextAgent } from "../../../src/Domain/agent/AgentStream.ts"
import type { MemoryFigures } from "../../../src/Domain/memory/MemorySample.ts"
import { noTail, type TailLine, tailLines, withLines } from "../../../src/Domain/output/OutputTail.ts"
import type { WorkerExit } from "../../../src/Domain/tree/WorkerExit.ts"
import type { ExitEvidence } from "../../../src/Domain/verdict/ExitEvidence.ts"
import { verdictOf } from "../../../src/Domain/verdict/ExitJudgement.ts"
import { adviceFor, describeVerdict, Verdict } from "../../../src/Domain/verdict/ExitVerdict.ts"
import type { OomKill } from "../../../src/Domain/verdict/OomKill.ts"
import type { LimitFigures } from "../../../src/Domain/verdict/OverLimit.ts"
import {
  answer,
  calls,
  failedAnswer,
  init,
  rateLimit,
  refused,
  result,
  retry,
  says,
  toolResult
} from "../../fixtures/AgentLines.ts"

const nowMs = Date.parse("2026-11-22T20:00:00Z")
const code = (figure: number): WorkerExit => ({ code: figure, signal: null })
const killed = (signal: string): WorkerExit => ({ code: null, signal })

const nothing: ExitEvidence = {
  exit: code(0),
  uptimeMs: 3_600_000,
  asked: undefined,
  stall: undefined,
  overLimit: undefined,
  criticalMemory: undefined,
  oomKill: undefined,
  agent: noAgent,
  tail: [],
  nowMs,
  timeZone: "UTC"
}

const onOut = (text: string): TailLine => ({ stream: "out", text })
const onErr = (text: string): TailLine => ({ stream: "err", text })

/** The verdict on a worker that has printed these lines on stdout and these on stderr. */
const after = (
  exit: WorkerExit,
  out: ReadonlyArray<string>,
  err: ReadonlyArray<string> = [],
  more: Partial<ExitEvidence> = {}
): Verdict =>
  verdictOf({
    ...nothing,
    exit,
    agent: out.reduce((state, line) => nextAgent(state, line, nowMs), noAgent),
    tail: [...out.map(onOut), ...err.map(onErr)],
    ...more
  })

const run = [
  init,
  answer("msg_1", calls("toolu_1")),
  toolResult("toolu_1", "ok"),
  answer("msg_2", says("Done."))
]
const limitText = "You've hit your session limit · resets 3:20pm (Asia/Shanghai)"
const resetAtMs = Date.parse("2026-11-23T07:20:00Z")
const rejected = rateLimit({ status: "rejected", resetsAt: nowMs / 1000 + 7200, rateLimitType: "five_hour" })

const heapTail = [
  "<--- Last few GCs --->",
  "",
  "[1234:0x5] 51981234 ms: Mark-Compact 4094.3 (4138.0) -> 4093.8 (4138.3) MB, 2351.93 / 0.00 ms",
  "FATAL ERROR: Ineffective mark-compacts near heap limit Allocation failed - JavaScript heap out of memory",
  "----- Native stack trace -----",
  ...Array.from({ length: 20 }, (_, at) => `${at}: 0xb7a940 node::Abort() [node]`)
]

const oomKill: OomKill = { certainty: "proven", victim: "leader", kills: 1, cgroup: "/x" }
const probably: OomKill = { certainty: "probable", victim: "member", kills: 1 }

const figures: LimitFigures = {
  outcome: "restart",
  limitBytes: 2 ** 32,
  treeBytes: 2 ** 33,
  proportionalBytes: 5 * 2 ** 30,
  processes: 7
}
const critical: MemoryFigures = {
  level: "critical",
  availableBytes: 2 ** 28,
  totalBytes: 2 ** 34,
  minAvailableBytes: 2 ** 31,
  criticalBytes: 2 ** 30,
  swapTotalBytes: 0,
  swapFreeBytes: 0
}
const stall = { quietMs: 1_200_000, limitMs: 1_200_000, tool: "Bash" }

/** Endings of Claude Code 2.1.197 against a stand-in of its API, and endings from issue trackers. */
const endings: ReadonlyArray<readonly [name: string, found: Verdict, expected: Partial<Verdict>]> = [
  ["0", after(code(0), ["all good"]), { kind: "done" }],
  ["0 with a result", after(code(0), [...run, result({})]), { kind: "done", turns: 2, costUsd: 0.4242 }],
  [
    "0 with is_error true (claude-code#79500)",
    after(code(0), [...run, refused(limitText, 429)]),
    { kind: "usage-limit", says: limitText, resetAtMs }
  ],
  [
    "0 with an error of unknown meaning",
    after(code(0), [...run, refused("Something else", 400)]),
    { kind: "crash", says: "Something else" }
  ],
  [
    "a conversation that exceeds the context of its model",
    after(code(1), [...run, refused("Prompt is too long · the request is ~1200000 tokens", 400)]),
    { kind: "context-full" }
  ],
  [
    "success, is_error, API Error: 500 (claude-code#35491)",
    after(code(1), [...run, refused('API Error: 500 {"type":"error"}', 500)]),
    { kind: "overloaded", status: 500 }
  ],
  [
    "1 with the session limit on stdout (Win-CodexBar#46)",
    after(code(1), [limitText]),
    { kind: "usage-limit", resetAtMs }
  ],
  [
    "1 with the weekly limit on stdout (claude-auto-resume#27)",
    after(code(1), ["You've hit your weekly limit · resets Nov 25, 1pm (UTC)"]),
    { kind: "usage-limit", resetAtMs: Date.parse("2026-11-25T13:00:00Z") }
  ],
  [
    "1 with a limit without a name (happy#465)",
    after(code(1), ["You've hit your limit · resets 11pm"]),
    { kind: "usage-limit", resetAtMs: Date.parse("2026-11-22T23:00:00Z") }
  ],
  [
    "1 with the limit and an epoch, of older versions",
    after(code(1), [`Claude AI usage limit reached|${nowMs / 1000 + 600}`]),
    { kind: "usage-limit", resetAtMs: nowMs + 600_000 }
  ],
  ["0 with only the limit on stdout", after(code(0), [limitText]), { kind: "usage-limit" }],
  [
    "1 with a rate_limit_event, no result and an empty stderr (dismech#10735)",
    after(code(1), [init, rejected]),
    { kind: "usage-limit", resetAtMs: nowMs + 7_200_000 }
  ],
  [
    "1 with a reset in the event, which wins over the one in the text",
    after(code(1), [init, rejected, failedAnswer(limitText, "rate_limit"), refused(limitText, 429)]),
    { kind: "usage-limit", says: limitText, resetAtMs: nowMs + 7_200_000 }
  ],
  [
    "1 with a refusal without a time, which is a busy server",
    after(code(1), [init, rateLimit({ status: "rejected", rateLimitType: "five_hour" })]),
    { kind: "overloaded" }
  ],
  [
    "1 with a refusal without a time, and a 429 in words that are unknown",
    after(code(1), [init, rateLimit({ status: "rejected" }), refused("API Error: 429 slow down", 429)]),
    { kind: "overloaded", status: 429 }
  ],
  [
    "1 with the usage limits of the API, whose date is the reset",
    after(code(1), [
      init,
      refused(
        "API Error: 400 You have reached your specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.",
        400
      )
    ]),
    { kind: "usage-limit", resetAtMs: Date.parse("2026-12-01T00:00:00Z") }
  ],
  [
    "1 with a 429 that is no usage limit (2.1.197 with an API key)",
    after(code(1), [
      init,
      refused("API Error: Request rejected (429) · This request would exceed your rate limit", 429)
    ]),
    { kind: "overloaded", status: 429 }
  ],
  [
    "1 with error_max_turns (claude-remember#98, trinity#361), with its answers and not its results of tools",
    after(code(1), [...run, result({ subtype: "error_max_turns", is_error: true, num_turns: 3 })]),
    { kind: "max-turns", turns: 2 }
  ],
  [
    "1 with max turns, without the stream",
    after(code(1), ["Error: Reached max turns (2)"]),
    { kind: "max-turns" }
  ],
  [
    "error_max_budget_usd",
    after(code(1), [...run, result({ subtype: "error_max_budget_usd", is_error: true, total_cost_usd: 3 })]),
    { kind: "budget", costUsd: 3 }
  ],
  [
    "error_max_budget_usd that is not marked as an error (agentmastered.com)",
    after(code(0), [...run, result({ subtype: "error_max_budget_usd", total_cost_usd: 3 })]),
    { kind: "budget", costUsd: 3 }
  ],
  [
    "1 with the budget, without the stream",
    after(code(1), ["Error: Exceeded USD budget (3)"]),
    { kind: "budget" }
  ],
  [
    "1 without credit (2.1.197)",
    after(code(1), [
      init,
      failedAnswer("Credit balance is too low", "billing_error"),
      refused("Credit balance is too low", 400)
    ]),
    { kind: "budget", says: "Credit balance is too low" }
  ],
  [
    "1 with an OAuth session that expired (claude-code#79685)",
    after(code(1), [], ["OAuth session expired and could not be refreshed"]),
    { kind: "auth", says: "OAuth session expired and could not be refreshed" }
  ],
  [
    "1 with a rejected key (2.1.197)",
    after(code(1), [
      init,
      retry(2, 401, "authentication_failed"),
      refused("Invalid API key · Fix external API key", 401)
    ]),
    { kind: "auth" }
  ],
  [
    "1 without a login, without the stream (2.1.197)",
    after(code(1), ["Not logged in · Please run /login"]),
    { kind: "auth" }
  ],
  [
    "1 with a 529 (2.1.197)",
    after(code(1), [
      init,
      refused("API Error: 529 Overloaded. This is a server-side issue, usually temporary", 529)
    ]),
    { kind: "overloaded", status: 529 }
  ],
  [
    "1 with a 529, without the stream (2.1.197)",
    after(code(1), ["API Error: 529 Overloaded. This is a server-side issue"]),
    { kind: "overloaded", status: 529 }
  ],
  [
    "1 after the last retry, without a result",
    after(code(1), [init, retry(10, null, "unknown")]),
    { kind: "overloaded" }
  ],
  [
    "1 with an unknown model (2.1.197)",
    after(code(1), [init, refused("There's an issue with the selected model (nope). It may not exist", 404)]),
    { kind: "bad-arguments" }
  ],
  [
    "1 with an unknown option (2.1.197)",
    after(code(1), [], ["error: unknown option '--bogus'"], { uptimeMs: 900 }),
    { kind: "bad-arguments", says: "error: unknown option '--bogus'" }
  ],
  [
    "1 with an unknown session (2.1.197)",
    after(code(1), [], ["No conversation found with session ID: 8666896d-c97e"], { uptimeMs: 900 }),
    { kind: "bad-arguments" }
  ],
  [
    "1 as root with --dangerously-skip-permissions",
    after(
      code(1),
      [],
      ["--dangerously-skip-permissions cannot be used with root/sudo privileges for security reasons"],
      {
        uptimeMs: 900
      }
    ),
    { kind: "bad-arguments" }
  ],
  [
    "134 with a full heap (claude-code#2278)",
    after(code(134), [], heapTail),
    { kind: "out-of-memory", by: "heap" }
  ],
  [
    "SIGABRT with a full heap (claude-code#30131)",
    after(killed("SIGABRT"), [], heapTail),
    { kind: "out-of-memory", by: "heap" }
  ],
  [
    "134 without a message about the heap",
    after(code(134), [], ["Aborted"]),
    { kind: "native-crash", signal: "SIGABRT" }
  ],
  [
    "137 after a kill by the kernel",
    after(code(137), run, [], { oomKill }),
    { kind: "out-of-memory", by: "kernel" }
  ],
  [
    "SIGKILL, probably by the kernel (centaur#1454)",
    after(killed("SIGKILL"), run, [], { oomKill: probably }),
    { kind: "out-of-memory", by: "kernel" }
  ],
  ["137 by an unknown sender", after(code(137), run), { kind: "killed-by-other", signal: "SIGKILL" }],
  [
    "1 after the kernel has killed one of its processes",
    after(code(1), run, [], { oomKill: { ...probably, certainty: "proven" } }),
    { kind: "out-of-memory", by: "kernel" }
  ],
  [
    "1 with a usage limit, after the kernel has killed one of its processes",
    after(code(1), [...run, refused(limitText, 429)], [], { oomKill: probably }),
    { kind: "usage-limit" }
  ],
  ["139 (claude-code#63635)", after(code(139), run), { kind: "native-crash", signal: "SIGSEGV" }],
  [
    "SIGSEGV during its work (claude-code#95655)",
    after(killed("SIGSEGV"), run),
    { kind: "native-crash", signal: "SIGSEGV" }
  ],
  ["SIGSEGV after its result", after(killed("SIGSEGV"), [...run, result({})]), { kind: "done", turns: 2 }],
  ["132 (claude-code#35373)", after(code(132), run), { kind: "native-crash", signal: "SIGILL" }],
  ["SIGILL (claude-code#45726)", after(killed("SIGILL"), run), { kind: "native-crash", signal: "SIGILL" }],
  [
    "143 after SIGTERM of the daemon",
    after(code(143), run, [], { asked: "a person stopped it" }),
    { kind: "killed-by-us", reason: "a person stopped it" }
  ],
  [
    "143 after SIGTERM of another process",
    after(code(143), run),
    { kind: "killed-by-other", signal: "SIGTERM" }
  ],
  ["SIGHUP", after(killed("SIGHUP"), run), { kind: "killed-by-other", signal: "SIGHUP" }],
  [
    "SIGKILL of the daemon, with a kill counted by the kernel",
    after(killed("SIGKILL"), run, [], { asked: "a person stopped it", oomKill: probably }),
    { kind: "killed-by-us" }
  ],
  [
    "a restart for its limit",
    after(killed("SIGTERM"), run, [], { asked: "worker-limit", overLimit: figures }),
    { kind: "out-of-memory", by: "limit", figures }
  ],
  [
    "a restart for critical memory",
    after(code(143), run, [], { asked: "memory is critical", criticalMemory: critical }),
    { kind: "out-of-memory", by: "ours", memory: critical, reason: "memory is critical" }
  ],
  [
    "a restart for a stall (claude-code#39700)",
    after(code(143), run, [], { asked: "stalled", stall }),
    { kind: "stalled", ...stall }
  ],
  [
    "127 of a shell that finds no program",
    after(code(127), [], ["sh: 1: cluade: not found"], { uptimeMs: 30 }),
    { kind: "not-started", reason: "sh: 1: cluade: not found" }
  ],
  ...[
    "autopilotd-worker: 4: exec: /opt/agent: Text file busy",
    "autopilotd-worker: line 4: /opt/agent: Text file busy",
    "autopilotd-worker: exec: line 4: /opt/agent: Text file busy"
  ].map((line): (typeof endings)[number] => [
    `126 of the shell that starts a worker, while an update writes the program: ${line}`,
    after(code(126), [], [line], { uptimeMs: 30 }),
    {
      kind: "not-started",
      reason: "/opt/agent is being written at this moment, by an installation or an update (Text file busy)"
    }
  ]),
  [
    "126 of the shell that starts a worker, for a damaged program",
    after(code(126), [], ["autopilotd-worker: 4: exec: /opt/agent: Exec format error"], { uptimeMs: 30 }),
    {
      kind: "not-started",
      reason:
        "/opt/agent is no program for this machine: it is damaged, or for another processor. Install it again (Exec format error)"
    }
  ],
  ["127 of a script after an hour", after(code(127), [], ["sh: 1: cluade: not found"]), { kind: "crash" }],
  [
    "1 with a stack trace",
    after(code(1), [], ["a", "b", "Error: boom", "    at x", "", "    at y", "Node.js v20"]),
    { kind: "crash", exit: code(1), tail: ["b", "Error: boom", "at x", "at y", "Node.js v20"] }
  ],
  ["3 after its result", after(code(3), [...run, result({})], ["hook failed"]), { kind: "done" }],
  ["SIGPIPE", after(killed("SIGPIPE"), ["x"]), { kind: "crash", exit: killed("SIGPIPE"), tail: ["x"] }]
]

describe("the verdict on a worker that ends with", () => {
  it.each(endings)("%s", (_, found, expected) => assert.deepInclude(found, expected))
})

/** Output as a terminal program writes it, from bytes. */
const printed = (text: string): ReadonlyArray<TailLine> =>
  tailLines(withLines(noTail, "out", Buffer.from(text)))

describe("the verdict", () => {
  it.each([
    ["coloured", `\u001b[31m${limitText}\u001b[0m\n`],
    ["coloured by a pty", `\u001b[1;38;5;9m${limitText}\u001b[m\r\n`],
    ["behind a title and a cleared line", `\u001b]0;claude\u0007\u001b[2K\r${limitText}\n`],
    ["over a progress line", `Working...\rStill working...\r${limitText}\r\n`]
  ])("knows a usage limit that is %s, and quotes it without escape sequences", (_, text) => {
    assert.deepStrictEqual(after(code(1), [], [], { tail: printed(text) }), {
      kind: "usage-limit",
      says: limitText,
      resetAtMs
    })
  })

  it("quotes the last lines of a crash without escape sequences", () => {
    const verdict = after(code(1), [], [], { tail: printed("\u001b[31mError: boom\u001b[0m\r\n") })
    assert.deepInclude(verdict, { kind: "crash", tail: ["Error: boom"] })
  })

  it("ignores errors that the agent only writes about (harbor#3160)", () => {
    const talk = [
      answer("msg_1", says("I fixed the message API Error: 529 Overloaded")),
      toolResult("toolu_1", limitText),
      answer("msg_2", says("Invalid API key is handled now"))
    ]
    assert.strictEqual(after(code(0), [init, ...talk, result({})]).kind, "done")
    assert.strictEqual(after(code(1), [init, ...talk]).kind, "crash")
    assert.strictEqual(after(code(0), [init, refused(limitText, 429), ...talk, result({})]).kind, "done")
    const written = [
      "I have written that",
      `the error "${limitText}" is shown`,
      "and a test: API Error: 529 is retried"
    ]
    assert.strictEqual(after(code(1), written).kind, "crash")
  })

  it("ignores a retry and a usage limit that are over", () => {
    const passed = [
      init,
      rejected,
      retry(3, 529, "overloaded"),
      rateLimit({ status: "allowed" }),
      ...run.slice(1)
    ]
    assert.strictEqual(after(code(1), passed).kind, "crash")
    const paid = rateLimit({ status: "rejected", isUsingOverage: true })
    assert.strictEqual(after(code(1), [init, paid, ...run.slice(1)]).kind, "crash")
  })

  it("reads errors only from the last ten lines", () => {
    const lines = ["Invalid API key", ...Array.from({ length: 10 }, (_, at) => `line ${at}`)]
    assert.strictEqual(after(code(1), lines).kind, "crash")
    assert.strictEqual(after(code(1), lines.slice(0, 10)).kind, "auth")
  })

  it("blames the arguments only within a minute of the start", () => {
    const line = "error: unexpected argument '--x' found"
    assert.strictEqual(after(code(2), [], [line], { uptimeMs: 100 }).kind, "bad-arguments")
    assert.strictEqual(after(code(2), [], [line], { uptimeMs: 3_600_000 }).kind, "crash")
    assert.strictEqual(after(code(2), [], [`pytest: ${line}`], { uptimeMs: 100 }).kind, "crash")
  })

  it("can be encoded, described and decoded, whatever the evidence", () => {
    const exit = FastCheck.oneof(
      FastCheck.integer({ min: 0, max: 255 }).map(code),
      FastCheck.constantFrom("SIGKILL", "SIGTERM", "SIGSEGV", "SIGABRT", "SIGPIPE", "SIGRTMIN").map(killed)
    )
    const phrase = FastCheck.constantFrom(
      limitText,
      "API Error: 529",
      "Invalid API key",
      "error: unknown option '-x'",
      "x: not found",
      ...heapTail.slice(0, 5),
      ...run,
      rejected,
      refused("odd", 418),
      result({}),
      retry(10, null, "unknown"),
      failedAnswer("?", "unknown")
    )
    const anyText = FastCheck.oneof(FastCheck.string({ unit: "binary" }), phrase)
    const lines = FastCheck.array(anyText, { maxLength: 20 })
    const perhaps = <A>(value: A) => FastCheck.constantFrom(undefined, undefined, value)
    const evidence = FastCheck.record({
      uptimeMs: FastCheck.nat(),
      asked: FastCheck.oneof(FastCheck.constant(undefined), anyText),
      stall: perhaps({ ...stall, tool: undefined }),
      overLimit: perhaps(figures),
      criticalMemory: perhaps(critical),
      oomKill: FastCheck.constantFrom(undefined, oomKill, probably),
      timeZone: FastCheck.constantFrom("UTC", "Europe/Berlin", "nowhere")
    })
    const encode = Schema.encodeSync(Verdict)
    const decode = Schema.decodeUnknownSync(Verdict)
    FastCheck.assert(
      FastCheck.property(exit, lines, lines, evidence, (how, out, err, more) => {
        const verdict = after(how, out, err, more)
        assert.deepStrictEqual(decode(JSON.parse(JSON.stringify(encode(verdict)))), verdict)
        assert.isNotEmpty(describeVerdict(verdict))
        assert.isAtMost(JSON.stringify(verdict).length, 12_000)
        if (more.asked !== undefined)
          assert.include(["killed-by-us", "stalled", "out-of-memory", "done"], verdict.kind)
        if (verdict.kind !== "done" && verdict.kind !== "killed-by-us") assert.isString(adviceFor(verdict))
      })
    )
  })

  it("is found in linear time in lines made to be slow to search", () => {
    const slow = ["FATAL ERROR: ".repeat(50_000), "you've hit your ".repeat(50_000), "resets ".repeat(50_000)]
    assert.strictEqual(after(code(134), [], slow).kind, "native-crash")
    assert.strictEqual(after(code(1), [], slow).kind, "crash")
  })
})
