import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { DaemonEvent } from "../../Domain/history/DaemonEvent.ts"
import type { MemoryLook } from "../../Domain/memory/MemoryLook.ts"
import { nothingSeen, type WatchSettings, watchStep } from "../../Domain/memory/MemoryWatch.ts"
import { PlainTimer } from "../concurrency/EventLoop.ts"
import { Concerns } from "../history/Concerns.ts"
import { DaemonEvents } from "../history/DaemonEvents.ts"
import { MemoryReader } from "../machine/MemoryReader.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"

/** The memory as last looked at, and whether that is plenty. It is looked at once before anybody can ask. */
export class MemoryMonitor extends Context.Tag("MemoryMonitor")<
  MemoryMonitor,
  {
    /** Undefined until the memory could be read for the first time; while it cannot be read, the last look stays. */
    readonly last: Effect.Effect<MemoryLook | undefined>
    /** Looks now. Undefined when the memory cannot be read. */
    readonly now: Effect.Effect<MemoryLook | undefined>
    /**
     * From the moment of running: every look that shows less than plenty, and the first one that shows plenty again.
     * A reader that is slow gets the newest.
     */
    readonly shortage: Stream.Stream<MemoryLook>
  }
>() {}

const isSame = (one: WatchSettings, other: WatchSettings): boolean =>
  one.pollIntervalMs === other.pollIntervalMs &&
  one.minAvailableBytes === other.minAvailableBytes &&
  one.criticalThresholdBytes === other.criticalThresholdBytes

/** What a look has found that others must hear of. */
interface Found {
  /** Undefined when the memory could not be read. */
  readonly look: MemoryLook | undefined
  readonly news: ReadonlyArray<DaemonEvent>
  /** A look for those who follow a shortage. */
  readonly shortage: MemoryLook | undefined
  readonly nextMs: number
}

const make = Effect.gen(function* () {
  const { read } = yield* MemoryReader
  const timer = yield* PlainTimer
  const events = yield* DaemonEvents
  const concerns = yield* Concerns
  const settings = yield* SettingsInForce
  const clock = yield* Effect.clock
  const shortages = yield* Effect.acquireRelease(PubSub.sliding<MemoryLook>(1), PubSub.shutdown)
  let watch = nothingSeen

  const look = (wanted: WatchSettings): Found => {
    const sight = read()
    const now = {
      wallMs: clock.unsafeCurrentTimeMillis(),
      monotonicMs: Number(clock.unsafeCurrentTimeNanos()) / 1e6
    }
    const wasShort = watch.last !== undefined && watch.last.level !== "plentiful"
    const { news, nextMs, watch: after } = watchStep(watch, sight, wanted, now)
    watch = after
    const isShort = wasShort || after.last?.level !== "plentiful"
    const seen = sight.reading === undefined ? undefined : after.last
    return { look: seen, news, nextMs, shortage: isShort ? seen : undefined }
  }

  /** Looks until others must hear of it. The first look is after `afterMs`, or at once. */
  const lookUntilFound = (wanted: WatchSettings, afterMs: number): Effect.Effect<Found> =>
    Effect.async((resume) => {
      let callOff = () => {}
      const next = () => {
        try {
          const found = look(wanted)
          if (found.news.length > 0 || found.shortage !== undefined) resume(Effect.succeed(found))
          else callOff = timer.after(found.nextMs, next)
        } catch (cause) {
          resume(Effect.die(cause))
        }
      }
      if (afterMs > 0) callOff = timer.after(afterMs, next)
      else next()
      return Effect.sync(() => callOff())
    })

  const tell = Effect.fnUntraced(function* ({ news, shortage }: Found) {
    if (shortage !== undefined) yield* PubSub.publish(shortages, shortage)
    for (const event of news) yield* events.publish(event)
  })

  const looks = Effect.fnUntraced(function* (wanted: WatchSettings) {
    let afterMs = 0
    for (;;) {
      const found = yield* lookUntilFound(wanted, afterMs)
      yield* tell(found)
      afterMs = found.nextMs
    }
  })

  // A defect of the first look is the concern's to tell, not a reason to refuse the start.
  const { memory } = yield* SubscriptionRef.get(settings.current)
  yield* Effect.suspend(() => tell(look(memory))).pipe(Effect.catchAllCause(() => Effect.void))
  const followed = settings.current.changes.pipe(
    Stream.map((current) => current.memory),
    Stream.changesWith(isSame),
    Stream.flatMap((current) => Stream.fromEffect(looks(current)), { switch: true })
  )
  yield* concerns.run("memory monitor", Stream.runDrain(followed))
  return MemoryMonitor.of({
    last: Effect.sync(() => watch.last),
    now: Effect.gen(function* () {
      const found = look((yield* SubscriptionRef.get(settings.current)).memory)
      // Who asks is who follows a shortage: what comes of it is theirs to see.
      yield* tell({ ...found, shortage: undefined })
      return found.look
    }),
    shortage: Stream.fromPubSub(shortages)
  })
})

/**
 * Looks as often as memory could run out, and at least every `poll_interval_ms`, as a concern of its own. Settings that
 * change hold at once.
 */
export const layer: Layer.Layer<
  MemoryMonitor,
  never,
  MemoryReader | Concerns | DaemonEvents | SettingsInForce
> = Layer.scoped(MemoryMonitor, make)
