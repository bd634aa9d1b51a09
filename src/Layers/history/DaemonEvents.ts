import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"
import { type DaemonEvent, describeEvent, projectOf } from "../../Domain/history/DaemonEvent.ts"
import type { PublishedEvent } from "../../Domain/history/HistoryRecord.ts"
import { type Listen, makeListeners } from "../concurrency/Listeners.ts"
import { DaemonLog } from "./DaemonLog.ts"
import { HistoryStore } from "./HistoryStore.ts"

/** Publishes each event to the log, the history and the subscribers, in order, within some milliseconds. */
export class DaemonEvents extends Context.Tag("DaemonEvents")<
  DaemonEvents,
  {
    readonly publish: (event: DaemonEvent) => Effect.Effect<void>
    /** Calls plain code, which must not throw, at each event. */
    readonly listen: Listen<[PublishedEvent]>
    /** The same at each event of these kinds, until the scope closes. */
    readonly hear: (
      kinds: ReadonlyArray<PublishedEvent["_tag"]>,
      act: () => void
    ) => Effect.Effect<void, never, Scope.Scope>
    /**
     * Acts on each event of these kinds from now on, one after the other. Others do not wake it, and when it is slow it misses the
     * oldest.
     */
    readonly follow: <Kind extends PublishedEvent["_tag"]>(
      kinds: ReadonlyArray<Kind>,
      act: (event: Extract<PublishedEvent, { readonly _tag: Kind }>) => Effect.Effect<unknown>
    ) => Effect.Effect<never>
    /** The same on each event that comes while this is so. */
    readonly followWhile: (
      isWanted: () => boolean,
      act: (event: PublishedEvent) => Effect.Effect<unknown>
    ) => Effect.Effect<never>
  }
>() {}

/** The number of events that a slow reader may fall behind. */
const backlog = 1024

/** A full queue drops its oldest event, which needs a fiber. */
const offer = <A>(queue: Queue.Queue<A>, event: A): void => {
  if (!queue.unsafeOffer(event)) Effect.runSync(Queue.offer(queue, event))
}

/** The wanted events from now on, until the scope closes. */
const queueOf = <Wanted extends PublishedEvent>(
  listen: Listen<[PublishedEvent]>,
  isWanted: (event: PublishedEvent) => event is Wanted
): Effect.Effect<Queue.Queue<Wanted>, never, Scope.Scope> =>
  Effect.tap(Effect.acquireRelease(Queue.sliding<Wanted>(backlog), Queue.shutdown), (queue) =>
    Effect.acquireRelease(
      Effect.sync(() => listen((event) => void (isWanted(event) && offer(queue, event)))),
      (leave) => Effect.sync(leave)
    )
  )

/** Acts on each wanted event from now on. */
const followed = <Wanted extends PublishedEvent>(
  listen: Listen<[PublishedEvent]>,
  isWanted: (event: PublishedEvent) => event is Wanted,
  act: (event: Wanted) => Effect.Effect<unknown>
): Effect.Effect<never> =>
  Effect.scoped(
    Effect.flatMap(queueOf(listen, isWanted), (queue) =>
      Effect.forever(Effect.flatMap(Queue.take(queue), act))
    )
  )

export const layer: Layer.Layer<DaemonEvents, never, DaemonLog | HistoryStore> = Layer.scoped(
  DaemonEvents,
  Effect.gen(function* () {
    const log = yield* DaemonLog
    const history = yield* HistoryStore
    const { listen, tell } = makeListeners<[PublishedEvent]>()
    yield* Effect.addFinalizer(() => Effect.sync(log.settle))
    return {
      publish: (event) =>
        Effect.sync(() => {
          const at = new Date()
          log.later(() => {
            const { level, text } = describeEvent(event)
            log.write(level, projectOf(event), text, at)
            tell({ ...event, ...history.append(event, at.getTime()) })
          })
        }),
      listen,
      hear: (kinds, act) =>
        Effect.asVoid(
          Effect.acquireRelease(
            Effect.sync(() => listen(({ _tag }) => void (kinds.includes(_tag) && act()))),
            (leave) => Effect.sync(leave)
          )
        ),
      follow: <Kind extends PublishedEvent["_tag"]>(
        kinds: ReadonlyArray<Kind>,
        act: (event: Extract<PublishedEvent, { readonly _tag: Kind }>) => Effect.Effect<unknown>
      ) => {
        const wanted: ReadonlySet<string> = new Set(kinds)
        const isWanted = (event: PublishedEvent): event is Extract<PublishedEvent, { readonly _tag: Kind }> =>
          wanted.has(event._tag)
        return followed(listen, isWanted, act)
      },
      followWhile: (isWanted, act) => followed(listen, (_event): _event is PublishedEvent => isWanted(), act)
    }
  })
)
