import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Stream from "effect/Stream"
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
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import { LogFiles } from "../../Layers/logs/LogFiles.ts"
import { nodeZone } from "../../Layers/machine/ProcessZone.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"
import { jsonLine } from "../Answer.ts"

/** There is no log, or none of the named project. */
class NoLog extends Data.TaggedError("NoLog")<{ readonly message: string }> {}

/** The number of lines without `-n` and `--since`. */
const defaultLines = 50

const help = "autopilotd logs --help"

const asText = (line: string): string => Buffer.from(line, "latin1").toString("utf8")

/** How lines are shown: as JSON, in words, or unchanged. */
type Form = "json" | "words" | "unchanged"

const filterOf = Effect.fnUntraced(function* ({ options }: Invocation, form: Form) {
  const nowMs = yield* Clock.currentTimeMillis
  // The stamps of the log are in the zone that Node takes for local.
  const { sinceMs: since, untilMs: until } = yield* Either.mapLeft(
    timeRange(options, nowMs, nodeZone),
    (problem) => new UsageError({ problem, help })
  )
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
  } satisfies LogFilter
})

/** The projects that the command line names; undefined for all. */
const namedIn = ({ args, options: { project } }: Invocation): ReadonlyArray<ProjectName> | undefined =>
  project === undefined ? args.names : [project]

/** The projects whose logs are shown. Without any, a follower says that it waits, and anything else fails. */
const chosen = Effect.fnUntraced(function* (invocation: Invocation) {
  const { daemon, follow } = invocation.options
  const { logDir } = yield* AutopilotHome
  const { err } = yield* CommandOutput
  const known = yield* (yield* LogFiles).projects
  const named = namedIn(invocation)
  const unknown = named?.find((name) => !known.includes(name))
  if (unknown === undefined && (daemon === true || known.length > 0)) return named ?? known
  const others = known.length === 0 ? "" : ` There are logs of: ${known.join(", ")}.`
  const message =
    unknown === undefined
      ? `There are no logs of workers in ${logDir} yet.`
      : `No worker of project "${unknown}" has left a log yet.${others}`
  if (follow !== true) return yield* new NoLog({ message })
  yield* err(`autopilotd: ${message} Waiting for one; Ctrl-C ends.\n`)
  return named ?? known
})

const wordsOf = (line: string, project: ProjectName | undefined, colour: boolean): string | undefined =>
  project === undefined ? daemonTerminalLine(line, { colour }) : terminalLine(line, { colour })

/** `autopilotd logs`: shows the output of workers, with or without a daemon. */
export const logs = Effect.fnUntraced(function* (invocation: Invocation) {
  const { daemon = false, follow = false, json, lines: count, raw, since, text } = invocation.options
  if (raw === true && text === true)
    return yield* Effect.fail(new UsageError({ problem: "logs takes --raw or --text, not both.", help }))
  if (follow && invocation.options.until !== undefined)
    return yield* Effect.fail(new UsageError({ problem: "logs takes --follow or --until, not both.", help }))
  const files = yield* LogFiles
  const { colour, isTerminal, part } = yield* CommandOutput
  const form: Form =
    json === true ? "json" : raw !== true && (isTerminal || text === true) ? "words" : "unchanged"
  const filter = yield* filterOf(invocation, form)
  const prefixes = namePrefixes(yield* chosen(invocation), daemon, colour)

  const written = (lines: ReadonlyArray<string>, name: ProjectName | undefined): Buffer => {
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

  const last = count ?? (since === undefined ? defaultLines : undefined)
  yield* files.read({ projects: namedIn(invocation) ?? "all", daemon }, { ...filter, last, follow }).pipe(
    Stream.filter(({ lines }) => lines.length > 0),
    Stream.runForEach(({ lines, project: name }) => part(written(lines, name))),
    // A reader that closes its pipe has read enough.
    Effect.catchTag("ReaderGone", () => Effect.void)
  )
})
