import * as Schema from "effect/Schema"
import { describeVerdict, Verdict } from "../verdict/ExitVerdict.ts"
import { describeGroup, GroupEvent } from "../tree/GroupEvent.ts"
import { describeGuard, GuardEvent } from "../guard/GuardEvent.ts"
import { humanBytes } from "../text/HumanBytes.ts"
import { humanDuration } from "../text/HumanDuration.ts"
import { MemoryLevel } from "../memory/MemoryLevel.ts"
import { describeLevel, MemoryFigures } from "../memory/MemoryLook.ts"
import { describe as describeOomKill, OomKill } from "../verdict/OomKill.ts"
import { ProjectName } from "../Project.ts"
import { describeSavedState, SavedStateEvent } from "../worker/SavedStateEvent.ts"
import { describeService, ServiceEvent } from "../systemd/ServiceEvent.ts"
import { shellLine } from "../text/ShellLine.ts"
import { perhaps } from "../status/StatusData.ts"
import { describe as describeExit, WorkerExit } from "../tree/WorkerExit.ts"
import { describeLimit, LimitFigures } from "../guard/WorkerLimit.ts"

const ofProject = { project: ProjectName }
const Pids = Schema.Array(Schema.Int)

/** Everything that happens and that a person may ask about later. Times are milliseconds. */
export const DaemonEvent = Schema.Union(
  Schema.TaggedStruct("DaemonStarted", { pid: Schema.Int, version: Schema.String, home: Schema.String }),
  Schema.TaggedStruct("SettingsDoubtful", { warning: Schema.String }),
  Schema.TaggedStruct("DaemonStopping", { by: Schema.String }),
  Schema.TaggedStruct("DaemonHastened", { by: Schema.String }),
  Schema.TaggedStruct("TerminalClosed", {}),
  ...SavedStateEvent.members,
  ...ServiceEvent.members,
  Schema.TaggedStruct("ProjectAdded", ofProject),
  Schema.TaggedStruct("ProjectRemoved", { ...ofProject, leftBehind: Pids }),
  Schema.TaggedStruct("SettingsReloaded", {
    by: Schema.String,
    /** The keys of what differs; their values may be secrets. */
    changed: Schema.Array(Schema.String),
    awaitingRestart: Schema.Array(Schema.String)
  }),
  Schema.TaggedStruct("SettingsRefused", { by: Schema.String, reason: Schema.String }),
  Schema.TaggedStruct("SettingsWritten", { path: Schema.String, changed: Schema.Array(Schema.String) }),
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
    /** It had been told to end. */
    wasAsked: Schema.Boolean,
    /** Absent when nothing says that the kernel has killed any of it. */
    oomKill: perhaps(OomKill)
  }),
  /** Its tree is gone, and its end is judged by all that is known of it. `WorkerExited` came before. */
  Schema.TaggedStruct("WorkerEnded", {
    ...ofProject,
    verdict: Verdict,
    exit: WorkerExit,
    uptimeMs: Schema.Number,
    /** The most that its processes have held when looked at, swap included. Absent when nobody had looked yet. */
    peakMemoryBytes: perhaps(Schema.Int),
    /** Absent when nothing says that the kernel has killed any of it. */
    oomKill: perhaps(OomKill)
  }),
  Schema.TaggedStruct("WorkerNotStarted", { ...ofProject, reason: Schema.String }),
  Schema.TaggedStruct("BackingOff", { ...ofProject, failures: Schema.Int, delayMs: Schema.Number }),
  Schema.TaggedStruct("Waiting", { ...ofProject, why: Schema.String, untilMs: Schema.NullOr(Schema.Number) }),
  Schema.TaggedStruct("RemainsFound", { ...ofProject, pids: Pids }),
  Schema.TaggedStruct("GaveUp", { ...ofProject, failures: Schema.Int, reason: Schema.String }),
  /** It stays down until a person acts: another start would not help, or cost money. */
  Schema.TaggedStruct("PersonNeeded", { ...ofProject, reason: Schema.String }),
  Schema.TaggedStruct("WorkerStopped", { ...ofProject, reason: Schema.String }),
  /** Half of the time is over after which a worker that does nothing is ended. */
  Schema.TaggedStruct("StallFeared", { ...ofProject, text: Schema.String }),
  Schema.TaggedStruct("OutputDropped", { ...ofProject, lines: Schema.Int, reason: Schema.String }),
  /** Told once, until it can be written again. */
  Schema.TaggedStruct("LogNotWritten", { ...ofProject, reason: Schema.String }),
  Schema.TaggedStruct("LogWritten", ofProject),
  /** It holds more than `memory.worker_limit_bytes`: told when that begins, and when what follows is another. */
  Schema.TaggedStruct("WorkerOverLimit", { ...ofProject, ...LimitFigures.fields }),
  /** What people are told; a relief only once it has lasted. `level` is the new one. */
  Schema.TaggedStruct("MemoryLevelChanged", { ...MemoryFigures.fields, before: MemoryLevel }),
  Schema.TaggedStruct("MemoryFileUnusable", {
    path: Schema.String,
    reason: Schema.String,
    consequence: Schema.String
  }),
  Schema.TaggedStruct("MemoryThresholdsUnfit", { reason: Schema.String }),
  ...GuardEvent.members,
  ...GroupEvent.members,
  /** Told by the history itself, in the place where they are missing. */
  Schema.TaggedStruct("EventsLost", { events: Schema.Int, reason: Schema.String }),
  Schema.TaggedStruct("ConcernFailed", {
    name: Schema.String,
    cause: Schema.String,
    retryInMs: Schema.Number
  }),
  Schema.TaggedStruct("ConcernRecovered", { name: Schema.String }),
  Schema.TaggedStruct("ConcernBeyondHelp", { name: Schema.String, cause: Schema.String }),
  Schema.TaggedStruct("DaemonStopped", { leftBehind: Pids })
)
export type DaemonEvent = typeof DaemonEvent.Type

export type Level = "info" | "warning" | "error"

const levelOf: Readonly<Record<MemoryLevel, Level>> = { plentiful: "info", low: "warning", critical: "error" }

const processes = (pids: ReadonlyArray<number>): string =>
  `${pids.length} process${pids.length === 1 ? "" : "es"} (pid ${pids.join(", ")})`

/** The event as a person reads it in the log: how serious it is, and one sentence. */
export const describe = (event: DaemonEvent): { readonly level: Level; readonly text: string } => {
  switch (event._tag) {
    case "DaemonStarted":
      return {
        level: "info",
        text:
          `autopilotd ${event.version} started, pid ${event.pid}, logs in ${event.home}/logs. ` +
          "Ask it with `autopilotd status`, end it with Ctrl-C or `autopilotd stop`"
      }
    case "DaemonStopping":
      return { level: "info", text: `Shutting down: ${event.by}` }
    case "DaemonHastened":
      return { level: "warning", text: `${event.by} while shutting down: what is left is killed now` }
    case "TerminalClosed":
      return {
        level: "info",
        text: "The terminal was closed; supervision goes on. `autopilotd stop` ends it"
      }
    case "StateCleared":
    case "StateKept":
    case "StateNotSaved":
    case "StateUnreadable":
    case "ProjectSelected":
    case "SelectionNotSaved":
      return describeSavedState(event)
    case "OwnUnitUnknown":
    case "ServiceNotNotified":
    case "StopTimeoutShort":
    case "TurnMissing":
    case "TurnTaken":
      return describeService(event)
    case "ProjectAdded":
      return { level: "info", text: "Added by the settings" }
    case "ProjectRemoved":
      return event.leftBehind.length === 0
        ? { level: "info", text: "Removed by the settings; nothing of it is left" }
        : {
            level: "error",
            text: `Removed by the settings, but ${processes(event.leftBehind)} could not be ended`
          }
    case "SettingsReloaded": {
      const changed = event.changed.length === 0 ? "nothing has changed" : event.changed.join(", ")
      const awaiting =
        event.awaitingRestart.length === 0
          ? ""
          : `; needs a restart of the worker: ${event.awaitingRestart.join(", ")}`
      return { level: "info", text: `Settings reloaded (${event.by}): ${changed}${awaiting}` }
    }
    case "SettingsRefused":
      return {
        level: "error",
        text: `The settings were not reloaded (${event.by}), those in force go on: ${event.reason}`
      }
    case "SettingsWritten":
      return {
        level: "info",
        text: `Settings written to ${event.path}: ${event.changed.length === 0 ? "nothing differs from those in force" : event.changed.join(", ")}`
      }
    case "CommandTaken":
      return { level: "info", text: `Asked to ${event.command} the worker` }
    case "RestartAsked":
      return { level: "warning", text: `The worker is restarted: ${event.reason}` }
    case "LeftoversEnded":
      return { level: "warning", text: `Ended ${processes(event.pids)} that an earlier worker left behind` }
    case "StallFeared":
      return { level: "warning", text: event.text }
    case "SettingsDoubtful":
    case "EnvFileDoubtful":
      return { level: "warning", text: event.warning }
    case "WorkerStarted":
      return { level: "info", text: `Worker started, pid ${event.pid}: ${shellLine(event.command)}` }
    case "WorkerSteady":
      return {
        level: "info",
        text: `Worker has run for ${humanDuration(event.afterMs)}: ${event.failuresForgotten === 1 ? "its earlier failure is" : `its ${event.failuresForgotten} earlier failures are`} forgotten`
      }
    case "WorkerExited":
      return {
        level: event.oomKill === undefined && (event.wasAsked || event.exit.code === 0) ? "info" : "warning",
        text: `Worker ended after ${humanDuration(event.uptimeMs)}: ${describeExit(event.exit)}${event.oomKill === undefined ? "" : `; ${describeOomKill(event.oomKill)}`}`
      }
    case "WorkerEnded": {
      const { peakMemoryBytes: peak, uptimeMs, verdict } = event
      const held = peak === undefined ? "" : ` (it held at most ${humanBytes(peak)})`
      return {
        level: verdict.kind === "done" || verdict.kind === "killed-by-us" ? "info" : "warning",
        text: `Why the worker ended after ${humanDuration(uptimeMs)}: ${describeVerdict(verdict)}${held}`
      }
    }
    case "WorkerNotStarted":
      return { level: "error", text: `Worker cannot be started: ${event.reason}` }
    case "BackingOff":
      return {
        level: "warning",
        text: `Failure ${event.failures} in a row: the next start is in ${humanDuration(event.delayMs)}`
      }
    case "Waiting":
      return { level: "warning", text: `Waiting before the next start: ${event.why}` }
    case "RemainsFound":
      return {
        level: "error",
        text: `${processes(event.pids)} of the last worker cannot be ended; nothing new is started until they are gone`
      }
    case "GaveUp":
      return {
        level: "error",
        text: `Gave up after ${event.failures} failures in a row, the last: ${event.reason}. Mend the cause, then: autopilotd start-worker`
      }
    case "PersonNeeded":
      return { level: "error", text: `Somebody must act before the worker is started again: ${event.reason}` }
    case "WorkerStopped":
      return { level: "info", text: `Worker stopped: ${event.reason}` }
    case "OutputDropped":
      return {
        level: "warning",
        text: `${event.lines} lines of the worker's output were dropped: ${event.reason}`
      }
    case "LogNotWritten":
      return {
        level: "error",
        text: `The worker's log cannot be written, the worker goes on: ${event.reason}`
      }
    case "LogWritten":
      return { level: "info", text: "The worker's log can be written again" }
    case "WorkerOverLimit":
      return { level: event.outcome === "shared" ? "info" : "warning", text: describeLimit(event) }
    case "MemoryLevelChanged":
      return { level: levelOf[event.level], text: describeLevel(event, event.before) }
    case "MemoryFileUnusable":
      return { level: "warning", text: `${event.path} is of no use: ${event.reason}. ${event.consequence}` }
    case "MemoryThresholdsUnfit":
      return {
        level: "warning",
        text: `Until the settings are mended, the thresholds are scaled to the memory that there is: ${event.reason}`
      }
    case "HogSignalled":
    case "HogGone":
    case "HogSurvived":
    case "NobodyToEnd":
    case "ShortOfMemory":
    case "RestartedForMemory":
    case "HastenedForMemory":
    case "HoldEnded":
    case "StartedShort":
      return describeGuard(event)
    case "GroupsUnusable":
    case "GroupNotMade":
    case "WorkerOutsideGroup":
    case "GroupNotRemoved":
      return describeGroup(event)
    case "EventsLost":
      return {
        level: "warning",
        text: `${event.events} event${event.events === 1 ? " is" : "s are"} missing in the history, because it could not be written: ${event.reason}`
      }
    case "ConcernFailed":
      return {
        level: "error",
        text: `${event.name} failed by a defect and is started again in ${humanDuration(event.retryInMs)}: ${event.cause}`
      }
    case "ConcernRecovered":
      return { level: "info", text: `${event.name} works again` }
    case "ConcernBeyondHelp":
      return { level: "error", text: `${event.name} failed for good, the daemon ends: ${event.cause}` }
    case "DaemonStopped":
      return event.leftBehind.length === 0
        ? { level: "info", text: "Stopped, nothing left behind" }
        : { level: "error", text: `Stopped, but ${processes(event.leftBehind)} could not be ended` }
  }
}

/** The project an event belongs to, or undefined when it is the daemon's own. */
export const projectOf = (event: DaemonEvent): ProjectName | undefined =>
  "project" in event ? event.project : undefined
