import * as Schema from "effect/Schema"
import { ProjectName } from "../Project.ts"
import { AgentRun, describeRun } from "../session/AgentRun.ts"
import { humanBytes, humanDuration, processes } from "../text/Amounts.ts"
import { shellLine } from "../text/ShellLine.ts"
import type { Message } from "../text/Style.ts"
import { describeSurvivors, pidsOf, type Survivor } from "../tree/Survivor.ts"
import { describeExit, WorkerExit } from "../tree/WorkerExit.ts"
import { describeVerdict, Verdict } from "../verdict/ExitVerdict.ts"
import { describeOomKill, OomKill } from "../verdict/OomKill.ts"
import { describeLimit, LimitFigures } from "../verdict/OverLimit.ts"
import { moment, perhaps } from "../Wire.ts"

const ofProject = { project: ProjectName }
const Pids = Schema.Array(Schema.Int)

/** The events of a worker from its start to its verified end, as the history keeps them. */
export const LifecycleEvent = Schema.Union(
  Schema.TaggedStruct("CommandTaken", { ...ofProject, command: Schema.Literal("start", "stop", "restart") }),
  Schema.TaggedStruct("RestartAsked", { ...ofProject, reason: Schema.String }),
  Schema.TaggedStruct("LeftoversEnded", { pids: Pids }),
  Schema.TaggedStruct("EnvFileDoubtful", { ...ofProject, warning: Schema.String }),
  Schema.TaggedStruct("WorkerStarted", {
    ...ofProject,
    pid: Schema.Int,
    workerId: Schema.String,
    command: Schema.Array(Schema.String)
  }),
  Schema.TaggedStruct("WorkerSteady", {
    ...ofProject,
    afterMs: Schema.Number,
    failuresForgotten: Schema.Int
  }),
  Schema.TaggedStruct("WorkerExited", {
    ...ofProject,
    exit: WorkerExit,
    uptimeMs: Schema.Number,
    /** The daemon had asked it to stop. */
    wasAsked: Schema.Boolean,
    /** Absent without evidence of a kill by the kernel. */
    oomKill: perhaps(OomKill)
  }),
  /** The verdict, once the process tree is gone. `WorkerExited` precedes it. */
  Schema.TaggedStruct("WorkerEnded", {
    ...ofProject,
    verdict: Verdict,
    exit: WorkerExit,
    uptimeMs: Schema.Number,
    /** The highest sample of its process tree, swap included. Absent without a sample. */
    peakMemoryBytes: perhaps(Schema.Int),
    /** Absent without evidence of a kill by the kernel. */
    oomKill: perhaps(OomKill),
    /** Absent for a worker that is no agent. */
    agent: perhaps(AgentRun)
  }),
  /** A lock of git's index from an earlier run, without an owner. */
  Schema.TaggedStruct("GitLockLeft", { ...ofProject, path: Schema.String }),
  Schema.TaggedStruct("WorkerNotStarted", { ...ofProject, reason: Schema.String }),
  Schema.TaggedStruct("BackingOff", { ...ofProject, failures: Schema.Int, delayMs: Schema.Number }),
  Schema.TaggedStruct("Waiting", {
    ...ofProject,
    why: Schema.String,
    untilMs: Schema.NullOr(moment(Schema.Number))
  }),
  /** `why` says why they survive, and what helps. */
  Schema.TaggedStruct("RemainsFound", { ...ofProject, pids: Pids, why: perhaps(Schema.String) }),
  Schema.TaggedStruct("GaveUp", { ...ofProject, failures: Schema.Int, reason: Schema.String }),
  /** The worker stays down until a user acts: another start would not help, or cost money. */
  Schema.TaggedStruct("PersonNeeded", { ...ofProject, reason: Schema.String }),
  Schema.TaggedStruct("WorkerStopped", { ...ofProject, reason: Schema.String }),
  /** Half of the stall timeout has passed. */
  Schema.TaggedStruct("StallFeared", { ...ofProject, text: Schema.String }),
  /** The worker holds more than `memory.worker_limit_bytes`: reported first, and when the outcome changes. */
  Schema.TaggedStruct("WorkerOverLimit", { ...ofProject, ...LimitFigures.fields })
)
export type LifecycleEvent = typeof LifecycleEvent.Type

/** The event about processes that survive SIGKILL. */
export const remainsFound = (
  project: ProjectName,
  survivors: ReadonlyArray<Survivor>
): Extract<LifecycleEvent, { _tag: "RemainsFound" }> => ({
  _tag: "RemainsFound",
  project,
  pids: pidsOf(survivors),
  why: describeSurvivors(survivors)
})

/** The event as the log shows it. */
export const describeLifecycle = (event: LifecycleEvent): Message => {
  switch (event._tag) {
    case "CommandTaken":
      return { level: "info", text: `Command to ${event.command} the worker` }
    case "RestartAsked":
      return { level: "warning", text: `Restarting the worker: ${event.reason}` }
    case "LeftoversEnded":
      return { level: "warning", text: `Killed ${processes(event.pids)} left over from an earlier worker` }
    case "StallFeared":
      return { level: "warning", text: event.text }
    case "EnvFileDoubtful":
      return { level: "warning", text: event.warning }
    case "WorkerStarted":
      return { level: "info", text: `Worker started, pid ${event.pid}: ${shellLine(event.command)}` }
    case "WorkerSteady": {
      const failures = event.failuresForgotten
      return {
        level: "info",
        text: `Worker has run for ${humanDuration(event.afterMs)}: reset the count of ${failures} failure${failures === 1 ? "" : "s"}`
      }
    }
    case "WorkerExited":
      return {
        level: event.oomKill === undefined && (event.wasAsked || event.exit.code === 0) ? "info" : "warning",
        text: `Worker exited after ${humanDuration(event.uptimeMs)}: ${describeExit(event.exit)}${event.oomKill === undefined ? "" : `; ${describeOomKill(event.oomKill)}`}`
      }
    case "WorkerEnded": {
      const { agent, peakMemoryBytes: peak, uptimeMs, verdict } = event
      const facts = [
        ...(peak === undefined ? [] : [`peak memory ${humanBytes(peak)}`]),
        ...(agent === undefined ? [] : [describeRun(agent)]),
        ...(agent?.sessionId === undefined ? [] : [`session ${agent.sessionId}`])
      ]
      const held = facts.length === 0 ? "" : ` (${facts.join("; ")})`
      return {
        level: verdict.kind === "done" || verdict.kind === "killed-by-us" ? "info" : "warning",
        text: `Verdict after ${humanDuration(uptimeMs)}: ${describeVerdict(verdict)}${held}`
      }
    }
    case "GitLockLeft":
      return {
        level: "warning",
        text: `A lock of git is left from an earlier run, and no process has it open: git refuses to change the repository. When no git runs: ${shellLine(["rm", event.path])}`
      }
    case "WorkerNotStarted":
      return { level: "error", text: `Worker cannot be started: ${event.reason}` }
    case "BackingOff":
      return {
        level: "warning",
        text: `Failure ${event.failures} in a row: the next start is in ${humanDuration(event.delayMs)}`
      }
    case "Waiting":
      return {
        level: "warning",
        text: event.why.startsWith("waits ")
          ? `The worker ${event.why}`
          : `Waiting before the next start: ${event.why}`
      }
    case "RemainsFound":
      return {
        level: "error",
        text:
          event.why === undefined
            ? `${processes(event.pids)} of the last worker cannot be killed; the daemon starts no new worker until they exit`
            : `Processes of the last worker remain: ${event.why}; the daemon starts no new worker until they exit`
      }
    case "GaveUp":
      return {
        level: "error",
        text: `Gave up after ${event.failures} failures in a row, the last: ${event.reason}. Fix the cause, then run: autopilotd start-worker`
      }
    case "PersonNeeded":
      return { level: "error", text: `The worker is down and needs you: ${event.reason}` }
    case "WorkerStopped":
      return { level: "info", text: `Worker stopped: ${event.reason}` }
    case "WorkerOverLimit":
      return { level: event.outcome === "shared" ? "info" : "warning", text: describeLimit(event) }
  }
}
