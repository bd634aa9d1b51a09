import { troubleAdvice, troubleText } from "../systemd/UnitTrouble.ts"
import { spokenTime } from "../text/LocalTime.ts"
import { printable } from "../text/Printable.ts"
import { openEnded } from "../text/TextLayout.ts"
import { unservedHomeText } from "../tree/UnservedHome.ts"
import { describeEvent, projectOf } from "./DaemonEvent.ts"
import { type DaemonRun, runsIn } from "./DaemonRuns.ts"
import { type Evidence, type Explanation, eventsBehind, workerOf } from "./Explanation.ts"
import type { HistoryRecord } from "./HistoryRecord.ts"
import { restartsIn } from "./Restarts.ts"
import { restartSentences } from "./RestartsText.ts"

const maxTextLength = 400

/** Explains a run of the daemon that has no record of its end. */
const vanished = (run: DaemonRun, { bootedMs, lastSign, nowMs, zone }: Evidence): ReadonlyArray<string> => {
  const time = (atMs: number) => spokenTime(atMs, nowMs, zone)
  const who =
    run.started === undefined
      ? "The last one"
      : `The last one (pid ${run.started.pid}, started ${time(run.started.at)})`
  // A daemon that stops removes its sign of life, whether or not the disk takes its last events.
  if (lastSign === undefined) {
    return [
      `${who} left no record of its end: its last event is from ${time(run.lastMs)}.`,
      "It left no sign of life either, as after a stop: the disk may have been too full for its last events."
    ]
  }
  // A quiet night has no events.
  const isSeenLater = lastSign.atMs > run.lastMs && lastSign.atMs <= nowMs
  const lastMs = isSeenLater ? lastSign.atMs : run.lastMs
  const gone = `${who} disappeared: its last ${isSeenLater ? "sign of life" : "event"} is from ${time(lastMs)}.`
  if (bootedMs === undefined) return [gone, "It was killed (kill -9), or the machine went down."]
  return [
    gone,
    bootedMs > lastMs
      ? `The machine booted at ${time(bootedMs)}: the daemon went down with it.`
      : `The machine has been up since ${time(bootedMs)}: a user, another program or the kernel (out of memory) killed the daemon.`
  ]
}

const stopped = (run: DaemonRun, { nowMs, zone }: Evidence): ReadonlyArray<string> => {
  const by = run.stopping === undefined ? "" : `: ${run.stopping.by}`
  const left = run.stopped?.leftBehind ?? []
  const at = spokenTime(run.lastMs, nowMs, zone)
  const isBroken =
    run.stopping?.isBug === true || run.records.some(({ _tag }) => _tag === "ConcernBeyondHelp")
  return [
    isBroken
      ? `The last one stopped at ${at} because of a bug${by}. Its log has the cause; report it.`
      : `The last one stopped cleanly at ${at}${by}.`,
    ...(left.length === 0
      ? []
      : [
          run.stopped?.why === undefined
            ? `It could not kill these processes: pid ${left.join(", ")}.`
            : `It left processes behind: ${printable(run.stopped.why, maxTextLength)}.`
        ])
  ]
}

/** The records that mark the state of a worker. */
const isMilestone = ({ _tag }: HistoryRecord): boolean =>
  _tag === "WorkerStarted" ||
  _tag === "WorkerExited" ||
  _tag === "WorkerEnded" ||
  _tag === "WorkerNotStarted" ||
  _tag === "BackingOff" ||
  _tag === "Waiting" ||
  _tag === "GaveUp" ||
  _tag === "WorkerStopped"

/** One sentence about the worker of a project when the daemon began to stop. */
const lastMilestone = (run: DaemonRun, project: string, evidence: Evidence): ReadonlyArray<string> => {
  const untilMs = run.stopping?.seq ?? Number.POSITIVE_INFINITY
  const milestone = run.records.findLast(
    (record) => isMilestone(record) && record.seq < untilMs && projectOf(record) === project
  )
  if (milestone === undefined) return []
  const time = spokenTime(milestone.at, evidence.nowMs, evidence.zone)
  return [
    milestone._tag === "WorkerStarted"
      ? `${workerOf(project)} was running, since ${time}.`
      : `Last event of ${project}, at ${time}: ${openEnded(describeEvent(milestone).text)}.`
  ]
}

const projectsOf = (run: DaemonRun): ReadonlyArray<string> => [
  ...new Set(run.records.flatMap((record) => projectOf(record) ?? []))
]

const advice = [
  "Resume the saved state, where stopped and failed workers stay so: autopilotd start --detach --keep-state",
  "Start afresh: autopilotd start --detach"
]

const firstSteps = [
  "Write the settings of a project, in its folder: autopilotd init",
  "Start it: autopilotd start --detach"
]

/** Explains why no daemon runs. */
export const explainAbsence = (evidence: Evidence): Explanation => {
  const { nowMs, project, records, zone } = evidence
  const run = runsIn(records).at(-1)
  const but = unservedHomeText(evidence.survivors)
  const { service } = evidence
  const alive = [...(service === undefined ? [] : troubleText(service)), ...(but === undefined ? [] : [but])]
  const steps = service === undefined ? advice : troubleAdvice(service)
  if (run === undefined) {
    return {
      state: "no daemon",
      sentences: ["No daemon is running, and the history of this home is empty.", ...alive],
      events: [],
      advice: service === undefined ? firstSteps : steps
    }
  }
  const projects = project === undefined ? projectsOf(run) : [project]
  const restarts = restartsIn(records)
  return {
    state: "no daemon",
    sentences: [
      "No daemon is running.",
      ...alive,
      ...(run.stopped === undefined ? vanished(run, evidence) : stopped(run, evidence)),
      ...projects.flatMap((name) => lastMilestone(run, name, evidence)),
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
    advice: steps
  }
}
