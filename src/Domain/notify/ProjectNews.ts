import * as Schema from "effect/Schema"
import { describeGuard } from "../guard/GuardEvent.ts"
import type { DaemonEvent } from "../history/DaemonEvent.ts"
import type { ProjectName } from "../Project.ts"
import { humanDuration } from "../text/Amounts.ts"
import type { Verdict, VerdictKind } from "../verdict/ExitVerdict.ts"
import { describeUsed, waysOn } from "../verdict/UsedLimit.ts"
import { perhaps } from "../Wire.ts"
import { mostSaid, said } from "./Notification.ts"
import {
  capital,
  crashed,
  Ended,
  endOf,
  gaveUp,
  type Moment,
  personNeeded,
  sentence,
  subjectOf,
  type Told,
  waits
} from "./ProjectTexts.ts"

/** What is known of a project, and what has been told about it. */
export const ProjectNews = Schema.Struct({
  ended: perhaps(Ended),
  /** A notification has said that the worker failed. None says so again before a user acts or the worker works. */
  isFailed: Schema.Boolean,
  /** A notification has said that the agent needs a person. */
  isBlocked: Schema.Boolean,
  /** A notification has said that the worker waits for a limit whose end is not known. */
  isLimited: Schema.Boolean
})
export type ProjectNews = typeof ProjectNews.Type

export const noNews: ProjectNews = { isFailed: false, isBlocked: false, isLimited: false }

type Outcome = readonly [news: ProjectNews, told: ReadonlyArray<Told>]

const notFailures: ReadonlySet<VerdictKind> = new Set<VerdictKind>([
  "done",
  "killed-by-us",
  "usage-limit",
  "overloaded",
  "budget"
])

/** An end that nobody asked for. A restart for memory is told as such. */
const isCrash = ({ isDropped, verdict }: Ended): boolean =>
  !isDropped && !notFailures.has(verdict.kind) && !(verdict.kind === "out-of-memory" && verdict.by === "ours")

/** A wait for the usage limit of the worker's own plan or of its login, by its sentence where no run has met it. */
const isLimit = (why: string, ended: Ended | undefined): boolean =>
  ended?.verdict.kind === "usage-limit" ||
  /\busage limit of (its|the same) login until|window of its login is used/.test(why)

/** The events of one project. */
export type ProjectEvent = Extract<DaemonEvent, { readonly project: ProjectName }>

/**
 * What a user is told about an event of a project. A crash is told when the daemon says what comes next, and nothing that
 * a user asked for is told.
 */
export const projectStep = (news: ProjectNews, event: ProjectEvent, moment: Moment): Outcome => {
  const { project } = event
  const { ended, ...rest } = news
  switch (event._tag) {
    case "CommandTaken":
    case "BudgetReset":
      return [noNews, []]
    case "WorkerStarted":
      return [
        { ...rest, isFailed: false, isBlocked: false },
        ended === undefined || !isCrash(ended)
          ? []
          : [crashed(project, ended, "The daemon has restarted it.")]
      ]
    case "WorkerSteady":
      return [
        { ...news, isLimited: false },
        [
          {
            kind: "recovered",
            title: `${subjectOf(project)} works again`,
            lines: [`The worker has run for ${humanDuration(event.afterMs)} without a failure.`]
          }
        ]
      ]
    case "WorkerEnded": {
      const { uptimeMs, verdict } = event
      const isLimited = news.isLimited && verdict.kind === "usage-limit"
      return [{ ...rest, isLimited, ended: { verdict, uptimeMs, isDropped: false } }, []]
    }
    case "WorkerNotStarted": {
      const verdict = { kind: "not-started", reason: event.reason } as const
      return [{ ...rest, ended: { verdict, isDropped: false } }, []]
    }
    case "SessionDropped":
      return ended === undefined ? [news, []] : [{ ...news, ended: { ...ended, isDropped: true } }, []]
    case "BackingOff": {
      const next = `This is failure ${event.failures} in a row; the next start is in ${humanDuration(event.delayMs)}.`
      const own = ended === undefined ? undefined : { ...ended, isDropped: false }
      return [rest, own === undefined || !isCrash(own) ? [] : [crashed(project, own, next)]]
    }
    case "Waiting": {
      const { untilMs, why } = event
      if (ended?.verdict.kind === "budget")
        return [
          rest,
          [
            {
              kind: "budget",
              title: `${subjectOf(project)} has used up a budget`,
              lines: [endOf(ended), sentence(said(why))],
              verdict: "budget"
            }
          ]
        ]
      if (isLimit(why, ended)) return limited(rest, project, why, ended?.verdict, untilMs, moment)
      return [
        rest,
        ended === undefined || !isCrash(ended)
          ? []
          : [crashed(project, ended, sentence(`The daemon waits before the next start: ${said(why)}`))]
      ]
    }
    case "AgentWaits":
      return event.on === "limit"
        ? limited(news, project, event.text, undefined, event.untilMs, moment)
        : [news, []]
    case "GaveUp":
      return [
        { ...rest, isFailed: true },
        news.isFailed ? [] : [gaveUp(project, event.failures, event.reason, ended)]
      ]
    case "PersonNeeded":
      return [{ ...rest, isFailed: true }, news.isFailed ? [] : [personNeeded(project, event.reason, ended)]]
    case "RemainsFound":
      return [
        { ...news, isFailed: true },
        news.isFailed
          ? []
          : [
              {
                kind: "failed",
                title: `${subjectOf(project)} cannot be started again`,
                lines: [
                  sentence(
                    `Processes of the last worker remain: ${said(event.why ?? `SIGKILL has not ended pid ${event.pids.join(", ")}`)}`
                  ),
                  "The daemon starts no new worker until they exit."
                ]
              }
            ]
      ]
    case "AgentBlocked":
      return [
        { ...news, isBlocked: true },
        news.isBlocked
          ? []
          : [
              {
                kind: "failed",
                title: `${subjectOf(project)} needs you`,
                lines: [
                  sentence(`Its agent is blocked on a person: it ${said(event.text)}`),
                  "Read its last output: autopilotd logs"
                ]
              }
            ]
      ]
    case "WorkerStopped":
      return [
        { ...rest, isLimited: false },
        ended?.verdict.kind === "done"
          ? [
              {
                kind: "done",
                title: `${subjectOf(project)} has finished`,
                lines: [endOf(ended), "Give it more work, then run: autopilotd start-worker"],
                verdict: "done"
              }
            ]
          : []
      ]
    case "BudgetNearlySpent":
      return [
        news,
        [
          {
            kind: "budget",
            title: `${subjectOf(project)} has spent 80 % of a budget`,
            lines: [
              sentence(`${capital(describeUsed(event.usage))}${event.isExact ? "" : ", by an estimate"}`),
              `The daemon stops it at 100 %. ${waysOn(event.usage.setting).split(", or ")[0] ?? ""}`
            ]
          }
        ]
      ]
    case "RestartedForMemory":
      return [
        news,
        event.dryRun
          ? []
          : [
              {
                kind: "memory",
                title: `${subjectOf(project)} was restarted to free memory`,
                lines: [
                  sentence(said(describeGuard(event).text, mostSaid * 2)),
                  "List the memory users: autopilotd hogs"
                ]
              }
            ]
      ]
    default:
      return [news, []]
  }
}

/** A limit is told once: while its end is not known, until the worker works again. */
const limited = (
  news: ProjectNews,
  project: ProjectName,
  why: string,
  verdict: Verdict | undefined,
  untilMs: number | null,
  moment: Moment
): Outcome => {
  const isKnown =
    verdict === undefined
      ? untilMs !== null
      : verdict.kind === "usage-limit" && verdict.resetAtMs !== undefined
  return [
    { ...news, isLimited: news.isLimited || !isKnown },
    news.isLimited && !isKnown ? [] : [waits(project, why, isKnown ? untilMs : null, moment)]
  ]
}
