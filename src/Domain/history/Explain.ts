import { describeRun } from "../session/AgentRun.ts"
import { thenReload } from "../settings/RefusedProjects.ts"
import { openCommand } from "../status/AgentWords.ts"
import { degradedParts, relayProblem } from "../status/DegradedParts.ts"
import { projectOption, withProject } from "../status/ProjectOption.ts"
import type { StatusReply } from "../status/StatusData.ts"
import { reasonBeside, stateWord } from "../status/WorkerSentence.ts"
import { humanBytes, humanDuration } from "../text/Amounts.ts"
import { spokenTime } from "../text/LocalTime.ts"
import { printable } from "../text/Printable.ts"
import { shellLine } from "../text/ShellLine.ts"
import { openEnded } from "../text/TextLayout.ts"
import { describeExit } from "../tree/WorkerExit.ts"
import { adviceFor, describeVerdict } from "../verdict/ExitVerdict.ts"
import { type Places } from "../verdict/Places.ts"
import { projectOf } from "./DaemonEvent.ts"
import { runsIn } from "./DaemonRuns.ts"
import { explainAbsence } from "./ExplainAbsence.ts"
import { type Evidence, type Explanation, eventsBehind, workerOf } from "./Explanation.ts"
import type { HistoryRecord, RecordOf } from "./HistoryRecord.ts"
import { restartsIn } from "./Restarts.ts"
import { restartSentences } from "./RestartsText.ts"

const maxTextLength = 600

/** The reason behind the state. One that says for what the worker waits is the state itself. */
const because = ({ reason }: { readonly reason?: string | undefined }): string =>
  reason === undefined ? "" : `: ${openEnded(printable(reason, maxTextLength))}`

const waits = (status: StatusReply, until: string): string =>
  status.reason?.startsWith("waits ") === true
    ? ` ${openEnded(printable(status.reason, maxTextLength))}`
    : ` waits${until}${because(status)}`

/** One sentence about the state of the worker. */
const state = (status: StatusReply, { isLasting = false, nowMs, zone }: Evidence): string => {
  const name = workerOf(status.project)
  const due = status.next_start_at_ms
  const next =
    due === undefined
      ? ""
      : due - nowMs < 1000
        ? "now"
        : `at ${spokenTime(due, nowMs, zone)}${isLasting ? "" : ` (in ${humanDuration(due - nowMs)})`}`
  switch (status.worker_status) {
    case "running": {
      const uptimeMs = status.uptime_seconds * 1000
      return `${name} has been running since ${spokenTime(nowMs - uptimeMs, nowMs, zone)} (${humanDuration(uptimeMs)}), pid ${status.worker_pid}.`
    }
    case "starting":
      return `${name} is starting${because(status)}.`
    case "stopping":
      return `${name} is stopping${because(status)}.`
    case "restarting":
      return `${name} restarts ${next === "" ? "in a moment" : next}${because(status)}.`
    case "waiting":
      return due === undefined || next === "now"
        ? `${name}${waits(status, "")}.`
        : `${name}${waits(status, ` until ${spokenTime(due, nowMs, zone)}${isLasting ? "" : ` (${humanDuration(due - nowMs)} from now)`}`)}.`
    case "failed":
      return next === ""
        ? `${name} has failed and stays so until you act${because(status)}.`
        : `${name} has failed and starts again ${next}${because(status)}.`
    case "stopped":
      return `${name} is ${stateWord(status)}${because({ reason: reasonBeside(status) })}.`
    default:
      return `${name} is ${printable(status.worker_status, maxTextLength)}${because(status)}.`
  }
}

/** The last exit of the worker: its verdict, or before that the exit itself. */
const lastEnd = (
  status: StatusReply,
  records: ReadonlyArray<HistoryRecord>
): RecordOf<"WorkerExited" | "WorkerEnded"> | undefined =>
  records.findLast(
    (record): record is RecordOf<"WorkerExited" | "WorkerEnded"> =>
      (record._tag === "WorkerExited" || record._tag === "WorkerEnded") && record.project === status.project
  )

const capital = (text: string): string => `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`

/** What the agent of a running worker is in: it waits, has finished, or needs a person. */
const situation = (status: StatusReply, { nowMs, zone }: Evidence): ReadonlyArray<string> => {
  if (status.worker_status !== "running" || status.reason === undefined) return []
  const untilMs = status.agent?.until_ms
  const until = untilMs === undefined || untilMs <= nowMs ? "" : `, until ${spokenTime(untilMs, nowMs, zone)}`
  return [`${capital(openEnded(printable(status.reason, maxTextLength)))}${until}.`]
}

/** What the agent of the last run has done and cost, and whether it needs a person. */
const lastAgent = (
  ended: RecordOf<"WorkerExited" | "WorkerEnded">,
  { reason }: StatusReply
): ReadonlyArray<string> => {
  const agent = ended._tag === "WorkerEnded" ? ended.agent : undefined
  if (agent === undefined) return []
  const session = agent.sessionId === undefined ? "" : ` in session ${printable(agent.sessionId, 80)}`
  const { blocked } = agent
  return [
    `Its agent had ${describeRun(agent)}${session}.`,
    ...(blocked === undefined || reason?.includes(blocked.text) === true
      ? []
      : [`It is blocked on a person: it ${openEnded(printable(blocked.text, maxTextLength))}.`])
  ]
}

/** One sentence about the end of the last run, or about the cause of the current one. */
const before = (status: StatusReply, { nowMs, records, zone }: Evidence): ReadonlyArray<string> => {
  if (status.worker_status === "running") {
    const own = records.filter((record) => projectOf(record) === status.project)
    const started = own.findLast(({ _tag }) => _tag === "WorkerStarted")
    const restart = restartsIn(own).at(-1)
    return started === undefined || restart?.at !== started.at
      ? []
      : [`It was restarted then: ${openEnded(printable(restart.cause, maxTextLength))}.`]
  }
  const ended = lastEnd(status, records)
  if (ended === undefined) return []
  const why =
    ended._tag === "WorkerEnded"
      ? describeVerdict(ended.verdict)
      : printable(describeExit(ended.exit), maxTextLength)
  // The first sentence may name the cause already.
  const rest = status.reason?.includes(why) === true ? "" : `: ${printable(why, maxTextLength)}`
  return [
    `The last run ended at ${spokenTime(ended.at, nowMs, zone)} after ${humanDuration(ended.uptimeMs)}${rest}.`,
    ...lastAgent(ended, status)
  ]
}

const dayMs = 86_400_000

/** Reports a gap between two daemons within the last day that no user requested. */
const gap = ({ nowMs, records, zone }: Evidence): ReadonlyArray<string> => {
  const [gone, back] = runsIn(records).slice(-2)
  if (gone === undefined || back === undefined || gone.stopped !== undefined) return []
  // Its last event may be hours older than its last sign of life.
  const found = back.records.find((record) => record._tag === "DaemonVanished")
  const lastMs = found?._tag === "DaemonVanished" ? Math.max(gone.lastMs, found.lastSignMs) : gone.lastMs
  if (nowMs - lastMs > dayMs) return []
  const since = spokenTime(lastMs, nowMs, zone)
  const until = spokenTime(back.records[0]?.at ?? back.lastMs, nowMs, zone)
  const end =
    found === undefined
      ? "the end of the previous one is not in the history"
      : "the previous one was killed, or the machine went down"
  return [`No daemon ran from ${since} to ${until}: ${end}.`]
}

const surroundings = (status: StatusReply): ReadonlyArray<string> => {
  const {
    awaiting_restart: awaited = [],
    degraded: names = [],
    memory_available_bytes: available,
    memory_level: level,
    memory_total_bytes: total
  } = status
  const degraded = degradedParts(names)
  const relay = relayProblem(degraded)
  return [
    ...(level === undefined || level === "plentiful"
      ? []
      : [`Memory is ${level}: ${humanBytes(available)} of ${humanBytes(total)} available.`]),
    ...(awaited.length === 0
      ? []
      : [`Changed settings wait for its next start: ${printable(awaited.join(", "), maxTextLength)}.`]),
    ...(degraded.concerns.length === 0
      ? []
      : [
          `Parts of the daemon have failed and are restarting: ${printable(degraded.concerns.join(", "), maxTextLength)}.`
        ]),
    ...(relay === undefined
      ? []
      : [
          `The relay does not work as it should, which no worker notices: ${printable(relay, maxTextLength)}.`
        ])
  ]
}

/** What helps against a lock that git has left since the run before the last one ended. */
const lockAdvice = (
  { project }: StatusReply,
  records: ReadonlyArray<HistoryRecord>
): ReadonlyArray<string> => {
  const own = records.filter((record) => projectOf(record) === project)
  const found = own.findLast((record) => record._tag === "GitLockLeft" || record._tag === "WorkerEnded")
  return found?._tag === "GitLockLeft"
    ? [
        `Remove git's lock, if it is still there and no git runs: ${printable(shellLine(["rm", found.path]), maxTextLength)}`
      ]
    : []
}

/** Whether the reason says which other settings or which start of the daemon helps. */
const isToldToReload = ({ reason }: StatusReply): boolean =>
  reason !== undefined && (reason.endsWith(thenReload) || /autopilotd (start --detach|config)/.test(reason))

const placesOf = ({ project, worker_command_source: worker }: StatusReply): Places | undefined =>
  project === undefined || worker === undefined ? undefined : { project, worker }

/** The advice of the last verdict, or where to find the cause. */
const causeAdvice = (status: StatusReply, evidence: Evidence): ReadonlyArray<string> => {
  if (isToldToReload(status)) return []
  const ended = lastEnd(status, evidence.records)
  const last = evidence.records.findLast(
    (record) => projectOf(record) === status.project && record._tag !== "BackingOff"
  )
  if (last?._tag === "WorkerNotStarted")
    return ["Check its program, its folder and its PATH: autopilotd doctor"]
  const judged = ended?._tag === "WorkerEnded" ? adviceFor(ended.verdict, placesOf(status)) : undefined
  if (judged === undefined) return ["Read its last output: autopilotd logs -n 50"]
  // The reason of a stop may include it already.
  return status.reason?.includes(judged) === true ? [] : [judged]
}

/** Nothing locks a session: opened beside a running worker, two agents write it and work in the same folder. */
const opening = ({ worker_status: state }: StatusReply): string =>
  state === "running" || state === "starting" || state === "stopping"
    ? "Open its session by hand, after autopilotd stop-worker"
    : "Open its session by hand"

/** The steps that a user can take. */
const advice = (status: StatusReply, evidence: Evidence): ReadonlyArray<string> => {
  const start = "autopilotd start-worker"
  const ended = status.worker_status === "running" ? undefined : lastEnd(status, evidence.records)
  const last = ended?._tag === "WorkerEnded" ? ended.agent : undefined
  const told = status.agent ?? status.last_agent
  const [session, name] =
    told?.session_id === undefined ? [last?.sessionId, last?.name] : [told.session_id, told.name]
  const short = status.memory_level === "low" || status.memory_level === "critical"
  const cause = causeAdvice(status, evidence)
  const isStartNamed = isToldToReload(status) || cause.some((step) => step.includes("autopilotd start"))
  return [
    ...(status.worker_status === "failed"
      ? [...cause, ...(isStartNamed ? [] : [`Fix the cause, then start it: ${start}`])]
      : status.worker_status === "restarting" || status.worker_status === "waiting"
        ? [...cause, ...(isStartNamed ? [] : [`Start it now: ${start}`])]
        : status.worker_status === "stopped"
          ? [`Start it: ${start}`]
          : []),
    ...(session === undefined ? [] : [`${opening(status)}: ${openCommand(session, name)}`]),
    ...lockAdvice(status, evidence.records),
    ...(short ? ["List the largest memory users: autopilotd hogs"] : []),
    ...((status.awaiting_restart?.length ?? 0) === 0
      ? []
      : ["Apply the changed settings: autopilotd restart-worker"])
  ]
}

/** Explains the state of a worker, or why no daemon runs. */
export const explain = (evidence: Evidence): Explanation => {
  const { nowMs, records, status, zone } = evidence
  if (status === undefined) return explainAbsence(evidence)
  const { project } = status
  const option = projectOption(status)
  const restarts = restartsIn(records).filter((restart) => restart.project === project)
  return {
    state: status.worker_status,
    sentences: [
      withProject(state(status, evidence), option),
      ...situation(status, evidence),
      ...before(status, evidence),
      ...restartSentences("It", restarts, nowMs, zone),
      ...gap(evidence),
      ...surroundings(status)
    ],
    events: eventsBehind(records, project),
    advice: advice(status, evidence).map((step) => withProject(step, option))
  }
}
