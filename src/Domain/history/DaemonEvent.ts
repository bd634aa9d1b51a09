import * as Schema from "effect/Schema"
import { describeSettings, SettingsEvent } from "../config/SettingsEvent.ts"
import { AgentEvent, describeAgent } from "../guard/AgentEvent.ts"
import { describeGuard, GuardEvent } from "../guard/GuardEvent.ts"
import { describeLogin, LoginEvent } from "../login/LoginEvent.ts"
import { describeOutput, OutputEvent } from "../logs/OutputEvent.ts"
import { describeMemory, MemoryEvent } from "../memory/MemoryEvent.ts"
import { type ProjectName, unnamed } from "../Project.ts"
import { describeSession, SessionEvent } from "../session/SessionEvent.ts"
import { withProject } from "../status/ProjectOption.ts"
import { describeService, ServiceEvent } from "../systemd/ServiceEvent.ts"
import { humanDuration, processes } from "../text/Amounts.ts"
import { printable } from "../text/Printable.ts"
import type { Message } from "../text/Style.ts"
import { describeGroup, GroupEvent } from "../tree/GroupEvent.ts"
import { moment, perhaps } from "../Wire.ts"
import { describeLifecycle, LifecycleEvent } from "../worker/LifecycleEvent.ts"
import { describeSavedState, SavedStateEvent } from "../worker/SavedStateEvent.ts"

/**
 * Everything that happens and that a user may ask about later: the daemon's own events, and those each subject defines
 * for itself. Times are milliseconds.
 */
export const DaemonEvent = Schema.Union(
  Schema.TaggedStruct("DaemonStarted", { pid: Schema.Int, version: Schema.String, home: Schema.String }),
  /** The previous daemon has not stopped: it was killed, or the machine went down (`withMachine`). */
  Schema.TaggedStruct("DaemonVanished", {
    pid: Schema.Int,
    /** The time of its last sign of life, at most a minute before its end, and how long ago that is. */
    lastSignMs: moment(Schema.Number),
    agoMs: Schema.Number,
    withMachine: Schema.Boolean
  }),
  /** `isBug` is set where a bug of the daemon is the cause. */
  Schema.TaggedStruct("DaemonStopping", { by: Schema.String, isBug: perhaps(Schema.Boolean) }),
  Schema.TaggedStruct("DaemonHastened", { by: Schema.String }),
  Schema.TaggedStruct("TerminalClosed", {}),
  Schema.TaggedStruct("HomeMadeAgain", { reason: Schema.String }),
  Schema.TaggedStruct("HomeNotMadeAgain", { reason: Schema.String }),
  Schema.TaggedStruct("HomeIdChanged", { reason: Schema.String }),
  /** The history reports its own gap, at the place where events are missing. */
  Schema.TaggedStruct("EventsLost", { events: Schema.Int, reason: Schema.String }),
  Schema.TaggedStruct("ConcernFailed", {
    name: Schema.String,
    cause: Schema.String,
    retryInMs: Schema.Number
  }),
  Schema.TaggedStruct("ConcernRecovered", { name: Schema.String }),
  Schema.TaggedStruct("ConcernBeyondHelp", { name: Schema.String, cause: Schema.String }),
  /** `reason` continues a sentence that begins with the relay. Told once, until it runs again. */
  Schema.TaggedStruct("RelayEnded", { reason: Schema.String, retryInMs: Schema.Number }),
  Schema.TaggedStruct("RelayRecovered", {}),
  /** A way out of the relay fails, as the heartbeat. Told once, until it works again. */
  Schema.TaggedStruct("OutletFailed", { outlet: Schema.String, reason: Schema.String }),
  Schema.TaggedStruct("OutletRecovered", { outlet: Schema.String }),
  /** `why` says why processes are left behind, and what helps. */
  Schema.TaggedStruct("DaemonStopped", {
    leftBehind: Schema.Array(Schema.Int),
    why: perhaps(Schema.String)
  }),
  ...AgentEvent.members,
  ...SavedStateEvent.members,
  ...ServiceEvent.members,
  ...SettingsEvent.members,
  ...LifecycleEvent.members,
  ...LoginEvent.members,
  ...SessionEvent.members,
  ...OutputEvent.members,
  ...MemoryEvent.members,
  ...GuardEvent.members,
  ...GroupEvent.members
)
export type DaemonEvent = typeof DaemonEvent.Type

/** The event as the log shows it: its level, and one sentence whose commands name the project. */
export const describeEvent = (event: DaemonEvent): Message => {
  const { level, text } = describe(event)
  const project = projectOf(event)
  return {
    level,
    text: withProject(text, project === undefined || project === unnamed ? "" : ` --project ${project}`)
  }
}

const describe = (event: DaemonEvent): Message => {
  switch (event._tag) {
    case "DaemonStarted":
      return {
        level: "info",
        text:
          `autopilotd ${event.version} started, pid ${event.pid}, logs in ${event.home}/logs. ` +
          "Query it with `autopilotd status`, stop it with Ctrl-C or `autopilotd stop`"
      }
    case "DaemonVanished": {
      const who = `The previous daemon (pid ${event.pid})`
      const when = `${humanDuration(event.agoMs)} ago`
      return {
        level: "warning",
        text: event.withMachine
          ? `${who} went down with the machine; its last sign of life is from ${when}`
          : `${who} was killed by a user, another program or the kernel (out of memory); its last sign of life is from ${when}`
      }
    }
    case "DaemonStopping":
      return { level: "info", text: `Shutting down: ${event.by}` }
    case "DaemonHastened":
      return { level: "warning", text: `${event.by} while shutting down: killing what is left now` }
    case "TerminalClosed":
      return {
        level: "info",
        text: "The terminal was closed; supervision continues. Stop it with `autopilotd stop`"
      }
    case "HomeMadeAgain":
      return {
        level: "warning",
        text: `The daemon has made its home again, and locked it: ${event.reason}`
      }
    case "HomeNotMadeAgain":
      return {
        level: "error",
        text: `The home cannot be made again. The workers keep running, and the daemon keeps trying: ${event.reason}`
      }
    case "HomeIdChanged":
      return { level: "warning", text: `The id of this home: ${event.reason}` }
    case "EventsLost":
      return {
        level: "warning",
        text: `${event.events} event${event.events === 1 ? " is" : "s are"} missing in the history, because it could not be written: ${event.reason}`
      }
    case "ConcernFailed":
      return {
        level: "error",
        text: `${event.name} failed with a defect and restarts in ${humanDuration(event.retryInMs)}: ${event.cause}`
      }
    case "ConcernRecovered":
      return { level: "info", text: `${event.name} works again` }
    case "ConcernBeyondHelp":
      return { level: "error", text: `${event.name} failed for good, the daemon stops: ${event.cause}` }
    case "RelayEnded":
      return {
        level: "warning",
        text: `The relay ${event.reason}; it starts again in ${humanDuration(event.retryInMs)}. The workers are not affected`
      }
    case "RelayRecovered":
      return { level: "info", text: "The relay runs again" }
    case "OutletFailed":
      return {
        level: "warning",
        text: `The ${printable(event.outlet)} of the relay fails: ${printable(event.reason, 400)}. The relay keeps trying`
      }
    case "OutletRecovered":
      return { level: "info", text: `The ${printable(event.outlet)} of the relay works again` }
    case "DaemonStopped":
      return event.leftBehind.length === 0
        ? { level: "info", text: "Stopped; all workers have exited" }
        : {
            level: "error",
            text:
              event.why === undefined
                ? `Stopped, but ${processes(event.leftBehind)} could not be killed`
                : `Stopped, but left processes behind: ${event.why}`
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
    case "ProjectRemoved":
    case "SettingsReloaded":
    case "SettingsRefused":
    case "RemovalAwaited":
    case "SettingsWritten":
      return describeSettings(event)
    case "CommandTaken":
    case "RestartAsked":
    case "LeftoversEnded":
    case "EnvFileDoubtful":
    case "WorkerStarted":
    case "WorkerSteady":
    case "WorkerExited":
    case "WorkerEnded":
    case "GitLockLeft":
    case "WorkerNotStarted":
    case "BackingOff":
    case "Waiting":
    case "RemainsFound":
    case "GaveUp":
    case "PersonNeeded":
    case "WorkerStopped":
    case "StallFeared":
    case "WorkerOverLimit":
      return describeLifecycle(event)
    case "SessionContinued":
    case "SessionDropped":
    case "BudgetNearlySpent":
    case "AgentStopped":
    case "BudgetReset":
      return describeSession(event)
    case "LimitTried":
    case "LimitOver":
    case "LimitsNotSaved":
    case "LoginChanged":
      return describeLogin(event)
    case "OutputDropped":
    case "LogNotWritten":
    case "LogWritten":
      return describeOutput(event)
    case "MemoryLevelChanged":
    case "MemoryFileUnusable":
    case "MemoryThresholdsUnfit":
      return describeMemory(event)
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
    case "AgentBlocked":
    case "AgentNoProgress":
    case "AgentWaits":
    case "AgentGoesOn":
    case "AgentFinished":
      return describeAgent(event)
    case "GroupsUnusable":
    case "GroupNotMade":
    case "WorkerOutsideGroup":
    case "GroupNotRemoved":
      return describeGroup(event)
  }
}

/** The project an event belongs to; undefined for an event of the daemon itself. */
export const projectOf = (event: DaemonEvent): ProjectName | undefined =>
  "project" in event ? event.project : undefined
