import * as Clock from "effect/Clock"
import type * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { SubscriptionLine } from "../../Domain/control/Subscription.ts"
import { maxHistoryEvents } from "../../Domain/history/HistoryData.ts"
import type { HistoryRecord } from "../../Domain/history/HistoryRecord.ts"
import { eventIn } from "../../Domain/history/RecordLine.ts"
import { type EventCursor, type Followed, recordIn } from "../../Domain/relay/Followed.ts"
import { openEnded } from "../../Domain/text/TextLayout.ts"
import type { ControlClient, ControlClientError } from "../control/ControlClient.ts"

/** A daemon as its followers reach it. */
interface FollowedDaemon {
  /** One subscription, from its snapshot to its end. */
  readonly lines: Stream.Stream<SubscriptionLine, ControlClientError>
  readonly request: Context.Tag.Service<ControlClient>["request"]
  /** The pauses before the attempts to connect again, in milliseconds; the last one repeats. By default those of this machine. */
  readonly retryDelays?: ReadonlyArray<number>
}

type Snapshot = Extract<SubscriptionLine, { readonly type: "snapshot" }>

/** The daemon sends its events without their places in the history. */
class TooOld extends Data.TaggedError("TooOld") {
  override get message(): string {
    return "The daemon is older than this program, and its events cannot be followed. Stop it, then run: autopilotd start"
  }
}

const localRetryDelays: ReadonlyArray<number> = [100, 250, 500, 1000, 2000]

/** An attempt to reach another machine starts an ssh, and sshd drops those that come too often. */
export const remoteRetryDelays: ReadonlyArray<number> = [1000, 2000, 5000, 15_000, 30_000, 60_000]

/** A network that is gone for a minute is no news. The monotonic clock stands still while the machine sleeps. */
const unreachableAfterNanos = 120_000_000_000n

/** The daemon writes a record some milliseconds after it has published the event, later on a slow disk. */
const writeDelays = [50, 200, 1000, 2000]

/** Follows a daemon from the event after a cursor, or from now on. */
export const follow =
  ({ lines, request, retryDelays = localRetryDelays }: FollowedDaemon) =>
  (cursor: EventCursor | undefined): Stream.Stream<Followed> =>
    Stream.suspend(() => {
      /** The next event to be passed on. Undefined before the first connection. */
      let next = cursor === undefined ? undefined : { ...cursor, seq: cursor.seq + 1 }
      /** Whether the follower knows of a daemon that runs. */
      let isConnected = false
      /** How far the shutdown of that daemon has gone. */
      let shutdown: "none" | "begun" | "done" = "none"
      let attempts = 0
      let isOld = false
      /** The first of the failed attempts since the last connection, on the monotonic clock. */
      let failingSinceNanos: bigint | undefined
      let isUnreachable = false

      const isReached = (goal: EventCursor): boolean => next?.daemon === goal.daemon && next.seq >= goal.seq

      const missed = Effect.map(Clock.currentTimeMillis, (atMs): Followed => ({ _tag: "Missed", atMs }))

      /** Moves on behind an event, and returns what lies between. */
      const pass = Effect.fnUntraced(function* ({ daemon, seq }: EventCursor) {
        const wanted = next?.daemon === daemon ? next.seq : 0
        next = { daemon, seq: seq + 1 }
        return seq === wanted ? [] : [yield* missed]
      })

      /** The events up to `goal` that are not known by now are lost. */
      const skipTo = (goal: EventCursor) =>
        Effect.suspend(() => {
          if (isReached(goal)) return Effect.succeed([])
          next = { daemon: goal.daemon, seq: goal.seq }
          // Nothing comes before the first event of a daemon.
          return goal.seq === 0 ? Effect.succeed([]) : Effect.map(missed, (one) => [one])
        })

      const eventOf = (record: HistoryRecord): Followed => {
        if (record._tag === "DaemonStarted") shutdown = "none"
        if (record._tag === "DaemonStopping") shutdown = "begun"
        if (record._tag === "DaemonStopped") shutdown = "done"
        return { _tag: "Event", record }
      }

      /** Everything that the history has up to `goal`, which itself is left out. */
      const stored = Effect.fnUntraced(function* (goal: EventCursor) {
        const followed: Array<Followed> = []
        while (next !== undefined && !isReached(goal)) {
          const { data } = yield* request({ type: "History", from: next, limit: maxHistoryEvents })
          const rows = data?.records ?? []
          if (rows.length === 0) break
          for (const { at, daemon, event, seq } of rows) {
            if (daemon === goal.daemon && seq >= goal.seq) return [...followed, ...(yield* skipTo(goal))]
            followed.push(...(yield* pass({ daemon, seq })))
            // An event of another version is no missing one, but means nothing here.
            const known = eventIn(event)
            if (known !== undefined) followed.push(eventOf({ at, seq, daemon, ...known }))
          }
        }
        return followed
      })

      const catchUp = Effect.fnUntraced(function* (goal: EventCursor) {
        const followed = yield* stored(goal)
        for (const pause of writeDelays) {
          if (isReached(goal) || goal.seq === 0) break
          yield* Effect.sleep(pause)
          followed.push(...(yield* stored(goal)))
        }
        return [...followed, ...(yield* skipTo(goal))]
      })

      /** What is not passed on because the daemon stops answering in between is asked for again. */
      const whole = <A, E>(reading: Effect.Effect<A, E>) =>
        Effect.suspend(() => {
          const before = next
          return Effect.tapErrorCause(reading, () => Effect.sync(() => (next = before)))
        })

      const connected = Effect.fnUntraced(function* ({ at, next: goal, projects, status }: Snapshot) {
        if (goal === undefined) return yield* new TooOld()
        const before = next === undefined ? [] : yield* whole(catchUp(goal))
        next = goal
        isConnected = true
        attempts = 0
        failingSinceNanos = undefined
        isUnreachable = false
        return [...before, { _tag: "Connected" as const, atMs: at, daemon: goal.daemon, status, projects }]
      })

      const happened = Effect.fnUntraced(function* (record: HistoryRecord) {
        // The history has had it already.
        if (next?.daemon === record.daemon && record.seq < next.seq) return []
        const before = yield* whole(catchUp(record))
        return [...before, ...(yield* pass(record)), eventOf(record)]
      })

      const take = (
        line: SubscriptionLine
      ): Effect.Effect<ReadonlyArray<Followed>, ControlClientError | TooOld> => {
        if (line.type === "snapshot") return connected(line)
        const record = line.type === "event" ? recordIn(line) : undefined
        if (record !== undefined) return happened(record)
        // The last line of a daemon that closes its socket.
        if (line.type === "notice" && shutdown === "begun") shutdown = "done"
        return Effect.succeed([])
      }

      const over = (tag: "Ended" | "Vanished") =>
        Effect.map(Clock.currentTimeMillis, (atMs): ReadonlyArray<Followed> => {
          isConnected = false
          return [{ _tag: tag, atMs }]
        })

      const warnOnce = Effect.suspend(() => {
        const isKnown = isOld
        isOld = true
        return Effect.as(isKnown ? Effect.void : Effect.logWarning(new TooOld().message), [])
      })

      const unreached = Effect.fnUntraced(function* (reason: string) {
        const nowNanos = yield* Clock.currentTimeNanos
        failingSinceNanos ??= nowNanos
        if (isUnreachable || nowNanos - failingSinceNanos < unreachableAfterNanos) return []
        isUnreachable = true
        return [{ _tag: "Unreachable" as const, atMs: yield* Clock.currentTimeMillis, reason: `${reason}.` }]
      })

      const failed = (error: ControlClientError | TooOld): Effect.Effect<ReadonlyArray<Followed>> => {
        if (error._tag === "TooOld") return warnOnce
        // A daemon that does not answer may still run, and so may one on a machine that is not reached.
        const isGone = error._tag === "NotRunning" || error._tag === "NoDaemonThere"
        if (!isGone) return unreached(openEnded(error.message))
        failingSinceNanos = undefined
        return isConnected ? over("Vanished") : Effect.succeed([])
      }

      const disconnected = Effect.suspend(() =>
        isConnected && shutdown === "done" ? over("Ended") : Effect.succeed<ReadonlyArray<Followed>>([])
      )

      const pause = Effect.suspend(() =>
        Effect.sleep(retryDelays[Math.min(attempts++, retryDelays.length - 1)] ?? 0)
      )

      return lines.pipe(
        Stream.mapConcatEffect(take),
        Stream.catchAll((error) => Stream.fromIterableEffect(failed(error))),
        Stream.concat(Stream.fromIterableEffect(disconnected)),
        Stream.concat(Stream.drain(Stream.fromEffect(pause))),
        Stream.forever
      )
    })
