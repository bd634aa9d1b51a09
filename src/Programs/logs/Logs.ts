import * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type { Invocation } from "../../Domain/cli/CommandLine.ts"
import { sinceMs } from "../../Domain/cli/SinceInstant.ts"
import { UsageError } from "../../Domain/cli/UsageError.ts"
import type { LogFilter } from "../../Domain/logs/LogFilter.ts"
import { jsonLine, terminalLine } from "../../Domain/logs/LogText.ts"
import { timestamp } from "../../Domain/output/StoredLine.ts"
import { ProjectName } from "../../Domain/Project.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { AutopilotHome } from "../../Layers/daemon/AutopilotHome.ts"
import { readTextFile } from "../../Layers/files/TextFile.ts"
import { LogFiles } from "../../Layers/logs/LogFiles.ts"
import { CommandOutput } from "../../Layers/output/CommandOutput.ts"

/** There is no log, or several and none is named. */
class NoLog extends Data.TaggedError("NoLog")<{ readonly message: string }> {}

/** The number of lines without `-n` and `--since`. */
const defaultLines = 50

const isName = Schema.is(ProjectName)

/** The named project, or the selected one by the daemon or its last selection, or the only one with a log. */
export const chosenProject = Effect.fnUntraced(function* (named: ProjectName | undefined) {
  if (named !== undefined) return named
  const { request } = yield* ControlClient
  const status = yield* Effect.option(request({ type: "Status" }))
  const current = Option.getOrUndefined(status)?.data?.project
  if (isName(current)) return current
  const { logDir, selectedFile } = yield* AutopilotHome
  const selected = (yield* Effect.option(readTextFile(selectedFile))).pipe(
    Option.map(({ text }) => text.trim()),
    Option.getOrUndefined
  )
  if (isName(selected)) return selected
  const [first, ...others] = yield* (yield* LogFiles).projects
  if (first === undefined)
    return yield* new NoLog({ message: `There are no logs of workers in ${logDir} yet.` })
  if (others.length === 0) return first
  return yield* new NoLog({
    message: `There are logs of several projects: ${[first, ...others].join(", ")}. Name one with --project.`
  })
})

/** The search compares bytes, whatever the encoding. */
const inBytes = (text: string): string => Buffer.from(text).toString("latin1")

const filterOf = Effect.fnUntraced(function* ({ options }: Invocation) {
  const nowMs = yield* Clock.currentTimeMillis
  const since =
    options.since === undefined
      ? undefined
      : yield* Effect.mapError(
          // The stamps of the log are in the zone that Node takes for local.
          sinceMs(options.since, nowMs, DateTime.zoneMakeLocal()),
          (problem) => new UsageError({ problem, help: "autopilotd logs --help" })
        )
  return {
    ...(since === undefined ? {} : { since: timestamp(new Date(since)) }),
    ...(options.grep === undefined ? {} : { text: inBytes(options.grep) }),
    ...(options.stderr === true ? { onlyErrors: true } : {})
  } satisfies LogFilter
})

const asText = (line: string): string => Buffer.from(line, "latin1").toString("utf8")

/** `autopilotd logs`: shows the output of a worker, with or without a daemon. */
export const logs = Effect.fnUntraced(function* (invocation: Invocation) {
  const { options } = invocation
  const files = yield* LogFiles
  const { colour, isTerminal, part } = yield* CommandOutput
  if (invocation.args.names !== undefined)
    return yield* new NoLog({ message: "logs shows one project at a time: name one." })
  const project = yield* chosenProject(options.project)
  const filter = yield* filterOf(invocation)
  const known = yield* files.projects
  if (!known.includes(project) && options.follow !== true) {
    const others = known.length === 0 ? "" : ` There are logs of: ${known.join(", ")}.`
    return yield* new NoLog({ message: `No worker of project "${project}" has left a log yet.${others}` })
  }

  const shown = (lines: ReadonlyArray<string>): Buffer => {
    const texts =
      options.json === true
        ? lines.map((line) => jsonLine(asText(line), project))
        : lines.flatMap((line) => terminalLine(asText(line), { colour }) ?? [])
    return Buffer.from(texts.map((text) => `${text}\n`).join(""))
  }
  const unchanged = (lines: ReadonlyArray<string>) => Buffer.from(`${lines.join("\n")}\n`, "latin1")
  const isPlain = options.json !== true && (options.raw === true || !isTerminal)

  const last = options.lines ?? (options.since === undefined ? defaultLines : undefined)
  yield* files.read(project, { ...filter, last, follow: options.follow === true }).pipe(
    Stream.filter((lines) => lines.length > 0),
    Stream.runForEach((lines) => part(isPlain ? unchanged(lines) : shown(lines))),
    // A reader that closes its pipe has read enough.
    Effect.catchTag("ReaderGone", () => Effect.void)
  )
})
