import * as Schema from "effect/Schema"
import { type ProjectName, unnamed } from "../Project.ts"
import type { NotifyKind } from "../settings/NotifySettings.ts"
import { withProject } from "../status/ProjectOption.ts"
import { humanDuration } from "../text/Amounts.ts"
import { spokenTime, type Zone } from "../text/LocalTime.ts"
import { openEnded } from "../text/TextLayout.ts"
import { adviceFor, describeVerdict, Verdict, type VerdictKind } from "../verdict/ExitVerdict.ts"
import { perhaps } from "../Wire.ts"
import { mostSaid, said } from "./Notification.ts"

/** The last end of a worker, until it is known what the daemon makes of it. */
export const Ended = Schema.Struct({
  verdict: Verdict,
  /** Absent for a worker that has not been started. */
  uptimeMs: perhaps(Schema.Number),
  /** The agent has only refused a session, and starts again without it. */
  isDropped: Schema.Boolean
})
export type Ended = typeof Ended.Type

/** A notification before it has an id and a time. */
export interface Told {
  readonly kind: NotifyKind
  readonly title: string
  /** What happened, what comes next, what to do. */
  readonly lines: ReadonlyArray<string>
  readonly verdict?: VerdictKind
  /** The end of the usage limit that it is about. */
  readonly limitUntilMs?: number
}

/** When an event is told, and in which zone. */
export interface Moment {
  /** The time of the event in milliseconds since 1970. */
  readonly nowMs: number
  readonly zone: Zone
}

/** The name of a project at the beginning of a title. */
export const subjectOf = (project: string): string => (project === unnamed ? "The worker" : project)

/** The commands of a text name the project. */
export const naming = (project: string, lines: ReadonlyArray<string>): ReadonlyArray<string> =>
  lines.map((line) => withProject(line, project === unnamed ? "" : ` --project ${project}`))

const verdictOf = (ended: Ended | undefined) => (ended === undefined ? {} : { verdict: ended.verdict.kind })

export const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`

export const sentence = (text: string): string => `${openEnded(text)}.`

export const endOf = ({ uptimeMs, verdict }: Ended): string =>
  uptimeMs === undefined
    ? sentence(`It ${said(describeVerdict(verdict))}`)
    : sentence(`The run ended after ${humanDuration(uptimeMs)}: ${said(describeVerdict(verdict))}`)

export const crashed = (project: ProjectName, ended: Ended, next: string): Told => {
  const advice = adviceFor(ended.verdict)
  return {
    kind: "crash",
    title: `${subjectOf(project)} has ${ended.verdict.kind === "not-started" ? "not been started" : "crashed"}`,
    lines: [endOf(ended), next, ...(advice === undefined ? [] : [sentence(advice)])],
    verdict: ended.verdict.kind
  }
}

const start = "Fix the cause, then run: autopilotd start-worker"

/** The cause of a stop, and what helps, which may stand in the reason behind words of the worker that are cut. */
const causeOf = (reason: string, verdict: Verdict | undefined): readonly [cause: string, steps: string] => {
  const why = verdict === undefined ? undefined : describeVerdict(verdict)
  if (why !== undefined && reason.startsWith(`${why}. `)) return [why, reason.slice(why.length + 2)]
  const advice = verdict === undefined ? undefined : adviceFor(verdict)
  return [reason, advice !== undefined && advice.includes("start-worker") ? advice : start]
}

export const personNeeded = (project: ProjectName, reason: string, ended: Ended | undefined): Told => {
  const [cause, steps] = causeOf(reason, ended?.verdict)
  const isWhole = cause.length <= mostSaid && cause.includes("start-worker")
  return {
    kind: "failed",
    title: `${subjectOf(project)} ${ended?.verdict.kind === "budget" ? "has used up its budget" : "has failed"}`,
    lines: [
      sentence(`The worker is down and needs you: ${said(cause)}`),
      ...(isWhole ? [] : [sentence(said(steps, mostSaid * 2))])
    ],
    ...verdictOf(ended)
  }
}

export const gaveUp = (
  project: ProjectName,
  failures: number,
  reason: string,
  ended: Ended | undefined
): Told => {
  const advice = ended === undefined ? undefined : adviceFor(ended.verdict)
  return {
    kind: "failed",
    title: `${subjectOf(project)} has failed`,
    lines: [
      sentence(`The daemon gave up after ${failures} failures in a row, the last: ${said(reason)}`),
      ...(advice === undefined || advice.includes("start-worker") ? [] : [sentence(advice)]),
      sentence(start)
    ],
    ...verdictOf(ended)
  }
}

export const waits = (
  project: ProjectName,
  why: string,
  untilMs: number | null,
  { nowMs, zone }: Moment
): Told => ({
  kind: "limit",
  title: `${subjectOf(project)} waits for its usage limit`,
  lines: [
    sentence(`The worker ${said(why)}`),
    untilMs === null
      ? "The daemon goes on by itself when the limit is lifted."
      : sentence(
          `The daemon goes on by itself at ${spokenTime(untilMs, nowMs, zone)} (in ${humanDuration(Math.max(0, untilMs - nowMs))})`
        )
  ],
  verdict: "usage-limit",
  ...(untilMs === null ? {} : { limitUntilMs: untilMs })
})
