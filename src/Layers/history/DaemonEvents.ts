import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import { type DaemonEvent, describeEvent, projectOf } from "../../Domain/history/DaemonEvent.ts"
import type { PublishedEvent } from "../../Domain/history/HistoryRecord.ts"
import { type Listen, makeListeners } from "../concurrency/Listeners.ts"
import { DaemonLog } from "./DaemonLog.ts"
import { HistoryStore } from "./HistoryStore.ts"

/** Publishes each event to the log, the history and the subscribers. */
export class DaemonEvents extends Context.Tag("DaemonEvents")<
  DaemonEvents,
  {
    readonly publish: (event: DaemonEvent) => Effect.Effect<void>
    /** All events from now on. A slow reader misses the oldest. */
    readonly changes: Stream.Stream<PublishedEvent>
    /** The events of these kinds from now on. Others do not wake the reader. */
    readonly only: <Kind extends PublishedEvent["_tag"]>(
      ...kinds: ReadonlyArray<Kind>
    ) => Stream.Stream<Extract<PublishedEvent, { readonly _tag: Kind }>>
  }
>() {}

/** The number of events that a slow reader may fall behind. */
const backlog = 1024

const onlyOf = <Kind extends PublishedEvent["_tag"]>(
  listen: Listen<[PublishedEvent]>,
  kinds: ReadonlyArray<Kind>
) => {
  type Wanted = Extract<PublishedEvent, { readonly _tag: Kind }>
  const wanted: ReadonlySet<string> = new Set(kinds)
  const isWanted = (event: PublishedEvent): event is Wanted => wanted.has(event._tag)
  return Stream.unwrapScoped(
    Effect.gen(function* () {
      const queue = yield* Effect.acquireRelease(Queue.sliding<Wanted>(backlog), Queue.shutdown)
      yield* Effect.acquireRelease(
        Effect.sync(() => listen((event) => void (isWanted(event) && queue.unsafeOffer(event)))),
        (leave) => Effect.sync(leave)
      )
      return Stream.fromQueue(queue)
    })
  )
}

export const layer: Layer.Layer<DaemonEvents, never, DaemonLog | HistoryStore> = Layer.scoped(
  DaemonEvents,
  Effect.gen(function* () {
    const log = yield* DaemonLog
    const history = yield* HistoryStore
    const listeners = makeListeners<[PublishedEvent]>()
    const pubsub = yield* Effect.acquireRelease(PubSub.sliding<PublishedEvent>(backlog), PubSub.shutdown)
    return {
      publish: (event) =>
        Effect.suspend(() => {
          const { level, text } = describeEvent(event)
          log.write(level, projectOf(event), text)
          const published = { ...event, ...history.append(event) }
          listeners.tell(published)
          return PubSub.publish(pubsub, published)
        }).pipe(Effect.asVoid),
      changes: Stream.fromPubSub(pubsub),
      only: (...kinds) => onlyOf(listeners.listen, kinds)
    }
  })
)
