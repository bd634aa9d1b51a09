import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { ControlQuestion, ControlResponse } from "../../Domain/control/ControlProtocol.ts"
import { eventCount } from "../../Domain/history/HistoryData.ts"
import type { ProjectName } from "../../Domain/Project.ts"
import type { StatusData } from "../../Domain/status/StatusData.ts"
import { counted } from "../../Domain/text/Amounts.ts"
import type { UserCommand } from "../../Domain/worker/WorkerEvent.ts"
import { ShutdownRequest } from "../daemon/ShutdownRequest.ts"
import { HogReport, type MemoryUnknown } from "../guard/HogReport.ts"
import type { HistoryUnreadable } from "../history/HistoryReader.ts"
import type { ProcUnreadable } from "../machine/ProcFs.ts"
import { ProjectReports } from "../status/ProjectReports.ts"
import type { CommandAnswer } from "../worker/ProjectActor.ts"
import { ProjectSwitch } from "../worker/ProjectSwitch.ts"
import { Supervisor, type UnknownProject } from "../worker/Supervisor.ts"
import { ControlHandler } from "./ControlHandler.ts"
import { HistoryReport } from "./HistoryReport.ts"
import { SettingsAnswers } from "./SettingsAnswers.ts"
import { Subscriptions } from "./Subscriptions.ts"

const make = Effect.gen(function* () {
  const supervisor = yield* Supervisor
  const reports = yield* ProjectReports
  const projects = yield* ProjectSwitch
  const settings = yield* SettingsAnswers
  const hogs = yield* HogReport
  const history = yield* HistoryReport
  const shutdown = yield* ShutdownRequest
  const subscriptions = yield* Subscriptions

  const status = (project: ProjectName | undefined, message: (data: StatusData) => string) =>
    Effect.map(
      reports.status(project),
      (data): ControlResponse => ({ success: true, message: message(data), data })
    )

  const answered = Effect.fnUntraced(function* (answer: CommandAnswer, project: ProjectName | undefined) {
    const response: ControlResponse = { ...answer, data: yield* reports.status(project) }
    return response
  })

  const command = Effect.fnUntraced(function* (named: ProjectName | undefined, wanted: UserCommand) {
    // What "the selected one" is may change while the command is taken.
    const project = named ?? (yield* supervisor.selected)
    return yield* answered(yield* (yield* supervisor.project(project)).command(wanted), project)
  })

  const answer = (
    request: ControlQuestion
  ): Effect.Effect<ControlResponse, UnknownProject | MemoryUnknown | ProcUnreadable | HistoryUnreadable> => {
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
      case "Projects":
        return Effect.map(reports.projects, (data) => ({
          success: true,
          message: counted(data.projects.length, "project"),
          data
        }))
      case "Hogs":
        return Effect.map(hogs.look, (data) => ({
          success: true,
          message: `${counted(data.would_end.length, "process", "processes")} would be ended for memory`,
          data
        }))
      case "History":
        return Effect.map(history.last(request), (data) => ({
          success: true,
          message: eventCount(data.records.length),
          data
        }))
      case "SelectProject":
        return Effect.flatMap(projects.to(request.project, { keep: request.keep === true }), (taken) =>
          answered(taken, request.project)
        )
      case "ReloadConfig":
        return settings.reload(request.project, request.restart === true)
      case "GetConfig":
        return settings.get
      case "SetConfig":
        return settings.set(request.text, request.sha256, request.dry_run === true)
      case "Shutdown":
        return Effect.as(shutdown.ask("asked on the control socket"), {
          success: true,
          message: "Daemon shutting down"
        })
    }
  }

  return ControlHandler.of({
    handle: (request) =>
      Effect.catchAll(answer(request), ({ message }) => Effect.succeed({ success: false, message })),
    follow: (request, follower) =>
      Effect.mapError(subscriptions.serve(request, follower), ({ message }) => message)
  })
})

/** Answers the control socket from the state as it is: only a command waits, and only until it is accepted. */
export const layer: Layer.Layer<
  ControlHandler,
  never,
  | Supervisor
  | ProjectReports
  | ProjectSwitch
  | SettingsAnswers
  | HogReport
  | HistoryReport
  | ShutdownRequest
  | Subscriptions
> = Layer.effect(ControlHandler, make)
