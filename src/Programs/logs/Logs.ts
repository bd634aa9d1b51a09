import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { timeRange } from "../../Domain/cli/SinceInstant.ts"
import { UsageError } from "../../Domain/cli/UsageError.ts"
import type { LogFilter } from "../../Domain/logs/LogFilter.ts"
import { namePrefixes } from "../../Domain/logs/LogPrefix.ts"
import {
  daemonLineData,
  daemonTerminalLine,
  lineData,
  shownText,
  terminalLine,
  unchangedText
} from "../../Domain/logs/LogText.ts"
import { timestamp } from "../../Domain/output/StoredLine.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import { searchPattern } from "../../Domain/text/SearchPattern.ts"
import { loggedProjects, logSources, unreadable } from "../../Layers/logs/LogSources.ts"
import { type LogLines, mergedLogs } from "../../Layers/logs/MergedLogs.ts"
import { SearchTooLong } from "../../Layers/logs/SearchLimit.ts"
import { nodeZone } from "../../Layers/machine/ProcessZone.ts"
import { jsonLine } from "../TwinKeys.ts"

/** There is no log, or none of the named project. */
class NoLog extends Error {
  readonly _tag = "NoLog"
}

type LogsFailure = NoLog | UsageError | SearchTooLong | ReturnType<typeof unreadable>

/** What `logs` needs of the road that it is on. */
interface LogsWorld {
  readonly logDir: string
  /** Standard output is a terminal. */
  readonly isTerminal: boolean
  /** That terminal shows colours. */
  readonly colour: boolean
  /** Writes a part of the answer. False when the reader is gone. */
  readonly write: (bytes: Buffer) => Promise<boolean>
  /** Writes a message on standard error. */
  readonly err: (text: string) => Promise<unknown>
  /** Ends a follower. */
  readonly signal?: AbortSignal
}

/** The number of lines without `-n` and `--since`. */
const defaultLines = 50

const misused = (problem: string) => new UsageError({ problem, help: "autopilotd logs --help" })

const asText = (line: string): string => Buffer.from(line, "latin1").toString("utf8")

/** How lines are shown: as JSON, in words, or unchanged. */
type Form = "json" | "words" | "unchanged"

const filterOf = ({ options }: Invocation, form: Form): LogFilter | UsageError => {
  // The stamps of the log are in the zone that Node takes for local.
  const range = timeRange(options, Date.now(), nodeZone)
  if (typeof range === "string") return misused(range)
  const { sinceMs: since, untilMs: until } = range
  const pattern = options.grep === undefined ? undefined : searchPattern(options.grep)
  const searched = options.raw === true ? unchangedText : shownText
  const isWanted = (line: string): boolean => {
    const text = searched(asText(line))
    return text !== undefined && (pattern === undefined || pattern.test(text))
  }
  return {
    ...(since === undefined ? {} : { since: timestamp(new Date(since)) }),
    ...(until === undefined ? {} : { until: timestamp(new Date(until)) }),
    // In words, a line that shows nothing does not count.
    ...(pattern === undefined && form !== "words" ? {} : { isWanted }),
    ...(options.stderr === true ? { onlyErrors: true } : {})
  }
}

/** The projects that the command line names; undefined for all. */
const namedIn = ({ args, options: { project } }: Invocation): ReadonlyArray<ProjectName> | undefined =>
  project === undefined ? args.names : [project]

/** The projects whose logs are shown. Without any, a follower says that it waits, and anything else fails. */
const chosen = async (
  invocation: Invocation,
  { err, logDir }: LogsWorld
): Promise<ReadonlyArray<ProjectName> | NoLog> => {
  const { daemon, follow } = invocation.options
  const known = await loggedProjects(logDir)
  const named = namedIn(invocation)
  const unknown = named?.find((name) => !known.includes(name))
  if (unknown === undefined && (daemon === true || known.length > 0)) return named ?? known
  const others = known.length === 0 ? "" : ` There are logs of: ${known.join(", ")}.`
  const message =
    unknown === undefined
      ? `There are no logs of workers in ${logDir} yet.`
      : `No worker of project "${unknown}" has left a log yet.${others}`
  if (follow !== true) return new NoLog(message)
  await err(`autopilotd: ${message} Waiting for one; Ctrl-C ends.\n`)
  return named ?? known
}

const wordsOf = (line: string, project: ProjectName | undefined, colour: boolean): string | undefined =>
  project === undefined ? daemonTerminalLine(line, { colour }) : terminalLine(line, { colour })

/** Makes the bytes of lines that follow each other in one log. */
const rendering =
  (form: Form, prefixes: ReturnType<typeof namePrefixes>, { colour }: LogsWorld) =>
  ({ lines, project: name }: LogLines): Buffer => {
    if (form === "json") {
      const data = (line: string) => (name === undefined ? daemonLineData(line) : lineData(line, name))
      return Buffer.from(lines.map((line) => jsonLine(data(asText(line)))).join(""))
    }
    const prefix = prefixes(name)
    if (form === "unchanged") {
      const before = Buffer.from(prefix).toString("latin1")
      return Buffer.from(`${before}${lines.join(`\n${before}`)}\n`, "latin1")
    }
    const shown = lines.flatMap((line) => wordsOf(asText(line), name, colour) ?? [])
    return Buffer.from(
      shown
        .map((each) => `${prefix}${prefix === "" ? each : each.replaceAll("\n", `\n${prefix}`)}\n`)
        .join("")
    )
  }

/**
 * `autopilotd logs`: shows the output of workers, with or without a daemon, until the end or until its reader has read
 * enough. Returns what went wrong. Plain code: both roads run it, and it starts in a tenth of the time that Effect takes.
 */
export const showLogs = async (
  invocation: Invocation,
  world: LogsWorld
): Promise<LogsFailure | undefined> => {
  const { colour, isTerminal, logDir, signal, write } = world
  const { daemon = false, follow = false, json, lines: count, raw, since, text } = invocation.options
  if (raw === true && text === true) return misused("logs takes --raw or --text, not both.")
  if (follow && invocation.options.until !== undefined)
    return misused("logs takes --follow or --until, not both.")
  const inWords = raw !== true && (isTerminal || text === true)
  const form: Form = json === true ? "json" : inWords ? "words" : "unchanged"
  const filter = filterOf(invocation, form)
  if (filter instanceof UsageError) return filter
  const projects = await chosen(invocation, world)
  if (projects instanceof NoLog) return projects
  const render = rendering(form, namePrefixes(projects, daemon, colour), world)
  const last = count ?? (since === undefined ? defaultLines : undefined)
  const choice = { projects: namedIn(invocation) ?? "all", daemon } as const
  const logs = mergedLogs(() => logSources(logDir, choice), { ...filter, last, follow })
  try {
    for (let found = await logs.next(); found !== undefined; found = await logs.next()) {
      if (signal?.aborted === true) return undefined
      for (const some of found) {
        if (some.lines.length > 0 && !(await write(render(some)))) return undefined
      }
    }
    return undefined
  } catch (cause) {
    return cause instanceof SearchTooLong ? cause : unreadable(logDir, cause)
  } finally {
    await logs.close()
  }
}
