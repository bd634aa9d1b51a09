import * as Schema from "effect/Schema"
import { type DaemonEvent, describeEvent } from "../history/DaemonEvent.ts"
import { counted, humanBytes, humanDuration } from "../text/Amounts.ts"
import { spokenTime, type Zone } from "../text/LocalTime.ts"
import { openEnded } from "../text/TextLayout.ts"
import { perhaps } from "../Wire.ts"
import { said } from "./Notification.ts"
import { ProjectNews } from "./ProjectNews.ts"
import type { Told } from "./ProjectTexts.ts"

/** A shortage of memory that has been told. */
const Shortage = Schema.Struct({
  sinceMs: Schema.Number,
  /** The processes that the daemon has killed, the first ones by name. */
  killed: Schema.Int,
  names: Schema.Array(Schema.String),
  /** A notification has said that memory is critical. */
  isCritical: Schema.Boolean
})

/** What is known from the events so far, and what has been told. */
export const News = Schema.Struct({
  projects: Schema.Record({ key: Schema.String, value: ProjectNews }),
  shortage: perhaps(Shortage),
  /** The ends of the limits that have been told, to the minute. */
  limits: Schema.Array(Schema.Number),
  /** What is wrong with the daemon and has been told. */
  troubles: Schema.Array(Schema.String),
  /** A notification has said that the daemon vanished. The history of its successor says so again. */
  hasVanished: Schema.Boolean
})
export type News = typeof News.Type

export const nothingTold: News = { projects: {}, limits: [], troubles: [], hasVanished: false }

/** What is known next, and what is told. */
export type Outcome = readonly [news: News, told: ReadonlyArray<Told>]

const mostLimits = 20

/** The last ones, this one included. */
export const remembered = <A>(all: ReadonlyArray<A>, one: A): ReadonlyArray<A> =>
  [...all.filter((other) => other !== one), one].slice(-mostLimits)

/** The trouble that nothing is known of the daemon. */
export const unreachable = "unreachable"

/** Tells what is wrong with the daemon, once until it recovers. */
export const trouble = (news: News, name: string, title: string, lines: ReadonlyArray<string>): Outcome =>
  news.troubles.includes(name)
    ? [news, []]
    : [{ ...news, troubles: remembered(news.troubles, name) }, [{ kind: "daemon", title, lines }]]

/** Tells that what was wrong is over, where it has been told. */
export const recovered = (news: News, name: string, title: string, line: string): Outcome =>
  news.troubles.includes(name)
    ? [
        { ...news, troubles: news.troubles.filter((one) => one !== name) },
        [{ kind: "recovered", title, lines: [line] }]
      ]
    : [news, []]

const withoutShortage = ({ shortage: _over, ...rest }: News): News => rest

const hogsLine = "List the memory users: autopilotd hogs"

const onMemory = (
  news: News,
  event: Extract<DaemonEvent, { _tag: "MemoryLevelChanged" | "HogSignalled" }>,
  nowMs: number
): Outcome => {
  const { shortage = { sinceMs: nowMs, killed: 0, names: [], isCritical: false } } = news
  if (event._tag === "HogSignalled") {
    if (event.dryRun || event.signal === "SIGKILL") return [news, []]
    const name = said(event.name, 40)
    const names = shortage.names.length < 5 ? [...shortage.names, name] : shortage.names
    const next = { ...news, shortage: { ...shortage, killed: shortage.killed + 1, names } }
    return [
      next,
      news.shortage !== undefined
        ? []
        : [
            {
              kind: "memory",
              title: `${name} was killed to free memory`,
              lines: [
                `It held ${humanBytes(event.heldBytes)}: ${said(event.reason)}.`,
                `${humanBytes(event.figures.availableBytes)} of ${humanBytes(event.figures.totalBytes)} were available.`,
                hogsLine
              ]
            }
          ]
    ]
  }
  if (event.level === "critical")
    return [
      { ...news, shortage: { ...shortage, isCritical: true } },
      shortage.isCritical
        ? []
        : [
            {
              kind: "memory",
              title: "Memory is critical",
              lines: [`${openEnded(describeEvent(event).text)}.`, hogsLine]
            }
          ]
    ]
  if (event.level !== "plentiful" || news.shortage === undefined) return [news, []]
  const killed = shortage.killed === 0 ? "nothing" : counted(shortage.killed, "process", "processes")
  const more = shortage.killed > shortage.names.length ? ", and more" : ""
  const names = shortage.names.length === 0 ? "" : `: ${shortage.names.join(", ")}${more}`
  return [
    withoutShortage(news),
    [
      {
        kind: "memory",
        title: "Memory is plentiful again",
        lines: [
          `The shortage lasted ${humanDuration(nowMs - shortage.sinceMs)}; the daemon killed ${killed}${names}.`
        ]
      }
    ]
  ]
}

const whyLine = "Look at what it did: autopilotd history"

/** What a user is told about an event of the daemon or of the machine. */
export const daemonStep = (news: News, event: DaemonEvent, nowMs: number, zone: Zone): Outcome => {
  switch (event._tag) {
    case "MemoryLevelChanged":
    case "HogSignalled":
      return onMemory(news, event, nowMs)
    case "DaemonStarted":
      // Its predecessor can tell of no end any more. That the daemon is reached again, the relay itself tells.
      return [
        withoutShortage({ ...news, troubles: news.troubles.filter((name) => name === unreachable) }),
        []
      ]
    case "DaemonVanished": {
      const line = `${openEnded(describeEvent(event).text)}.`
      const next = { ...news, hasVanished: false }
      return news.hasVanished
        ? [next, [{ kind: "recovered", title: "autopilotd runs again", lines: [line] }]]
        : [
            next,
            [
              {
                kind: "daemon",
                title: event.withMachine ? "The machine went down" : "autopilotd was killed",
                lines: [
                  line,
                  `Its last sign of life is of ${spokenTime(event.lastSignMs, nowMs, zone)}. autopilotd runs again, with its workers.`
                ]
              }
            ]
          ]
    }
    case "DaemonStopping":
      return event.isBug === true
        ? trouble(news, "bug", "autopilotd stops because of a bug", [
            `${openEnded(said(event.by))}.`,
            "Start it again: autopilotd start --detach"
          ])
        : [news, []]
    case "ConcernBeyondHelp":
      return trouble(news, "bug", "autopilotd stops because of a bug", [
        `${openEnded(said(describeEvent(event).text))}.`,
        "Start it again: autopilotd start --detach"
      ])
    case "ConcernFailed":
      return trouble(news, `concern ${event.name}`, "A part of autopilotd has failed", [
        `${openEnded(said(describeEvent(event).text))}.`,
        "Its workers keep running. See `autopilotd status`."
      ])
    case "ConcernRecovered":
      return recovered(
        news,
        `concern ${event.name}`,
        "autopilotd works again",
        `${describeEvent(event).text}.`
      )
    case "EventsLost":
      return trouble(news, "events", "Events of autopilotd are missing", [
        `${openEnded(said(describeEvent(event).text))}.`,
        "Check the disk: autopilotd doctor"
      ])
    case "DaemonStopped":
      return event.leftBehind.length === 0
        ? [news, []]
        : trouble(news, "left", "autopilotd has left processes behind", [
            `${openEnded(said(describeEvent(event).text))}.`,
            whyLine
          ])
    default:
      return [news, []]
  }
}
