import type * as DateTime from "effect/DateTime"
import type { ProjectName } from "../Project.ts"
import { localDay } from "../text/LocalTime.ts"
import { describeExit } from "../tree/WorkerExit.ts"
import type { Verdict } from "../verdict/ExitVerdict.ts"
import { describeOomKill } from "../verdict/OomKill.ts"
import { projectOf } from "./DaemonEvent.ts"
import type { HistoryRecord } from "./HistoryRecord.ts"

/** A worker was started again in the same run of the daemon. */
export interface Restart {
  /** When it ran again, in milliseconds since 1970. */
  readonly at: number
  readonly project: ProjectName
  /** Why, in a few words. */
  readonly cause: string
}

/** What has happened to one project's worker since it was started last. */
interface Life {
  /** It has been started before. */
  readonly isKnown: boolean
  /** It is at rest: the next start is a first one. */
  readonly isAtRest: boolean
  /** Somebody, or the daemon, wanted it to be started again. */
  readonly asked: string | undefined
  /** How it ended by itself. */
  readonly ended: string | undefined
  /** What its end was judged to be, where that says more than that it was asked to end. */
  readonly judged: string | undefined
}

const unknown: Life = {
  isKnown: false,
  isAtRest: false,
  asked: undefined,
  ended: undefined,
  judged: undefined
}

/** A verdict in few words, the same for all ends of its kind. */
const briefly = (verdict: Verdict): string | undefined => {
  switch (verdict.kind) {
    case "crash":
      return `crash (${describeExit(verdict.exit)})`
    case "killed-by-us":
      return undefined
    default:
      return verdict.kind.replaceAll("-", " ")
  }
}

const next = (life: Life, record: HistoryRecord): Life => {
  switch (record._tag) {
    case "WorkerStarted":
      return { ...unknown, isKnown: true }
    case "WorkerExited": {
      const ended = record.oomKill === undefined ? describeExit(record.exit) : describeOomKill(record.oomKill)
      return { ...life, isKnown: true, ...(record.wasAsked ? {} : { ended }) }
    }
    case "WorkerEnded":
      return { ...life, isKnown: true, judged: briefly(record.verdict) }
    case "WorkerNotStarted":
      return { ...life, ended: `it could not be started: ${record.reason}` }
    case "RestartAsked":
      return { ...life, isKnown: true, asked: record.reason }
    case "CommandTaken":
      return record.command === "restart" ? { ...life, isKnown: true, asked: "asked by a person" } : life
    case "WorkerStopped":
    case "GaveUp":
      return { ...life, isAtRest: true }
    default:
      return life
  }
}

/**
 * The starts that were not the first of a run of the daemon, the oldest first, each with its cause. A start after a
 * rest is a first one again, unless somebody has asked for a restart.
 */
export const restartsIn = (records: ReadonlyArray<HistoryRecord>): ReadonlyArray<Restart> => {
  const lives = new Map<string, Life>()
  const restarts: Array<Restart> = []
  for (const record of records) {
    const project = projectOf(record)
    if (project === undefined) continue
    const key = `${record.daemon} ${project}`
    const life = lives.get(key) ?? unknown
    if (record._tag === "WorkerStarted" && life.isKnown && (!life.isAtRest || life.asked !== undefined)) {
      restarts.push({
        at: record.at,
        project,
        cause: life.judged ?? life.asked ?? life.ended ?? "for a reason that is not known"
      })
    }
    lives.set(key, next(life, record))
  }
  return restarts
}

/** How often one cause has led to a restart. */
export interface CauseCount {
  readonly cause: string
  readonly restarts: number
}

/** The causes, the commonest first. */
export const causesOf = (restarts: ReadonlyArray<Restart>): ReadonlyArray<CauseCount> => {
  const counts = new Map<string, number>()
  for (const { cause } of restarts) counts.set(cause, (counts.get(cause) ?? 0) + 1)
  return [...counts]
    .map(([cause, count]) => ({ cause, restarts: count }))
    .toSorted((a, b) => b.restarts - a.restarts)
}

/** The restarts of one project on one day. */
interface RestartsOfDay {
  /** On the calendar on the wall: `2026-11-20`. */
  readonly day: string
  readonly project: ProjectName
  readonly restarts: number
  readonly causes: ReadonlyArray<CauseCount>
}

/** The restarts of each project on each day on which there were some, the newest day first. */
export const restartsByDay = (
  restarts: ReadonlyArray<Restart>,
  zone: DateTime.TimeZone
): ReadonlyArray<RestartsOfDay> => {
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
