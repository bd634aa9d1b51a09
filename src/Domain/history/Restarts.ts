import type { ProjectName } from "../Project.ts"
import { localDay, type Zone } from "../text/LocalTime.ts"
import { describeExit } from "../tree/WorkerExit.ts"
import type { Verdict } from "../verdict/ExitVerdict.ts"
import { describeOomKill } from "../verdict/OomKill.ts"
import { projectOf } from "./DaemonEvent.ts"
import type { HistoryRecord } from "./HistoryRecord.ts"

/** A restart of a worker within one run of the daemon. */
export interface Restart {
  /** The time of the start, in milliseconds since 1970. */
  readonly at: number
  readonly project: ProjectName
  /** In a few words. */
  readonly cause: string
}

/** The events of a project's worker since its last start. */
interface RunFacts {
  readonly isKnown: boolean
  /** Stopped or failed: the next start is no restart. */
  readonly isAtRest: boolean
  /** A user or the daemon requested a restart. */
  readonly asked: string | undefined
  /** Its exit, unless the daemon had asked for it. */
  readonly ended: string | undefined
  /** Its verdict, unless the daemon had asked for the exit. */
  readonly judged: string | undefined
}

const unknown: RunFacts = {
  isKnown: false,
  isAtRest: false,
  asked: undefined,
  ended: undefined,
  judged: undefined
}

/** A verdict in few words, the same for all exits of a kind. */
const briefly = (verdict: Verdict): string | undefined => {
  switch (verdict.kind) {
    case "crash":
      return `crash (${describeExit(verdict.exit)})`
    case "killed-by-us":
      return undefined
    case "killed-by-other":
      return `another process sent ${verdict.signal}`
    case "out-of-memory":
      return verdict.by === "limit" ? "its own memory limit" : "out of memory"
    case "max-turns":
      return "no turns left"
    case "auth":
      return "not logged in"
    case "done":
      return "finished"
    default:
      return verdict.kind.replaceAll("-", " ")
  }
}

const next = (run: RunFacts, record: HistoryRecord): RunFacts => {
  switch (record._tag) {
    case "WorkerStarted":
      return { ...unknown, isKnown: true }
    case "WorkerExited": {
      const ended = record.oomKill === undefined ? describeExit(record.exit) : describeOomKill(record.oomKill)
      return { ...run, isKnown: true, ...(record.wasAsked ? {} : { ended }) }
    }
    case "WorkerEnded":
      return { ...run, isKnown: true, judged: briefly(record.verdict) }
    case "WorkerNotStarted":
      return { ...run, ended: `could not be started: ${record.reason}` }
    case "RestartAsked":
      return { ...run, isKnown: true, asked: record.reason }
    case "CommandTaken":
      return record.command === "restart" ? { ...run, isKnown: true, asked: "restart command" } : run
    case "WorkerStopped":
    case "GaveUp":
      return { ...run, isAtRest: true }
    default:
      return run
  }
}

/**
 * The restarts, the oldest first. The first start in a run of the daemon is no restart, nor is a start of a stopped or
 * failed worker unless a user or the daemon requested a restart.
 */
export const restartsIn = (records: ReadonlyArray<HistoryRecord>): ReadonlyArray<Restart> => {
  const runs = new Map<string, RunFacts>()
  const restarts: Array<Restart> = []
  for (const record of records) {
    const project = projectOf(record)
    if (project === undefined) continue
    const key = `${record.daemon} ${project}`
    const run = runs.get(key) ?? unknown
    if (record._tag === "WorkerStarted" && run.isKnown && (!run.isAtRest || run.asked !== undefined)) {
      restarts.push({
        at: record.at,
        project,
        cause: run.judged ?? run.asked ?? run.ended ?? "unknown cause"
      })
    }
    runs.set(key, next(run, record))
  }
  return restarts
}

/** The number of restarts with one cause. */
export interface CauseCount {
  readonly cause: string
  readonly restarts: number
}

/** The causes, the most frequent first. */
export const causesOf = (restarts: ReadonlyArray<Restart>): ReadonlyArray<CauseCount> => {
  const counts = new Map<string, number>()
  for (const { cause } of restarts) counts.set(cause, (counts.get(cause) ?? 0) + 1)
  return [...counts]
    .map(([cause, count]) => ({ cause, restarts: count }))
    .toSorted((a, b) => b.restarts - a.restarts)
}

/** The restarts of one project on one day. */
interface RestartsOfDay {
  /** The local date: `2026-11-20`. */
  readonly day: string
  readonly project: ProjectName
  readonly restarts: number
  readonly causes: ReadonlyArray<CauseCount>
}

/** The restarts by project and day, the newest day first. */
export const restartsByDay = (restarts: ReadonlyArray<Restart>, zone: Zone): ReadonlyArray<RestartsOfDay> => {
  const groups = new Map<string, Array<Restart>>()
  for (const restart of restarts) {
    const key = `${localDay(restart.at, zone)} ${restart.project}`
    groups.set(key, [...(groups.get(key) ?? []), restart])
  }
  return [...groups]
    .flatMap(([key, own]) => {
      const project = own[0]?.project
      return project === undefined
        ? []
        : [{ day: key.slice(0, 10), project, restarts: own.length, causes: causesOf(own) }]
    })
    .toSorted((a, b) => (a.day === b.day ? (a.project < b.project ? -1 : 1) : a.day < b.day ? 1 : -1))
}
