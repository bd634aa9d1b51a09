import type { AgentName } from "../agent/AgentName.ts"
import type { HistoryRecord } from "../history/HistoryRecord.ts"
import type { ProjectName } from "../Project.ts"
import { describeVerdict, type Verdict } from "../verdict/ExitVerdict.ts"

/** The end of one run of a worker, as the restart history shows it. */
export interface RunEnd {
  /** In milliseconds since 1970. */
  readonly atMs: number
  readonly project: ProjectName
  readonly verdict: Verdict
  /** How long the run has lasted. */
  readonly ranMs: number
  readonly peakBytes?: number
  /** The session of its agent. */
  readonly sessionId?: string
  readonly agent?: AgentName
}

/** The ends of runs in these records, the oldest first. A start that failed counts as a run of no time. */
export const runEndsIn = (records: ReadonlyArray<HistoryRecord>): ReadonlyArray<RunEnd> =>
  records.flatMap((record): ReadonlyArray<RunEnd> => {
    if (record._tag === "WorkerNotStarted") {
      const { at: atMs, project, reason } = record
      return [{ atMs, project, verdict: { kind: "not-started", reason }, ranMs: 0 }]
    }
    if (record._tag !== "WorkerEnded") return []
    const { agent, at: atMs, peakMemoryBytes: peakBytes, project, uptimeMs: ranMs, verdict } = record
    return [
      {
        atMs,
        project,
        verdict,
        ranMs,
        ...(peakBytes === undefined ? {} : { peakBytes }),
        ...(agent?.sessionId === undefined ? {} : { sessionId: agent.sessionId }),
        ...(agent?.name === undefined ? {} : { agent: agent.name })
      }
    ]
  })

/** The verdict as a tag: its colour, and a word or two. */
interface VerdictTag {
  readonly tone: "ok" | "info" | "warn" | "bad"
  readonly word: string
}

const memoryTags: Readonly<Record<Extract<Verdict, { kind: "out-of-memory" }>["by"], VerdictTag>> = {
  kernel: { tone: "bad", word: "Out of memory" },
  limit: { tone: "warn", word: "Memory limit" },
  ours: { tone: "warn", word: "Memory critical" },
  heap: { tone: "bad", word: "Heap full" }
}

const tags: Readonly<Record<Exclude<Verdict["kind"], "out-of-memory">, VerdictTag>> = {
  done: { tone: "ok", word: "Done" },
  crash: { tone: "bad", word: "Crash" },
  "native-crash": { tone: "bad", word: "Native crash" },
  "usage-limit": { tone: "warn", word: "Usage limit" },
  overloaded: { tone: "warn", word: "API unavailable" },
  auth: { tone: "bad", word: "Not logged in" },
  "bad-arguments": { tone: "bad", word: "Bad arguments" },
  "context-full": { tone: "bad", word: "Context full" },
  "max-turns": { tone: "warn", word: "Turns used up" },
  budget: { tone: "bad", word: "Budget spent" },
  stalled: { tone: "warn", word: "Stalled" },
  "killed-by-us": { tone: "info", word: "Requested" },
  "killed-by-other": { tone: "warn", word: "Killed" },
  "not-started": { tone: "bad", word: "Not started" }
}

export const tagOf = (verdict: Verdict): VerdictTag =>
  verdict.kind === "out-of-memory" ? memoryTags[verdict.by] : tags[verdict.kind]

/** The verdict as a sentence without a subject: `Crashed (exit code 1); last output: ...`. */
export const reasonOfEnd = ({ verdict }: RunEnd): string => {
  const text = describeVerdict(verdict)
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`
}
