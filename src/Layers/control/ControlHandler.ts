import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import type { ControlQuestion, ControlResponse } from "../../Domain/control/ControlProtocol.ts"
import { type CodedError, codeOf, type ErrorCode } from "../../Domain/control/ErrorCode.ts"
import type { SubscribeRequest } from "../../Domain/control/Subscription.ts"
import { defaultHistoryEvents, eventCount, historyData, needed } from "../../Domain/history/HistoryData.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import type { StatusData } from "../../Domain/status/StatusData.ts"
import { counted } from "../../Domain/text/Amounts.ts"
import type { UserCommand } from "../../Domain/worker/WorkerEvent.ts"
import type { SettingsReload } from "../config/SettingsReload.ts"
import type { SettingsStore } from "../config/SettingsStore.ts"
import { ShutdownRequest } from "../daemon/ShutdownRequest.ts"
import { HogReport, type MemoryUnknown } from "../guard/HogReport.ts"
import type { Concerns } from "../history/Concerns.ts"
import type { DaemonEvents } from "../history/DaemonEvents.ts"
import { HistoryReader, type HistoryUnreadable } from "../history/HistoryReader.ts"
import { HistoryStore } from "../history/HistoryStore.ts"
import type { WorkerLines } from "../logs/WorkerLines.ts"
import type { ProcUnreadable } from "../machine/ProcFs.ts"
import { localZone } from "../machine/TimeZone.ts"
import { MetricsReport } from "../metrics/MetricsReport.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import { budgetReport } from "../status/BudgetReport.ts"
import { MemoryTimeline } from "../status/MemoryTimeline.ts"
import { ProjectReports } from "../status/ProjectReports.ts"
import type { CommandAnswer } from "../worker/CommandAnswers.ts"
import { ProjectSwitch } from "../worker/ProjectSwitch.ts"
import { Supervisor, type UnknownProject } from "../worker/Supervisor.ts"
import type { Follower } from "./ControlConnections.ts"
import * as SettingsAnswers from "./SettingsAnswers.ts"
import * as Subscriptions from "./Subscriptions.ts"

/**
 * Answers decoded requests. An answer names what was accepted and the state at that moment; no answer waits for a
 * worker. An accepted request is carried out even when its client has disconnected.
 */
export class ControlHandler extends Context.Tag("ControlHandler")<
  ControlHandler,
  {
    /** Returns the answer itself where it waits for nothing: a fiber would cost more than the answer. */
    readonly handle: (request: ControlQuestion) => ControlResponse | Effect.Effect<ControlResponse>
    /** Serves a subscriber until it is gone. Fails with what refuses it, before anything was sent. */
    readonly follow: (
      request: SubscribeRequest,
      follower: Follower
    ) => Effect.Effect<void, { readonly message: string; readonly code: ErrorCode }>
  }
>() {}

/** Bounds the events in the daemon's memory. Restarts are counted among them. */
const maxHistoryRead = 5000

/** Returns the last events of the history, or those from a cursor on, and how often workers restarted. */
export const lastEvents = Effect.fnUntraced(function* ({
  from,
  limit = defaultHistoryEvents,
  project,
  since_ms: sinceMs
}: Extract<ControlQuestion, { readonly type: "History" }>) {
  const { read } = yield* HistoryReader
  const nowMs = yield* Clock.currentTimeMillis
  const zone = yield* localZone
  const question = { sinceMs, limit, from }
  const found = yield* read({
    ...needed(question, nowMs, zone),
    limit: maxHistoryRead,
    ...(project === undefined ? {} : { project })
  })
  return historyData(found, question, nowMs, zone)
})

const failure = (error: CodedError & { readonly message: string }): ControlResponse => ({
  success: false,
  message: error.message,
  code: codeOf(error)
})

const make = Effect.gen(function* () {
  const supervisor = yield* Supervisor
  const reports = yield* ProjectReports
  const metrics = yield* MetricsReport
  const projects = yield* ProjectSwitch
  const hogs = yield* HogReport
  const history = yield* HistoryReader
  const { isRecorded, recorded } = yield* HistoryStore
  const timeline = yield* MemoryTimeline
  const shutdown = yield* ShutdownRequest
  const settings = yield* SettingsAnswers.make
  const { forgetAdded } = yield* SettingsInForce
  const subscriptions = yield* Subscriptions.make

  const status = (project: ProjectName | undefined, message: (data: StatusData) => string) =>
    Either.map(
      reports.status(project),
      (data): ControlResponse => ({ success: true, message: message(data), data })
    )

  const answered = Effect.fnUntraced(function* (answer: CommandAnswer, project: ProjectName | undefined) {
    const { message, success } = answer
    const data = yield* reports.status(project)
    const response: ControlResponse = { success, message, ...(!success && { code: "bug" }), data }
    return response
  })

  const command = Effect.fnUntraced(function* (named: ProjectName | undefined, wanted: UserCommand) {
    // The selection may change before the actor has taken the command, so the name is read once.
    const project = named ?? supervisor.selected()
    return yield* answered(yield* (yield* supervisor.project(project)).command(wanted), project)
  })

  const answer = (
    request: ControlQuestion
  ):
    | Either.Either<ControlResponse, UnknownProject>
    | Effect.Effect<
        ControlResponse,
        | UnknownProject
        | MemoryUnknown
        | ProcUnreadable
        | HistoryUnreadable
        | Effect.Effect.Error<ReturnType<typeof settings.run>>
      > => {
    switch (request.type) {
      case "Status":
        return status(request.project, (data) => `Worker is ${data.worker_status}`)
      case "GetMetrics":
        return status(request.project, () => "Metrics retrieved")
      case "StartWorker":
        return command(request.project, "start")
      case "StopWorker":
        return command(request.project, "stop")
      case "RestartWorker":
        return command(request.project, "restart")
      case "ResetBudget":
        return Effect.gen(function* () {
          const project = request.project ?? supervisor.selected()
          return yield* answered(yield* (yield* supervisor.project(project)).forget, project)
        })
      case "Budget":
        return Effect.map(Effect.provideService(budgetReport, Supervisor, supervisor), (data) => ({
          success: true,
          message: counted(data.budgets.length, "agent"),
          data
        }))
      case "Projects": {
        const data = reports.projects()
        return Either.right({ success: true, message: counted(data.projects.length, "project"), data })
      }
      case "Metrics":
        return Effect.map(metrics.report, (data) => ({
          success: true,
          message: `Metrics of ${counted(data.workers.length, "project")}`,
          data
        }))
      case "Hogs":
        return Effect.map(hogs.report, (data) => ({
          success: true,
          message: `${counted(data.would_end.length, "process", "processes")} would be killed for memory`,
          data
        }))
      case "History":
        return recorded.pipe(
          Effect.zipRight(Effect.provideService(lastEvents(request), HistoryReader, history)),
          Effect.map((data) => ({ success: true, message: eventCount(data.records.length), data }))
        )
      case "Samples":
        return Effect.map(
          timeline.samples({ sinceMs: request.since_ms, project: request.project }),
          (data) => ({ success: true, message: counted(data.at_ms.length, "sample"), data })
        )
      case "SelectProject":
        return Effect.flatMap(projects.to(request.project, { keep: request.keep === true }), (taken) =>
          answered(taken, request.project)
        )
      case "RunProject": {
        const { argv, project: name, working_dir: workingDir } = request
        return Effect.flatMap(settings.run(name, { argv, workingDir }), (project) =>
          status(project, () => `Project ${project} added`)
        )
      }
      case "UseProject":
        return Effect.zipRight(
          supervisor.select(request.project),
          Effect.suspend(() =>
            status(
              request.project,
              ({ worker_status }) => `Selected ${request.project}. Its worker is ${worker_status}`
            )
          )
        )
      case "ReloadConfig":
        return settings.reload(request.project, request.restart === true)
      case "GetConfig":
        return settings.get
      case "SetConfig":
        return settings.set(request.text, request.sha256, request.dry_run === true)
      case "Shutdown":
        // A user ends what was added with the daemon; a signal, as of a reboot, does not.
        return Effect.as(forgetAdded, { success: true, message: "Daemon shutting down" })
    }
  }

  return ControlHandler.of({
    handle: (request) => {
      const answered = answer(request)
      // `why` and `wait` read the history after an answer, and must find there what the answer speaks of.
      if (!Either.isEither(answered))
        return answered.pipe(
          Effect.catchAll((error) => Effect.succeed(failure(error))),
          Effect.zipLeft(recorded),
          // The end is asked for last: a daemon without a worker closes the socket before an answer that still waits.
          Effect.zipLeft(
            request.type === "Shutdown" ? shutdown.ask("requested on the control socket") : Effect.void
          )
        )
      const response = Either.getOrElse(answered, failure)
      return isRecorded() ? response : Effect.as(recorded, response)
    },
    follow: (request, follower) =>
      Effect.mapError(subscriptions.serve(request, follower), (error) => ({
        message: error.message,
        code: codeOf(error)
      }))
  })
})

export const layer: Layer.Layer<
  ControlHandler,
  never,
  | Supervisor
  | ProjectReports
  | MetricsReport
  | ProjectSwitch
  | SettingsStore
  | SettingsReload
  | SettingsInForce
  | HogReport
  | HistoryReader
  | MemoryTimeline
  | ShutdownRequest
  | DaemonEvents
  | HistoryStore
  | Concerns
  | WorkerLines
> = Layer.scoped(ControlHandler, make)
