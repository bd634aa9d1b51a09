import { isAgentLine, readAgentLine } from "../../Domain/adapter/AgentReader.ts"
import { type AgentSeen, beforeNextRun, isAgent } from "../../Domain/agent/AgentSeen.ts"
import { isHeartbeat } from "../../Domain/agent/Heartbeat.ts"
import type { Lines } from "../../Domain/output/Lines.ts"
import {
  noTail,
  type OutputStream,
  type TailLine,
  tailLines,
  withLines
} from "../../Domain/output/OutputTail.ts"
import { masked, type Secrets } from "../../Domain/output/Secrets.ts"
import { type Listen, makeListeners } from "../concurrency/Listeners.ts"

/** The part of a worker's output that verdicts, events and the status show. It holds no secret. */
interface OutputEvidence {
  /**
   * Notes that bytes arrived. A partial line counts as activity, and lines that an agent prints by a timer, or because the
   * daemon has asked, do not.
   */
  readonly alive: (atNanos: bigint, chunk: Buffer) => void
  /** Adds whole lines. */
  readonly add: (stream: OutputStream, lines: Lines) => void
  /** Returns the last lines, unfinished ones included. */
  readonly tail: (unfinished: Readonly<Record<OutputStream, Lines>>) => ReadonlyArray<TailLine>
  readonly lastOutputNanos: () => bigint
  readonly agent: () => AgentSeen
  /** Tells when the state of the agent has changed. */
  readonly onAgent: Listen<[]>
}

const newline = 0x0a
const openingBrace = 0x7b

/**
 * After so many lines of JSON without one of an agent, the worker counts as no agent: to search each line would cost more
 * than to store it.
 */
const patienceLines = 1000

/** Heartbeats are short, and come alone. */
const longestHeartbeat = 16 * 1024

const isOnlyHeartbeat = (chunk: Buffer): boolean =>
  chunk.length <= longestHeartbeat &&
  chunk[0] === openingBrace &&
  chunk.at(-1) === newline &&
  chunk.toString("latin1").trimEnd().split("\n").every(isHeartbeat)

/** `earlier` is the agent of the run before. */
export const makeOutputEvidence = (
  startedNanos: bigint,
  secrets: Secrets,
  earlier: AgentSeen
): OutputEvidence => {
  let tail = noTail
  let lastOutputNanos = startedNanos
  let agent = beforeNextRun(earlier)
  let otherLines = 0
  const changes = makeListeners<[]>()

  const maskedLines = (lines: Lines): Lines => masked(lines, secrets.find(lines))
  const maskedText = (text: string): string => maskedLines(Buffer.from(text)).toString("utf8")

  const mayBeAgent = () => otherLines < patienceLines || isAgent(agent)

  const readLine = (lines: Lines, from: number, end: number) => {
    const text = lines.toString("utf8", from, end)
    if (!isAgentLine(agent, text)) {
      otherLines++
      return
    }
    const before = agent
    agent = readAgentLine(before, text, Date.now(), maskedText)
    if (agent !== before) changes.tell()
  }

  /** Most workers print no JSON, which one search per piece shows. */
  const read = (lines: Lines) => {
    let from = lines[0] === openingBrace ? 0 : lines.indexOf("\n{") + 1
    if (from === 0 && lines[0] !== openingBrace) return
    for (let next = 0; next !== -1 && mayBeAgent(); from = next + 1) {
      const end = lines.indexOf(newline, from)
      readLine(lines, from, end)
      next = lines.indexOf("\n{", end)
    }
  }

  return {
    alive: (atNanos, chunk) => {
      if (!isOnlyHeartbeat(chunk)) lastOutputNanos = atNanos
    },
    add: (stream, lines) => {
      tail = withLines(tail, stream, maskedLines(lines))
      if (stream === "out") read(lines)
    },
    tail: ({ err, out }) =>
      tailLines(withLines(withLines(tail, "out", maskedLines(out)), "err", maskedLines(err))),
    lastOutputNanos: () => lastOutputNanos,
    agent: () => agent,
    onAgent: changes.listen
  }
}
