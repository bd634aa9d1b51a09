import * as Schema from "effect/Schema"
import { perhaps } from "../Wire.ts"

/** What an agent has used. `isExact` is false where a part of the cost is an estimate. */
const Used = { usd: Schema.Number, turns: Schema.Int, isExact: Schema.Boolean }

/** The run that goes on, or the last one. */
const Run = Schema.Struct({
  /** The use of this run, by its output so far. The sums of the work include it. */
  ...Used,
  start: Schema.Literal("plain", "fresh", "resumed")
})

/**
 * The work of an agent across its runs, as the state file of the project keeps it: its session, and what it has used.
 * Crashes, restarts and commands of a user continue a work; a start after it has finished begins another one.
 */
export const WorkRecord = Schema.Struct({
  usd: Schema.Number,
  turns: Schema.Int,
  /** Whether the cost of the runs before the present one is known exactly. */
  isExact: Schema.Boolean,
  /** The spending of the last day with an answer, from midnight to midnight in the daemon's time zone. */
  day: perhaps(Schema.Struct({ date: Schema.String, usd: Schema.Number })),
  /** The session that the next run continues. */
  session: perhaps(Schema.String),
  /** What the session is to do: another prompt does not continue it. */
  task: perhaps(Schema.Int),
  /** Runs in a row that continued the session without a finished answer. */
  resumes: Schema.NonNegativeInt,
  /** Runs in a row without a finished answer. */
  fruitless: Schema.NonNegativeInt,
  /** The limits of spending of which the daemon has warned. */
  warned: Schema.Array(Schema.String),
  /** The agent has finished: its next run begins another work. */
  isFinished: Schema.Boolean,
  run: perhaps(Run)
})
export type WorkRecord = typeof WorkRecord.Type

/** The work before its first run. */
export const noWork: WorkRecord = {
  usd: 0,
  isExact: true,
  turns: 0,
  resumes: 0,
  fruitless: 0,
  warned: [],
  isFinished: false
}

/** Another work. The day's spending goes on. */
export const anotherWork = ({ day }: WorkRecord): WorkRecord => ({ ...noWork, ...(day && { day }) })

/** The work after a user has started its agent: the runs before do not count against the next ones. */
export const withFreshChances = (work: WorkRecord): WorkRecord =>
  work.fruitless === 0 ? work : { ...work, fruitless: 0 }

/** Whether no part of the cost is an estimate. */
export const isCostExact = ({ isExact, run }: WorkRecord): boolean => isExact && (run?.isExact ?? true)

/** The spending of a day (`2026-11-29`). */
export const spentOn = ({ day }: WorkRecord, date: string): number => (day?.date === date ? day.usd : 0)

const mostUsd = 1e9
const mostRuns = 1e9

/** Whether a daemon may have written these values. */
export const isBelievableWork = ({ day, fruitless, resumes, run, turns, usd }: WorkRecord): boolean =>
  [usd, day?.usd ?? 0, run?.usd ?? 0].every((amount) => amount >= 0 && amount <= mostUsd) &&
  [turns, fruitless, resumes, run?.turns ?? 0].every((count) => count >= 0 && count <= mostRuns)
