import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import {
  eventLine,
  isSubscribed,
  logLines,
  type SubscribeRequest,
  subscriptionLine
} from "../../Domain/control/Subscription.ts"
import { type DaemonEvent, projectOf } from "../../Domain/history/DaemonEvent.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { type LineListener, WorkerLines } from "../logs/WorkerLines.ts"
import { ProjectReports } from "../status/ProjectReports.ts"
import type { UnknownProject } from "../worker/Supervisor.ts"
import type { Follower } from "./ControlHandler.ts"

/** Only a write tells that a client is gone which has closed its own side before. */
const aliveInterval = Duration.seconds(15)

/** Sends those who have subscribed what happens. */
export class Subscriptions extends Context.Tag("Subscriptions")<
  Subscriptions,
  {
    /** Sends the follower how things are, then everything, and returns when the follower is gone. */
    readonly serve: (request: SubscribeRequest, follower: Follower) => Effect.Effect<void, UnknownProject>
  }
>() {}

interface Subscriber {
  readonly request: SubscribeRequest
  readonly follower: Follower
  /** What happens before the snapshot was sent comes after it; undefined once it was. */
  waiting: Array<string> | undefined
}

const make = Effect.gen(function* () {
  const events = yield* DaemonEvents
  const reports = yield* ProjectReports
  const concerns = yield* Concerns
  const workerLines = yield* WorkerLines
  const clock = yield* Effect.clock
  const subscribers = new Set<Subscriber>()

  const send = ({ follower, waiting }: Subscriber, line: string) => {
    if (waiting === undefined) follower.send(line)
    else waiting.push(line)
  }

  const tell = Effect.fnUntraced(function* (event: DaemonEvent) {
    if (subscribers.size === 0) return
    const project = projectOf(event)
    // Written once for all.
    const line = eventLine(event, yield* Clock.currentTimeMillis)
    for (const subscriber of subscribers)
      if (isSubscribed(subscriber.request, project)) send(subscriber, line)
  })

  yield* concerns.run("subscriptions", Stream.runForEach(events.changes, tell))

  /** Called for every piece of every worker's output: while nobody wants lines, nothing is made of it. */
  const onLines: LineListener = (project, stream, lines) => {
    const wanting = [...subscribers].filter(
      ({ request }) => request.logs === true && isSubscribed(request, project)
    )
    if (wanting.length === 0) return
    const texts = lines.toString("utf8").split("\n").slice(0, -1)
    const written = logLines(project, stream, texts, clock.unsafeCurrentTimeMillis()).join("")
    for (const subscriber of wanting) send(subscriber, written)
  }
  yield* Effect.acquireRelease(
    Effect.sync(() => workerLines.listen(onLines)),
    (leave) => Effect.sync(leave)
  )

  const snapshot = Effect.fnUntraced(function* ({ project }: SubscribeRequest) {
    const status = yield* reports.status(project)
    const projects = yield* reports.projects
    return subscriptionLine({ type: "snapshot", at: yield* Clock.currentTimeMillis, status, projects })
  })

  const subscribe = (request: SubscribeRequest, follower: Follower) =>
    Effect.acquireRelease(
      Effect.sync(() => {
        const subscriber: Subscriber = { request, follower, waiting: [] }
        subscribers.add(subscriber)
        return subscriber
      }),
      (subscriber) => Effect.sync(() => subscribers.delete(subscriber))
    )

  return Subscriptions.of({
    serve: Effect.fnUntraced(function* (request, follower) {
      // Before the snapshot is made, so that nothing falls between it and the first event.
      const subscriber = yield* subscribe(request, follower)
      follower.send(yield* snapshot(request))
      for (const line of subscriber.waiting ?? []) follower.send(line)
      subscriber.waiting = undefined
      const alive = Effect.map(Clock.currentTimeMillis, (at) =>
        follower.send(subscriptionLine({ type: "alive", at }))
      )
      yield* Effect.raceFirst(follower.gone, Effect.forever(Effect.delay(alive, aliveInterval)))
    }, Effect.scoped)
  })
})

export const layer: Layer.Layer<
  Subscriptions,
  never,
  DaemonEvents | ProjectReports | Concerns | WorkerLines
> = Layer.scoped(Subscriptions, make)
