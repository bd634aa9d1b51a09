import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import type { Notification } from "../../Domain/notify/Notification.ts"
import {
  afterFailure,
  afterGivenUp,
  afterSuccess,
  ChannelState,
  type NotifyState,
  newChannel,
  toSend,
  withoutNotification
} from "../../Domain/notify/NotifyState.ts"
import { channelOutlet } from "../../Domain/relay/OutletCounts.ts"
import { makeMutex } from "../concurrency/Mutex.ts"
import { OutletReports } from "../relay/OutletReports.ts"
import type { NotSent } from "./NotSent.ts"

/** The state of the notifications, on the disk before anybody acts on it. */
interface NotifyLedger {
  readonly state: SubscriptionRef.SubscriptionRef<NotifyState>
  readonly change: (f: (state: NotifyState) => NotifyState) => Effect.Effect<void>
}

const contentOf = ({ cursor: _cursor, ...content }: NotifyState): string => JSON.stringify(content)

/** A history that has rotated in the meantime would not have the events after an older cursor any more. */
const mostEventsBehind = 100

/** Whether the place among the events is far from the saved one. A near one is worth no write: see `notifyLedger`. */
const isFar = (saved: NotifyState["cursor"], now: NotifyState["cursor"]): boolean =>
  now !== undefined && (saved?.daemon !== now.daemon || now.seq - saved.seq >= mostEventsBehind)

/**
 * Changes are saved one after the other; where the disk refuses, they still count. Events that change nothing are read
 * again after a crash, and change nothing again.
 */
export const notifyLedger = Effect.fnUntraced(function* (
  first: NotifyState,
  save: (state: NotifyState) => Effect.Effect<void, { readonly message: string }>
) {
  const state = yield* SubscriptionRef.make(first)
  const inTurn = makeMutex()
  let isRefused = false
  let saved = first.cursor
  const write = (next: NotifyState) =>
    Effect.matchEffect(save(next), {
      onFailure: ({ message }) => {
        const isNew = !isRefused
        isRefused = true
        return isNew
          ? Effect.logWarning(`After a restart, notifications may be sent twice: ${message}`)
          : Effect.void
      },
      onSuccess: () =>
        Effect.sync(() => {
          isRefused = false
          saved = next.cursor
        })
    })
  const ledger: NotifyLedger = {
    state,
    change: (f) =>
      Effect.gen(function* () {
        const before = yield* SubscriptionRef.get(state)
        const next = f(before)
        if (contentOf(next) !== contentOf(before) || isFar(saved, next.cursor)) yield* write(next)
        yield* SubscriptionRef.set(state, next)
      }).pipe(inTurn)
  }
  return ledger
})

/** The state of one channel within that of all. */
const within =
  (name: string, f: (channel: ChannelState) => ChannelState) =>
  (state: NotifyState): NotifyState => ({
    ...state,
    channels: { ...state.channels, [name]: f(state.channels[name] ?? newChannel) }
  })

/** The delays of the attempts after the first. */
const retryDelays = ["5 seconds", "30 seconds", "2 minutes", "10 minutes", "1 hour"] as const

/** A notification for a desktop without a user waits until one logs in, unless it is stale by then. */
const absentDelay = "1 minute"
const staleMs = 3_600_000

/** A channel that works again gets what has waited one after the other, not all at once. */
const betweenSends = "1 second"

type Attempt<R> = (notification: Notification) => Effect.Effect<void, NotSent, R>

/** Sends what waits for one channel, in its order. Ends only when the receiver wants no more. */
export const deliver = <R>(
  ledger: NotifyLedger,
  name: string,
  attempt: Attempt<R>
): Effect.Effect<void, never, R | OutletReports> => {
  const outlet = channelOutlet(name)
  const change = (f: (channel: ChannelState) => ChannelState) => ledger.change(within(name, f))
  const own = Effect.map(SubscriptionRef.get(ledger.state), ({ channels }) => channels[name] ?? newChannel)
  const next = ledger.state.changes.pipe(
    Stream.filterMap(({ channels }) => {
      const [first] = channels[name]?.waiting ?? []
      return first === undefined ? Option.none() : Option.some(first)
    }),
    Stream.runHead,
    Effect.map(Option.getOrThrow)
  )

  const failed = Effect.fnUntraced(function* (reason: string, isLost: Notification | undefined) {
    const nowMs = yield* Clock.currentTimeMillis
    const { fails } = yield* OutletReports
    yield* fails(outlet, `it ${reason}`)
    yield* change((channel) =>
      isLost === undefined
        ? afterFailure(channel, reason, nowMs)
        : afterGivenUp(channel, isLost.id, reason, nowMs)
    )
  })

  /** Returns true when the receiver wants no more. */
  const one = Effect.fnUntraced(function* (notification: Notification) {
    const { works } = yield* OutletReports
    for (let retries = 0; ; ) {
      const channel = yield* own
      const refused = yield* Effect.flip(attempt(toSend(notification, channel))).pipe(Effect.option)
      const nowMs = yield* Clock.currentTimeMillis
      if (Option.isNone(refused)) {
        yield* works(outlet)
        yield* change((state) => afterSuccess(state, notification.id, nowMs))
        return false
      }
      const { next: then, reason } = refused.value
      if (then === "absent") {
        if (nowMs - notification.atMs >= staleMs) {
          yield* change((state) => withoutNotification(state, notification.id))
          return false
        }
        yield* Effect.sleep(absentDelay)
        continue
      }
      const delay = retryDelays[retries++]
      const isOver = then === "give-up" || delay === undefined
      yield* failed(reason, isOver ? notification : undefined)
      if (then === "off") return true
      if (isOver) return false
      const jitter = yield* Random.nextRange(0.8, 1.2)
      yield* Effect.sleep(Duration.times(delay, jitter))
      // Too many waited, and this one has gone.
      const { waiting } = yield* own
      if (!waiting.some(({ id }) => id === notification.id)) return false
    }
  })

  return Effect.gen(function* () {
    while (!(yield* one(yield* next))) yield* Effect.sleep(betweenSends)
  })
}
