import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { noTally, type Tally, tallied } from "../../Domain/metrics/Tally.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"

/** What happened since the start of the daemon, in numbers. */
export class Tallies extends Context.Tag("Tallies")<Tallies, Ref.Ref<Tally>>() {}

/**
 * Counts each event where it is published, because a slow follower of `DaemonEvents` misses some. The events that
 * this layer provides are those that are counted.
 */
export const layer: Layer.Layer<Tallies | DaemonEvents, never, DaemonEvents> = Layer.effectContext(
  Effect.gen(function* () {
    const events = yield* DaemonEvents
    const tally = yield* Ref.make(noTally)
    const clock = yield* Effect.clock
    const counted = DaemonEvents.of({
      ...events,
      publish: (event) =>
        Effect.zipRight(
          Ref.update(tally, (before) => tallied(before, event, clock.unsafeCurrentTimeMillis())),
          events.publish(event)
        )
    })
    return Context.make(Tallies, tally).pipe(Context.add(DaemonEvents, counted))
  })
)
