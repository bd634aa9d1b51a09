import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import { type DaemonEvent, describeEvent, projectOf } from "../../Domain/history/DaemonEvent.ts"
import type { PublishedEvent } from "../../Domain/history/HistoryRecord.ts"
import { DaemonLog } from "./DaemonLog.ts"
import { HistoryStore } from "./HistoryStore.ts"

/** Publishes each event to the log, the history and the subscribers. */
export class DaemonEvents extends Context.Tag("DaemonEvents")<
  DaemonEvents,
  {
    readonly publish: (event: DaemonEvent) => Effect.Effect<void>
    /** All events from now on. A slow reader misses the oldest. */
    readonly changes: Stream.Stream<PublishedEvent>
  }
>() {}

/** The number of events that a slow reader may fall behind. */
const backlog = 1024

export const layer: Layer.Layer<DaemonEvents, never, DaemonLog | HistoryStore> = Layer.scoped(
  DaemonEvents,
  Effect.gen(function* () {
    const log = yield* DaemonLog
    const history = yield* HistoryStore
    const pubsub = yield* Effect.acquireRelease(PubSub.sliding<PublishedEvent>(backlog), PubSub.shutdown)
    return {
      publish: (event) =>
        Effect.suspend(() => {
          const { level, text } = describeEvent(event)
          log.write(level, projectOf(event), text)
          return PubSub.publish(pubsub, { ...event, ...history.append(event) })
        }).pipe(Effect.asVoid),
      changes: Stream.fromPubSub(pubsub)
    }
  })
)
