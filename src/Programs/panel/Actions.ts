import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServerResponse from "@effect/platform/HttpServerResponse"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { ProjectName } from "../../Domain/Project.ts"
import { ControlClient } from "../../Layers/control/ControlClient.ts"
import { startDaemon } from "../../Layers/panel/DaemonStart.ts"
import { refused } from "../../Layers/panel/PanelServer.ts"
import { AskedProject, asked } from "./Asked.ts"

interface ActionAnswer {
  readonly success: boolean
  readonly message: string
}

/** The options of `autopilotd gui` that a start of the daemon gets. */
export interface StartOptions {
  readonly argv: ReadonlyArray<string>
}

const workers = {
  "start-worker": "StartWorker",
  "stop-worker": "StopWorker",
  "restart-worker": "RestartWorker"
} as const

/** What each action asks of the daemon. */
const actionOf = (name: string, project: ProjectName | undefined, { argv }: StartOptions) =>
  Effect.gen(function* () {
    const { request } = yield* ControlClient
    const about = project === undefined ? {} : { project }
    switch (name) {
      case "start":
        return yield* startDaemon(argv)
      case "stop":
        return yield* request({ type: "Shutdown" })
      case "start-worker":
      case "stop-worker":
      case "restart-worker":
        return yield* request({ type: workers[name], ...about })
      case "switch":
        return project === undefined
          ? { success: false, message: "Name the project to switch to: ?project=NAME" }
          : yield* request({ type: "SelectProject", project })
      case "reload":
        return yield* request({ type: "ReloadConfig" })
      default:
        return undefined
    }
  }).pipe(
    Effect.catchAll(({ message }): Effect.Effect<ActionAnswer> => Effect.succeed({ success: false, message }))
  )

/** `POST /api/daemon/ACTION?project=NAME`, and `GET /api/daemon/status`: JSON with `success` and `message`. */
export const actions = (options: StartOptions) =>
  HttpRouter.empty.pipe(
    HttpRouter.get(
      "/status",
      Effect.gen(function* () {
        const { request } = yield* ControlClient
        const { project } = yield* asked(Schema.Struct({ project: Schema.optional(AskedProject) }))
        return yield* request({ type: "Status", ...(project === undefined ? {} : { project }) }).pipe(
          Effect.catchAll(({ message }) => Effect.succeed({ success: false, message })),
          Effect.map((answer) => HttpServerResponse.unsafeJson(answer))
        )
      })
    ),
    HttpRouter.post(
      "/:action",
      Effect.gen(function* () {
        const { action = "" } = yield* HttpRouter.params
        const { project } = yield* asked(Schema.Struct({ project: Schema.optional(AskedProject) }))
        const answer = yield* actionOf(action, project, options)
        return answer === undefined
          ? refused(404, `There is no action ${action}.`)
          : HttpServerResponse.unsafeJson({ success: answer.success, message: answer.message })
      })
    )
  )
