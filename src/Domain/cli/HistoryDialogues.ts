import { projectOf } from "../history/DaemonEvent.ts"
import { explain } from "../history/Explain.ts"
import { type Explanation, explanationData, explanationText } from "../history/Explanation.ts"
import { eventCount, type HistoryQuestion, historyData, needed } from "../history/HistoryData.ts"
import type { HistoryQuery } from "../history/HistoryQuery.ts"
import type { HistoryRecord } from "../history/HistoryRecord.ts"
import { historyText } from "../history/HistoryText.ts"
import { byNeed } from "../history/Need.ts"
import type { ProjectName } from "../Project.ts"
import { isProjectName } from "../ProjectNameRules.ts"
import { counted } from "../text/Amounts.ts"
import type { Zone } from "../text/LocalTime.ts"
import { nothingAlive } from "../tree/UnservedHome.ts"
import type { Invocation } from "./CommandLine.ts"
import {
  ask,
  granted,
  type Outcome,
  type ReadingOf,
  type ReadStep,
  readHistory,
  refused,
  requireProject,
  type Step
} from "./Dialogue.ts"
import type { ReadingVerb } from "./QuickVerbs.ts"
import { timeRange } from "./SinceInstant.ts"
import { UsageError } from "./UsageError.ts"

const misused = (problem: string, verb: ReadingVerb): Outcome =>
  refused(new UsageError({ problem, help: `autopilotd ${verb} --help` }).message, "usage")

const told = (
  { options: { json } }: Invocation,
  { data, message }: { readonly data: object; readonly message: string },
  text: string
): Outcome => (json === true ? { out: "", answer: { success: true, message, data } } : { out: text })

/** A typing error must not look as if nothing had happened. */
function* requireKnown(project: ProjectName | undefined, found: ReadonlyArray<HistoryRecord>) {
  if (project === undefined || found.some((record) => projectOf(record) === project)) return
  yield* requireProject(project)
}

/** The number of events without `-n` and `--since`. */
const defaultLimit = 20

/** `autopilotd history`: reads the events from the file, with or without a daemon. */
const history: ReadingOf = function* (invocation, { colour, columns, nowMs: now, zone }) {
  const { options } = invocation
  const nowMs = now()
  const range = timeRange(options, nowMs, zone)
  if (typeof range === "string") return misused(range, "history")
  const byDefault = range.sinceMs === undefined ? defaultLimit : Number.POSITIVE_INFINITY
  const question: HistoryQuestion = { ...range, limit: options.lines ?? byDefault }
  const found = yield* readHistory({
    ...needed(question, nowMs, zone),
    ...(options.project === undefined ? {} : { project: options.project })
  })
  yield* requireKnown(options.project, found.records)
  const data = historyData(found, question, nowMs, zone)
  return told(
    invocation,
    { message: eventCount(data.records.length), data },
    historyText(found, question, { nowMs, zone, colour, columns, isLong: options.long })
  )
}

/** Covers a week without events. */
const explainedRecords = 200

/** The records that explain the state of a worker, or of all. */
export const recordsBehind = (project: ProjectName | undefined, nowMs: number, zone: Zone): HistoryQuery => ({
  ...needed({ sinceMs: undefined, limit: explainedRecords }, nowMs, zone),
  ...(project === undefined ? {} : { project })
})

type Explained =
  | { readonly explanation: Explanation; readonly refusal?: undefined }
  | { readonly refusal: Outcome }

/** The explanation of the state of one worker, by what the daemon and the history say; or the refusal of the daemon. */
function* explained(
  { project }: Pick<Invocation["options"], "project">,
  nowMs: number,
  zone: Zone
): Generator<Step | ReadStep, Explained, unknown> {
  const status = granted(yield* ask({ type: "Status", ...(project === undefined ? {} : { project }) }))
  if (status.refusal !== undefined) return { refusal: status.refusal }
  const { records } = yield* readHistory(recordsBehind(project, nowMs, zone))
  const evidence = { status: status.data, records, survivors: nothingAlive, project, nowMs, zone }
  return { explanation: explain({ ...evidence, bootedMs: undefined }) }
}

/** All projects, those that need a user first. */
const whyAll: ReadingOf = function* (invocation, { colour, columns, nowMs, zone }) {
  const reply = granted(yield* ask({ type: "Projects" }))
  if (reply.refusal !== undefined) return reply.refusal
  const each: Array<{ readonly name: string; readonly explanation: Explanation }> = []
  for (const { name } of byNeed(reply.data.projects)) {
    const one = yield* explained(isProjectName(name) ? { project: name } : {}, nowMs(), zone)
    if (one.refusal !== undefined) return one.refusal
    each.push({ name, explanation: one.explanation })
  }
  const projects = each.map(({ explanation, name }) => ({ project: name, ...explanationData(explanation) }))
  const texts = each.map(({ explanation: { advice, sentences } }) =>
    // One project may be looked at with its events; all of them would fill screens.
    explanationText({ advice, sentences, events: [] }, { zone, colour, columns })
  )
  return told(
    invocation,
    { message: counted(projects.length, "project"), data: { projects } },
    texts.join("\n")
  )
}

/** `autopilotd why`: explains the state of a worker, and the next steps. Without a daemon another program explains that. */
const why: ReadingOf = function* (invocation, surroundings) {
  const { all, long: isLong, project } = invocation.options
  if (all === true && project !== undefined) return misused("why takes a project or --all, not both.", "why")
  if (all === true) return yield* whyAll(invocation, surroundings)
  const { colour, columns, nowMs, zone } = surroundings
  const one = yield* explained(invocation.options, nowMs(), zone)
  if (one.refusal !== undefined) return one.refusal
  const { explanation } = one
  return told(
    invocation,
    { message: explanation.sentences[0] ?? "", data: explanationData(explanation) },
    explanationText(explanation, { zone, colour, columns, isLong })
  )
}

/** The commands that read the history. Both roads run them, as those of `Dialogues.ts`. */
export const historyDialogues = { history, why } as const satisfies Readonly<Record<ReadingVerb, ReadingOf>>
