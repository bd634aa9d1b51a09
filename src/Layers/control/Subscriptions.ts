import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import {
  eventLine,
  isSubscribed,
  logLines,
  type SubscribeRequest,
  subscriptionLine
} from "../../Domain/control/Subscription.ts"
import { projectOf } from "../../Domain/history/DaemonEvent.ts"
import type { EventCursor } from "../../Domain/history/EventsFrom.ts"
import type { PublishedEvent } from "../../Domain/history/HistoryRecord.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { HistoryStore } from "../history/HistoryStore.ts"
import { type LineListener, WorkerLines } from "../logs/WorkerLines.ts"
import { ProjectReports } from "../status/ProjectReports.ts"
import type { Follower } from "./ControlConnections.ts"

/** A client that closed its own side first is noticed only by a failed write, so that an idle subscription writes too. */
const aliveInterval = Duration.seconds(15)

interface Subscriber {
  readonly request: SubscribeRequest
  readonly follower: Follower
  /** Lines that follow the snapshot. Undefined once the snapshot was sent. */
  waiting: Array<string> | undefined
}

/** Sends events and workers' lines to subscribers, as the concern `subscriptions`. */
export const make = Effect.gen(function* () {
  const events = yield* DaemonEvents
  const history = yield* HistoryStore
  const reports = yield* ProjectReports
  const concerns = yield* Concerns
  const workerLines = yield* WorkerLines
  const clock = yield* Effect.clock
  const subscribers = new Set<Subscriber>()

  const send = ({ follower, waiting }: Subscriber, line: string) => {
    if (waiting === undefined) follower.send(line)
    else waiting.push(line)
  }

  const sendToAll = Effect.fnUntraced(function* (event: PublishedEvent) {
    const project = projectOf(event)
    // Serialised once for all subscribers.
    const line = eventLine(event, yield* Clock.currentTimeMillis)
    for (const subscriber of subscribers)
      if (isSubscribed(subscriber.request, project)) send(subscriber, line)
  })

  yield* concerns.run(
    "subscriptions",
    events.followWhile(() => subscribers.size > 0, sendToAll)
  )

  /** Called for every chunk of every worker's output, so that without a subscriber to lines it does nothing. */
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

  const snapshot = Effect.fnUntraced(function* ({ project }: SubscribeRequest, next: EventCursor) {
    const status = yield* reports.status(project)
    const projects = reports.projects()
    return subscriptionLine({ type: "snapshot", at: yield* Clock.currentTimeMillis, status, projects, next })
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

  return {
    /** Sends a snapshot, then everything that happens, until the follower is gone. */
    serve: Effect.fnUntraced(function* (request: SubscribeRequest, follower: Follower) {
      // Subscribed before the snapshot is taken, so that no event falls between them.
      const subscriber = yield* subscribe(request, follower)
      const next = yield* history.next
      follower.send(yield* snapshot(request, next))
      for (const line of subscriber.waiting ?? []) follower.send(line)
      subscriber.waiting = undefined
      const alive = Effect.map(Clock.currentTimeMillis, (at) =>
        follower.send(subscriptionLine({ type: "alive", at }))
      )
      yield* Effect.raceFirst(follower.gone, Effect.forever(Effect.delay(alive, aliveInterval)))
    }, Effect.scoped)
  }
})
