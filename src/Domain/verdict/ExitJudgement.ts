import { adapters } from "../adapter/AgentAdapters.ts"
import { isAgentLine } from "../adapter/AgentReader.ts"
import { shortened } from "../agent/AgentLine.ts"
import { isAgent } from "../agent/AgentSeen.ts"
import type { TailLine } from "../output/OutputTail.ts"
import { startRefusal } from "../tree/StartRefusal.ts"
import { isClean, signalOf } from "../tree/WorkerExit.ts"
import {
  byComplaint,
  isRejected,
  outOfTurns,
  overBudget,
  turnsOf,
  usageLimit,
  verdictFor
} from "./Complaint.ts"
import type { ExitEvidence } from "./ExitEvidence.ts"
import type { Verdict } from "./ExitVerdict.ts"

type Usual = Verdict | undefined

const byUs = ({ asked, criticalMemory, overLimit, stall, usedUp }: ExitEvidence): Usual => {
  if (usedUp !== undefined) return { kind: "budget", usage: usedUp }
  if (stall !== undefined) {
    const { limitMs, quietMs, tool } = stall
    return { kind: "stalled", quietMs, limitMs, ...(tool === undefined ? {} : { tool: shortened(tool) }) }
  }
  if (overLimit !== undefined) return { kind: "out-of-memory", by: "limit", figures: overLimit }
  if (criticalMemory !== undefined) {
    const reason = asked ?? "memory is critical"
    return { kind: "out-of-memory", by: "ours", memory: criticalMemory, reason }
  }
  return asked === undefined ? undefined : { kind: "killed-by-us", reason: asked }
}

const byKernel = ({ exit, oomKill }: ExitEvidence): Usual =>
  oomKill !== undefined && signalOf(exit) === "SIGKILL"
    ? { kind: "out-of-memory", by: "kernel", oomKill }
    : undefined

/** The number of characters searched at the beginning of a line. */
const searchedLength = 1000

const heapWords = /\bFATAL ERROR: .{0,200}Allocation failed|\bJavaScript heap out of memory\b/

/** The signals with which a JavaScript engine aborts when its heap is full. */
const heapSignals: ReadonlySet<string | undefined> = new Set(["SIGABRT", "SIGTRAP", "SIGILL"])

const byHeap = ({ agent, exit, tail }: ExitEvidence): Usual => {
  if (!heapSignals.has(signalOf(exit))) return undefined
  const said = tail.find(
    ({ text }) => !isAgentLine(agent, text) && heapWords.test(text.slice(0, searchedLength))
  )
  return said === undefined ? undefined : { kind: "out-of-memory", by: "heap", says: shortened(said.text) }
}

/** An error in the agent's final `result` decides, whatever the exit code. */
const byResult = (e: ExitEvidence): Usual => {
  const { error, result } = e.agent
  if (result === undefined) return undefined
  if (result.terminalReason?.startsWith("aborted") === true)
    return { kind: "killed-by-other", signal: "SIGINT" }
  // Claude Code has reported these without `is_error`.
  if (result.subtype === "error_max_turns" || result.terminalReason === "max_turns")
    return outOfTurns(e.agent)
  if (result.subtype === "error_max_budget_usd") return overBudget(e.agent, undefined)
  if (!result.isError) return undefined
  return byComplaint(
    { says: result.text, error: error?.error, status: result.apiErrorStatus ?? error?.status },
    e
  )
}

const hasSucceeded = ({ agent: { result } }: ExitEvidence): boolean => result !== undefined && !result.isError

const done = ({ agent }: ExitEvidence): Verdict => {
  const costUsd = agent.result?.costUsd
  const turns = agent.result && turnsOf(agent)
  return {
    kind: "done",
    ...(turns === undefined ? {} : { turns }),
    ...(costUsd === undefined ? {} : { costUsd })
  }
}

/**
 * Nothing came after the success. The agent may linger for a background task or a wake-up: however it exits then,
 * another run would pay for the same work twice. A stop by a user stays what it is.
 */
const bySuccess = (e: ExitEvidence): Usual => {
  const isByUser =
    e.asked !== undefined &&
    e.stall === undefined &&
    e.overLimit === undefined &&
    e.criticalMemory === undefined &&
    e.usedUp === undefined &&
    e.hasLingered !== true
  return hasSucceeded(e) && !isByUser && byResult(e) === undefined ? done(e) : undefined
}

/** Faults of the processor, and the signals with which a program aborts itself. */
const faults: ReadonlySet<string> = new Set([
  "SIGSEGV",
  "SIGBUS",
  "SIGILL",
  "SIGFPE",
  "SIGABRT",
  "SIGTRAP",
  "SIGSYS"
])

const byFault = ({ exit }: ExitEvidence): Usual => {
  const signal = signalOf(exit)
  return signal !== undefined && faults.has(signal) ? { kind: "native-crash", signal } : undefined
}

/** Without a final `result`: the last error of the agent, or the limit that it reached. */
const byLastError = (e: ExitEvidence): Usual => {
  const { error, rateLimit, result, retry } = e.agent
  if (result !== undefined) return undefined
  if (error !== undefined) {
    const verdict = byComplaint({ says: error.text, error: error.error, status: error.status }, e)
    if (verdict !== undefined) return verdict
  }
  if (rateLimit?.status === "rejected" && !rateLimit.isUsingOverage) {
    return isRejected(e.agent)
      ? usageLimit(`the ${rateLimit.type ?? "usage"} limit is reached`, e)
      : { kind: "overloaded", says: "it refused requests without a time, as a busy server does" }
  }
  const isLastRetry = retry?.maxRetries !== undefined && retry.attempt >= retry.maxRetries
  if (!isLastRetry) return undefined
  const says = `no answer in ${retry.attempt} further attempts`
  const { error: name, status } = retry
  // The agent retries only what is not a mistake in its request. Without a status the API did not answer at all.
  return byComplaint({ says, error: name, status }, e) ?? { kind: "overloaded", says }
}

/** The lines at the end in which a program states its error. */
const errorLines = 10

type LastOutput = Pick<ExitEvidence, "agent" | "tail">

/** The lines of plain text, the newest first. */
const plainLines = ({ agent, tail }: LastOutput): ReadonlyArray<TailLine> =>
  tail.filter(({ text }) => text.trim() !== "" && !isAgentLine(agent, text)).toReversed()

/** The last lines of plain text, shortened, the newest first. */
export const lastWords = (output: LastOutput): ReadonlyArray<string> =>
  plainLines(output).map(({ text }) => shortened(text))

/** A line of a stack trace, which many programs print behind their error. */
const frame = /^\s+(?:at |\d+: )|^\s*stack backtrace:/i

/** A program rejects its arguments right after its start. */
const soonMs = 60_000

const byLastLines = (e: ExitEvidence): Usual => {
  const lines = plainLines(e).filter(({ text }) => !frame.test(text))
  for (const { text } of lines.slice(0, errorLines)) {
    const verdict = byComplaint({ says: shortened(text) }, e)
    if (verdict !== undefined && (verdict.kind !== "bad-arguments" || e.uptimeMs < soonMs)) return verdict
  }
  return undefined
}

/** What the agent's adapter knows about its exit codes, which may lie. */
const byAdapter = (e: ExitEvidence): Usual => {
  const { agent, exit } = e
  if (agent.agent === undefined) return undefined
  const lastLines = lastWords(e)
  const meaning = adapters[agent.agent].meaning({ exit, seen: agent, lastLines })
  return meaning?.kind === "killed-by-other" ? meaning : meaning && verdictFor(meaning.kind, meaning, e)
}

const notRun =
  /\b(?:not found|No such file or directory|Permission denied|cannot execute|Text file busy|Exec format error)\b/

/** The exit codes of a shell that cannot start its command: 127 and 126. */
const byShell = (e: ExitEvidence): Usual => {
  if ((e.exit.code !== 127 && e.exit.code !== 126) || e.uptimeMs >= soonMs || isAgent(e.agent))
    return undefined
  const said = plainLines(e).find(({ text }) => notRun.test(text.slice(0, searchedLength)))
  return said === undefined
    ? undefined
    : { kind: "not-started", reason: shortened(startRefusal(said.text) ?? said.text) }
}

/** Signals that another process sends. The kernel sends the others for what the process itself does. */
const sent: ReadonlySet<string> = new Set([
  "SIGKILL",
  "SIGTERM",
  "SIGINT",
  "SIGHUP",
  "SIGQUIT",
  "SIGUSR1",
  "SIGUSR2"
])

const bySignal = ({ exit }: ExitEvidence): Usual => {
  const signal = signalOf(exit)
  return signal !== undefined && sent.has(signal) ? { kind: "killed-by-other", signal } : undefined
}

const shownLines = 5

const crash = (e: ExitEvidence): Verdict => {
  const { error, result } = e.agent
  const says = result?.isError === true && result.text !== "" ? result.text : error?.text
  const tail = plainLines(e)
    .slice(0, shownLines)
    .map(({ text }) => shortened(text, 200))
    .toReversed()
  return { kind: "crash", exit: e.exit, tail, ...(says === undefined || says === "" ? {} : { says }) }
}

/** A clean exit counts as success unless the worker itself reported a failure. */
const onClean = (e: ExitEvidence): Verdict => {
  const failed = byLastError(e) ?? byAdapter(e)
  if (failed !== undefined) return failed
  if (e.agent.result !== undefined || e.agent.error !== undefined) return crash(e)
  // In print mode without the stream a usage limit is the whole answer, and the exit code may be 0.
  const [last] = plainLines(e)
  const said = last === undefined ? undefined : byComplaint({ says: shortened(last.text) }, e)
  return said?.kind === "usage-limit" ? said : done(e)
}

/**
 * Judges an exit. The first of these that applies decides: a kill by this daemon; the kernel's kill of the leader; a
 * full heap; the agent's final `result`; a fault of native code; a clean exit; the agent's last error; its last lines;
 * its adapter's knowledge of exit codes; the kernel's kill of another process of the worker; a shell that found no
 * program; a signal. The rest is a crash.
 */
export const verdictOf = (evidence: ExitEvidence): Verdict => {
  const certain =
    bySuccess(evidence) ??
    byUs(evidence) ??
    byKernel(evidence) ??
    byHeap(evidence) ??
    byResult(evidence) ??
    byFault(evidence)
  if (certain !== undefined) return certain
  if (isClean(evidence.exit)) return onClean(evidence)
  const { oomKill } = evidence
  return (
    byLastError(evidence) ??
    byLastLines(evidence) ??
    byAdapter(evidence) ??
    (oomKill === undefined ? undefined : { kind: "out-of-memory", by: "kernel", oomKill }) ??
    byShell(evidence) ??
    bySignal(evidence) ??
    crash(evidence)
  )
}
