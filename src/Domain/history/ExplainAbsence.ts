import { spokenTime } from "../text/LocalTime.ts"
import { describeEvent, projectOf } from "./DaemonEvent.ts"
import { type DaemonRun, runsIn } from "./DaemonRuns.ts"
import { type Evidence, type Explanation, eventsBehind, workerOf } from "./Explanation.ts"
import type { HistoryRecord } from "./HistoryRecord.ts"
import { restartsIn } from "./Restarts.ts"
import { restartSentences } from "./RestartsText.ts"

/** Why a run has no last word of its own, as far as that can be told. */
const vanished = (run: DaemonRun, { bootedMs, nowMs, zone }: Evidence): ReadonlyArray<string> => {
  const time = (atMs: number) => spokenTime(atMs, nowMs, zone)
  const who =
    run.started === undefined
      ? "The last one"
      : `The last one (pid ${run.started.pid}, started ${time(run.started.at)})`
  const gone = `${who} ended without a word: it was last heard of at ${time(run.lastMs)}.`
  if (bootedMs === undefined) return [gone, "It was killed (kill -9), or the machine went down."]
  return [
    gone,
    bootedMs > run.lastMs
      ? `The machine was started anew at ${time(bootedMs)}: it went down with the daemon, or the power did.`
      : `The machine has been up since ${time(bootedMs)}, so somebody, or the kernel for want of memory, killed the daemon.`
  ]
}

const stopped = (run: DaemonRun, { nowMs, zone }: Evidence): ReadonlyArray<string> => {
  const by = run.stopping === undefined ? "" : `: ${run.stopping.by}`
  const left = run.stopped?.leftBehind ?? []
  const at = spokenTime(run.lastMs, nowMs, zone)
  const isBroken = run.records.some(({ _tag }) => _tag === "ConcernBeyondHelp")
  return [
    isBroken
      ? `The last one ended itself at ${at}, for a bug in it${by}. Its log has the cause: please report it.`
      : `The last one ended cleanly at ${at}${by}.`,
    ...(left.length === 0 ? [] : [`It could not end these processes: pid ${left.join(", ")}.`])
  ]
}

/** What says where a worker was in its life. */
const isStation = ({ _tag }: HistoryRecord): boolean =>
  _tag === "WorkerStarted" ||
  _tag === "WorkerExited" ||
  _tag === "WorkerEnded" ||
  _tag === "WorkerNotStarted" ||
  _tag === "BackingOff" ||
  _tag === "Waiting" ||
  _tag === "GaveUp" ||
  _tag === "WorkerStopped"

/** Where the worker of a project was when the daemon began to end. */
const lastStation = (run: DaemonRun, project: string, evidence: Evidence): ReadonlyArray<string> => {
  const untilMs = run.stopping?.seq ?? Number.POSITIVE_INFINITY
  const station = run.records.findLast(
    (record) => isStation(record) && record.seq < untilMs && projectOf(record) === project
  )
  if (station === undefined) return []
  const time = spokenTime(station.at, evidence.nowMs, evidence.zone)
  return [
    station._tag === "WorkerStarted"
      ? `${workerOf(project)} ran then, since ${time}.`
      : `Last of ${project}, at ${time}: ${describeEvent(station).text}.`
  ]
}

const projectsOf = (run: DaemonRun): ReadonlyArray<string> => [
  ...new Set(run.records.flatMap((record) => projectOf(record) ?? []))
]

const advice = [
  "Go on as before, with what was stopped or given up staying so: autopilotd start --detach --keep-state",
  "Begin afresh: autopilotd start --detach"
]

/** How the daemon came to its end, where none runs. */
export const explainAbsence = (evidence: Evidence): Explanation => {
  const { nowMs, project, records, zone } = evidence
  const run = runsIn(records).at(-1)
  if (run === undefined) {
    return {
      state: "no daemon",
      sentences: ["No daemon is running, and the history of this home has nothing to tell."],
      events: [],
      advice: advice.slice(1)
    }
  }
  const projects = project === undefined ? projectsOf(run) : [project]
  const restarts = restartsIn(records)
  return {
    state: "no daemon",
    sentences: [
      "No daemon is running.",
      ...(run.stopped === undefined ? vanished(run, evidence) : stopped(run, evidence)),
      ...projects.flatMap((name) => lastStation(run, name, evidence)),
      ...projects.flatMap((name) =>
        restartSentences(
          workerOf(name),
          restarts.filter((restart) => restart.project === name),
          nowMs,
          zone
        )
      )
    ],
    events: eventsBehind(records, project),
    advice
  }
}
