import type { DaemonEvent } from "../history/DaemonEvent.ts"
import type { HistoryRecord } from "../history/HistoryRecord.ts"
import type { Followed } from "../relay/Followed.ts"
import type { Zone } from "../text/LocalTime.ts"
import { openEnded } from "../text/TextLayout.ts"
import {
  daemonStep,
  type News,
  type Outcome,
  recovered,
  remembered,
  trouble,
  unreachable
} from "./DaemonNews.ts"
import { mostSaid, type Notification, said, urgencyOf } from "./Notification.ts"
import { noNews, type ProjectEvent, projectStep } from "./ProjectNews.ts"
import { naming, subjectOf, type Told } from "./ProjectTexts.ts"

/** One item of news: something to tell, or that a user has acted, who needs to be told nothing of what was before. */
export type NewsItem =
  | { readonly _tag: "Tell"; readonly notification: Notification }
  | { readonly _tag: "Acted"; readonly project: string }

/** All projects of a login wait for one limit: the first tells it. */
const onProject = (news: News, event: ProjectEvent, nowMs: number, zone: Zone): Outcome => {
  const [project, told] = projectStep(news.projects[event.project] ?? noNews, event, { nowMs, zone })
  const next = { ...news, projects: { ...news.projects, [event.project]: project } }
  const untilMs = told[0]?.limitUntilMs
  if (untilMs === undefined) return [next, told]
  const minute = Math.round(untilMs / 60_000)
  return [
    { ...next, limits: remembered(news.limits, minute) },
    news.limits.some((known) => Math.abs(known - minute) <= 1) ? [] : told
  ]
}

/** A project that failed while nobody followed, and whose event is lost. */
const onConnected = (news: News, { projects: { projects } }: Extract<Followed, { _tag: "Connected" }>) => {
  const failed = projects.filter(
    ({ name, worker_status }) => worker_status === "failed" && news.projects[name]?.isFailed !== true
  )
  const known = failed.map(
    ({ name }) => [name, { ...(news.projects[name] ?? noNews), isFailed: true }] as const
  )
  const told = failed.map(({ name, reason = "its reason is not known" }) => ({
    project: name,
    told: {
      kind: "failed" as const,
      title: `${subjectOf(name)} has failed`,
      lines: [
        `The worker is down and needs you: ${openEnded(said(reason))}.`,
        ...(reason.length <= mostSaid && reason.includes("start-worker")
          ? []
          : ["Fix the cause, then run: autopilotd start-worker"])
      ]
    }
  }))
  return [{ ...news, projects: { ...news.projects, ...Object.fromEntries(known) } }, told] as const
}

/** What a notification is about. */
interface Subject {
  readonly id: string
  readonly atMs: number
  readonly project?: string | undefined
}

const notification = (told: Told, { atMs, id, project }: Subject): NewsItem => {
  const { kind, lines, title, verdict } = told
  const named = project === undefined ? lines : naming(project, lines)
  return {
    _tag: "Tell",
    notification: {
      id,
      kind,
      ...(project === undefined ? {} : { project }),
      urgency: kind === "memory" && title.endsWith("again") ? "low" : urgencyOf[kind],
      title,
      text: named.join("\n"),
      atMs,
      count: 1,
      ...(verdict === undefined ? {} : { verdict })
    }
  }
}

const isOfProject = (event: DaemonEvent): event is ProjectEvent => "project" in event

const onEvent = (news: News, record: HistoryRecord, zone: Zone): readonly [News, ReadonlyArray<NewsItem>] => {
  const { at, daemon, seq } = record
  const [next, told] = isOfProject(record)
    ? onProject(news, record, at, zone)
    : daemonStep(news, record, at, zone)
  const place = { atMs: at, project: isOfProject(record) ? record.project : undefined }
  const items = told.map((one, n) =>
    notification(one, { ...place, id: `${daemon}-${seq}${n === 0 ? "" : `-${n}`}` })
  )
  return [
    next,
    record._tag === "CommandTaken" ? [{ _tag: "Acted", project: record.project }, ...items] : items
  ]
}

/** What is told about what the relay has learnt. */
export const newsStep = (
  news: News,
  followed: Followed,
  zone: Zone
): readonly [news: News, items: ReadonlyArray<NewsItem>] => {
  const one = (told: Told, id: string, atMs: number) => notification(told, { id, atMs })
  switch (followed._tag) {
    case "Event":
      return onEvent(news, followed.record, zone)
    case "Connected": {
      const { atMs, daemon } = followed
      const [reached, again] = recovered(
        news,
        unreachable,
        "autopilotd can be reached again",
        "What happened meanwhile has been told, as far as its history has it."
      )
      const [next, told] = onConnected(reached, followed)
      return [
        next,
        [
          ...again.map((each) => one(each, `reached-${atMs}`, atMs)),
          ...told.map(({ project, told: failed }) =>
            notification(failed, { id: `${daemon}-failed-${project}`, atMs, project })
          )
        ]
      ]
    }
    case "Unreachable": {
      const [next, told] = trouble(news, unreachable, "autopilotd cannot be reached", [
        said(followed.reason),
        "Its workers may be running. What happens meanwhile is told when it can be reached again."
      ])
      return [next, told.map((each) => one(each, `unreachable-${followed.atMs}`, followed.atMs))]
    }
    case "Missed": {
      const [next, told] = trouble(news, "missed", "Events of autopilotd were missed", [
        "The history does not have all events since the last notification.",
        "See what the workers do: autopilotd projects"
      ])
      return [next, told.map((each) => one(each, `missed-${followed.atMs}`, followed.atMs))]
    }
    case "Vanished":
      return [
        { ...news, hasVanished: true },
        news.hasVanished
          ? []
          : [
              one(
                {
                  kind: "daemon",
                  title: "autopilotd has vanished",
                  lines: [
                    "The daemon ended without stopping its workers: it was killed, by a user, a program or the kernel.",
                    "Nobody watches the workers until it runs again. Unless systemd starts it, run: autopilotd start --detach --keep-state"
                  ]
                },
                `vanished-${followed.atMs}`,
                followed.atMs
              )
            ]
      ]
    case "Ended":
      return [news, []]
  }
}
