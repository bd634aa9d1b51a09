import type { StatusReply } from "../status/StatusData.ts"
import { humanBytes, humanDuration } from "../text/Amounts.ts"
import { spokenTime } from "../text/LocalTime.ts"
import { printable } from "../text/Printable.ts"
import { describeExit } from "../tree/WorkerExit.ts"
import { adviceFor, describeVerdict } from "../verdict/ExitVerdict.ts"
import { projectOf } from "./DaemonEvent.ts"
import { runsIn } from "./DaemonRuns.ts"
import { explainAbsence } from "./ExplainAbsence.ts"
import { type Evidence, type Explanation, eventsBehind, workerOf } from "./Explanation.ts"
import type { HistoryRecord, RecordOf } from "./HistoryRecord.ts"
import { restartsIn } from "./Restarts.ts"
import { restartSentences } from "./RestartsText.ts"

/** Longer texts from the wire end in `...`. */
const maxTextLength = 400

const because = ({ reason }: StatusReply): string =>
  reason === undefined ? "" : `: ${printable(reason, maxTextLength)}`

/** What the worker does, in one sentence. */
const state = (status: StatusReply, { nowMs, zone }: Evidence): string => {
  const name = workerOf(status.project)
  const due = status.next_start_at_ms
  const next =
    due === undefined
      ? ""
      : due - nowMs < 1000
        ? "now"
        : `at ${spokenTime(due, nowMs, zone)} (in ${humanDuration(due - nowMs)})`
  switch (status.worker_status) {
    case "running": {
      const uptimeMs = status.uptime_seconds * 1000
      return `${name} has run since ${spokenTime(nowMs - uptimeMs, nowMs, zone)} (${humanDuration(uptimeMs)}), pid ${status.worker_pid}.`
    }
    case "starting":
      return `${name} is being started${because(status)}.`
    case "stopping":
      return `${name} is being stopped${because(status)}.`
    case "restarting":
      return `${name} is started again ${next === "" ? "in a moment" : next}${because(status)}.`
    case "waiting":
      return due === undefined || next === "now"
        ? `${name} waits${because(status)}.`
        : `${name} waits until ${spokenTime(due, nowMs, zone)} (${humanDuration(due - nowMs)} more)${because(status)}.`
    case "failed":
      return `${name} has failed and is not started again by itself${because(status)}.`
    case "stopped":
      return `${name} is stopped${because(status)}.`
    default:
      return `${name} is ${printable(status.worker_status, maxTextLength)}${because(status)}.`
  }
}

/** The last end of the project's worker: as it was judged, or where it is not yet, as it was noticed. */
const lastEnd = (
  status: StatusReply,
  records: ReadonlyArray<HistoryRecord>
): RecordOf<"WorkerExited" | "WorkerEnded"> | undefined =>
  records.findLast(
    (record): record is RecordOf<"WorkerExited" | "WorkerEnded"> =>
      (record._tag === "WorkerExited" || record._tag === "WorkerEnded") && record.project === status.project
  )

/** How the last worker came to its end, or why the one that runs was started. */
const before = (status: StatusReply, { nowMs, records, zone }: Evidence): ReadonlyArray<string> => {
  if (status.worker_status === "running") {
    const own = records.filter((record) => projectOf(record) === status.project)
    const started = own.findLast(({ _tag }) => _tag === "WorkerStarted")
    const restart = restartsIn(own).at(-1)
    return started === undefined || restart?.at !== started.at
      ? []
      : [`It was started again then: ${printable(restart.cause, maxTextLength)}.`]
  }
  const ended = lastEnd(status, records)
  if (ended === undefined) return []
  const why =
    ended._tag === "WorkerEnded"
      ? describeVerdict(ended.verdict)
      : printable(describeExit(ended.exit), maxTextLength)
  // What the state has said already is not said again.
  const rest = status.reason?.includes(why) === true ? "" : `: ${printable(why, maxTextLength)}`
  return [
    `The last one ended at ${spokenTime(ended.at, nowMs, zone)} after ${humanDuration(ended.uptimeMs)}${rest}.`
  ]
}

/** A day is as long as a person remembers that the daemon was there. */
const dayMs = 86_400_000

/** A time in which there was no daemon although nobody had ended it. */
const gap = ({ nowMs, records, zone }: Evidence): ReadonlyArray<string> => {
  const [gone, back] = runsIn(records).slice(-2)
  if (gone === undefined || back === undefined || gone.stopped !== undefined || nowMs - gone.lastMs > dayMs)
    return []
  const since = spokenTime(gone.lastMs, nowMs, zone)
  const until = spokenTime(back.records[0]?.at ?? back.lastMs, nowMs, zone)
  return [
    `No daemon was there from ${since} to ${until}: the one before ended without a word (it was killed, or the machine went down).`
  ]
}

const surroundings = (status: StatusReply): ReadonlyArray<string> => {
  const {
    awaiting_restart: awaited = [],
    degraded = [],
    memory_available_bytes: available,
    memory_level: level,
    memory_total_bytes: total
  } = status
  return [
    ...(level === undefined || level === "plentiful"
      ? []
      : [`Memory is ${level}: ${humanBytes(available)} of ${humanBytes(total)} available.`]),
    ...(awaited.length === 0
      ? []
      : [
          `Settings have changed that only its next start brings: ${printable(awaited.join(", "), maxTextLength)}.`
        ]),
    ...(degraded.length === 0
      ? []
      : [
          `Of the daemon itself, this has failed and is being started again: ${printable(degraded.join(", "), maxTextLength)}.`
        ])
  ]
}

/** What could be done about how it ended, or where the cause may be found. */
const mending = (status: StatusReply, evidence: Evidence, option: string): ReadonlyArray<string> => {
  const ended = lastEnd(status, evidence.records)
  const judged = ended?._tag === "WorkerEnded" ? adviceFor(ended.verdict) : undefined
  if (judged === undefined) return [`See what it said last: autopilotd logs -n 50${option}`]
  // The reason of a stop says it already.
  return status.reason?.includes(judged) === true ? [] : [judged]
}

/** What could be done about it. `option` names the project where that is needed. */
const advice = (status: StatusReply, evidence: Evidence, option: string): ReadonlyArray<string> => {
  const start = `autopilotd start-worker${option}`
  const short = status.memory_level === "low" || status.memory_level === "critical"
  return [
    ...(status.worker_status === "failed"
      ? [...mending(status, evidence, option), `Start it once the cause is mended: ${start}`]
      : status.worker_status === "restarting" || status.worker_status === "waiting"
        ? [...mending(status, evidence, option), `Start it at once: ${start}`]
        : status.worker_status === "stopped"
          ? [`Start it: ${start}`]
          : []),
    ...(short ? ["See who holds memory: autopilotd hogs"] : []),
    ...((status.awaiting_restart?.length ?? 0) === 0
      ? []
      : [`Bring the changed settings into force: autopilotd restart-worker${option}`])
  ]
}

/** Why things are as they are: of a worker, or of a daemon that is not there. */
export const explain = (evidence: Evidence): Explanation => {
  const { nowMs, records, status, zone } = evidence
  if (status === undefined) return explainAbsence(evidence)
  const { project } = status
  const isOneOfSeveral = Object.values(status.projects ?? {}).reduce((sum, count) => sum + count, 0) > 1
  const option = project !== undefined && isOneOfSeveral ? ` --project ${project}` : ""
  const restarts = restartsIn(records).filter((restart) => restart.project === project)
  return {
    state: status.worker_status,
    sentences: [
      state(status, evidence),
      ...before(status, evidence),
      ...restartSentences("It", restarts, nowMs, zone),
      ...gap(evidence),
      ...surroundings(status)
    ],
    events: eventsBehind(records, project),
    advice: advice(status, evidence, option)
  }
}
