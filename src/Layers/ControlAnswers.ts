import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { ControlRequest, ControlResponse, StatusData } from "../Domain/ControlProtocol.ts"
import type { ProjectName } from "../Domain/Project.ts"
import { statusData } from "../Domain/StatusReport.ts"
import type { Command } from "../Domain/WorkerEvent.ts"
import { Concerns } from "./Concerns.ts"
import { ControlHandler } from "./ControlHandler.ts"
import { MemoryMonitor } from "./MemoryMonitor.ts"
import type { ProjectSnapshot } from "./ProjectActor.ts"
import { ShutdownRequest } from "./ShutdownRequest.ts"
import { Supervisor, type UnknownProject } from "./Supervisor.ts"

const millisBetween = (fromNanos: bigint, toNanos: bigint): number => Number(toNanos - fromNanos) / 1e6

const make = (daemon: { readonly pid: number; readonly version: string }) =>
  Effect.gen(function* () {
    const supervisor = yield* Supervisor
    const memory = yield* MemoryMonitor
    const concerns = yield* Concerns
    const shutdown = yield* ShutdownRequest
    const startedNanos = yield* Clock.currentTimeNanos

    const dataOf = Effect.fnUntraced(function* ({ nextStartMs, plan, state, worker }: ProjectSnapshot) {
      const nowNanos = yield* Clock.currentTimeNanos
      const snapshots = yield* supervisor.snapshots
      return statusData(
        {
          project: plan.project,
          state,
          argv: plan.argv,
          workingDir: plan.cwd,
          nextStartMs,
          worker:
            worker === undefined
              ? undefined
              : { id: worker.id, uptimeMs: millisBetween(worker.startedNanos, nowNanos) }
        },
        {
          ...daemon,
          uptimeMs: millisBetween(startedNanos, nowNanos),
          memory: yield* SubscriptionRef.get(memory.reading),
          degraded: yield* concerns.degraded,
          all: snapshots.map((snapshot) => snapshot.state)
        }
      )
    })

    const status = (project: ProjectName | undefined, message: (data: StatusData) => string) =>
      supervisor.project(project).pipe(
        Effect.flatMap((actor) => actor.snapshot),
        Effect.flatMap(dataOf),
        Effect.map((data): ControlResponse => ({ success: true, message: message(data), data }))
      )

    const command = Effect.fnUntraced(function* (project: ProjectName | undefined, wanted: Command) {
      const actor = yield* supervisor.project(project)
      const answer = yield* actor.command(wanted)
      const response: ControlResponse = { ...answer, data: yield* dataOf(yield* actor.snapshot) }
      return response
    })

    const answer = (request: ControlRequest): Effect.Effect<ControlResponse, UnknownProject> => {
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
        case "Shutdown":
          return Effect.as(shutdown.ask("asked on the control socket"), {
            success: true,
            message: "Daemon shutting down"
          })
      }
    }

    return ControlHandler.of({
      handle: (request) =>
        Effect.catchTag(answer(request), "UnknownProject", ({ message }) =>
          Effect.succeed({ success: false, message })
        )
    })
  })

/** Answers the control socket from the state as it is: only a command waits, and only until it is accepted. */
export const layer = (daemon: {
  readonly pid: number
  readonly version: string
}): Layer.Layer<ControlHandler, never, Supervisor | MemoryMonitor | Concerns | ShutdownRequest> =>
  Layer.effect(ControlHandler, make(daemon))
