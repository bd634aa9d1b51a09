import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import type { ProjectName } from "../../Domain/Project.ts"
import type { DaemonSight } from "../../Domain/panel/DaemonSight.ts"
import type { ProjectsData } from "../../Domain/status/ProjectsData.ts"
import { ControlClient, type ControlClientError, localConnection } from "../control/ControlClient.ts"
import { subscribe } from "../control/SubscriptionClient.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"

/** Amounts that change without an event, such as memory, are asked for this often. */
const pollInterval = "3 seconds"

/** A daemon that has just started is noticed within this time. */
const retryInterval = "1 second"

/** The first of several events is shown at once, and what follows it within this time together. */
const settleTime = "20 millis"

/** The daemon as the panel sees it, whether or not it runs. */
export class DaemonWatch extends Context.Tag("DaemonWatch")<
  DaemonWatch,
  {
    /** Emits at once, after each event of the daemon, and at least every three seconds. */
    readonly changes: Stream.Stream<void>
    /** What the daemon says of a project, or of the selected one. Asked once between two changes, by whoever comes first. */
    readonly look: (project: ProjectName | undefined) => Effect.Effect<DaemonSight>
  }
>() {}

const sightOf = (error: ControlClientError): DaemonSight =>
  error._tag === "NotRunning" ? { _tag: "NotRunning" } : { _tag: "Unwell", reason: error.message }

export const layer: Layer.Layer<DaemonWatch, never, ControlClient | AutopilotHome> = Layer.scoped(
  DaemonWatch,
  Effect.gen(function* () {
    const { request } = yield* ControlClient
    const { socket } = yield* AutopilotHome
    const hub = yield* PubSub.sliding<void>(1)
    const scope = yield* Effect.scope
    const seen = new Map<string, Fiber.Fiber<DaemonSight>>()
    const change = Effect.suspend(() => {
      seen.clear()
      return PubSub.publish(hub, undefined)
    })

    yield* Effect.forkScoped(Effect.schedule(change, Schedule.spaced(pollInterval)))
    yield* subscribe(localConnection(socket), {}).pipe(
      Stream.buffer({ capacity: 1, strategy: "sliding" }),
      Stream.runForEach(() => Effect.zipRight(change, Effect.sleep(settleTime))),
      Effect.ignore,
      Effect.zipRight(change),
      Effect.repeat(Schedule.spaced(retryInterval)),
      Effect.forkScoped
    )

    /** The start of each run, which every poll would compute a little differently. */
    const known = new Map<string, { readonly pid: number; readonly atMs: number }>()
    const startsOf = ({ projects }: ProjectsData, nowMs: number): ReadonlyMap<string, number> => {
      const starts = new Map<string, number>()
      for (const { name, uptime_seconds: uptime, worker_pid: pid } of projects) {
        if (pid === null) continue
        const last = known.get(name)
        const start = last?.pid === pid ? last : { pid, atMs: nowMs - uptime * 1000 }
        known.set(name, start)
        starts.set(name, start.atMs)
      }
      return starts
    }

    const ask = (project: ProjectName | undefined): Effect.Effect<DaemonSight> =>
      Effect.gen(function* () {
        const [status, projects] = yield* Effect.all(
          [
            request({ type: "Status", ...(project === undefined ? {} : { project }) }),
            request({ type: "Projects" })
          ],
          { concurrency: "unbounded" }
        )
        if (projects.data === undefined || projects.data === null)
          return { _tag: "Unwell" as const, reason: projects.message }
        const starts = startsOf(projects.data, yield* Clock.currentTimeMillis)
        const sight = { _tag: "Running" as const, projects: projects.data, starts }
        if (!status.success || !status.data) return { ...sight, problem: status.message }
        return { ...sight, status: status.data }
      }).pipe(Effect.catchAll((error) => Effect.succeed(sightOf(error))))

    return DaemonWatch.of({
      changes: Stream.concat(Stream.make(undefined), Stream.fromPubSub(hub)),
      look: (project) =>
        Effect.suspend(() => {
          const key = project ?? ""
          const known = seen.get(key)
          if (known !== undefined) return Fiber.join(known)
          // Not by the page that comes first: it may go, and the others still wait.
          return Effect.flatMap(Effect.forkIn(ask(project), scope), (asked) => {
            seen.set(key, asked)
            return Fiber.join(asked)
          })
        })
    })
  })
)
