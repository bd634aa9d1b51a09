import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type DaemonEvent, describeEvent } from "../../Domain/history/DaemonEvent.ts"
import type { EventCursor } from "../../Domain/history/EventsFrom.ts"
import { isKept, lineOf, type RecordHead } from "../../Domain/history/HistoryRecord.ts"
import type { HistorySettings } from "../../Domain/settings/RetentionSettings.ts"
import { type Listen, nowAndAfterEach } from "../concurrency/Listeners.ts"
import { PlainTimer } from "../concurrency/PlainTimer.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { randomDigits } from "../files/RandomId.ts"
import { messageOf } from "../files/SystemError.ts"
import { SettingsInForce } from "../settings/SettingsInForce.ts"
import { DaemonLog } from "./DaemonLog.ts"
import { appendLines, forgetBefore } from "./HistoryFile.ts"

/**
 * Keeps events in `history.jsonl`, which outlives the daemon however it exits. A record is on the disk some
 * milliseconds after its event; nothing waits for it.
 */
export class HistoryStore extends Context.Tag("HistoryStore")<
  HistoryStore,
  {
    /**
     * Records an event that the history keeps, and returns the head of its record. `atMs` is its time, by default now. Never
     * waits; counts the events that the disk does not take in time.
     */
    readonly append: (event: DaemonEvent, atMs?: number) => RecordHead | undefined
    /** The run of this daemon, and the number of its next record. */
    readonly next: Effect.Effect<EventCursor>
    /**
     * Returns when the events so far are in the file, so that whoever reads it after an answer of the daemon finds what the
     * answer speaks of. A disk that is slow or refuses holds up one answer for a second, and the next ones not at all.
     */
    readonly recorded: Effect.Effect<void>
    /** Whether `recorded` would not wait. */
    readonly isRecorded: () => boolean
    /** The events that the disk has not taken since the start of the daemon. */
    readonly lost: () => number
  }
>() {}

/** Thousands of events that wait in memory for the disk. */
const maxPendingBytes = 1024 * 1024

/** Events that come within this time reach the disk in one write. */
const gatherMs = 10

/** Keeps the cost of a full disk negligible. */
const retryInterval = Duration.seconds(1)

/** The interval between two removals of old records. */
const forgetInterval = Duration.days(1)

/** The longest wait of an answer for the records before it. */
const recordedLimit = Duration.seconds(1)

/** The longest wait for pending records when the scope closes. */
const closingLimit = Duration.seconds(2)

const dayMs = Duration.toMillis(Duration.days(1))

/** Returns the reason of a failure, or undefined. */
const attempt = (act: () => Promise<void>): Effect.Effect<string | undefined> =>
  Effect.match(Effect.tryPromise(act), {
    onFailure: ({ error }) => messageOf(error),
    onSuccess: () => undefined
  })

/** How much is kept, and who hears when that changes. */
interface HistoryLimits {
  readonly now: () => HistorySettings
  readonly changed: Listen<[]>
}

const make = Effect.fnUntraced(function* (limits: HistoryLimits) {
  const { historyFile } = yield* AutopilotHome
  const log = yield* DaemonLog
  const timer = yield* PlainTimer
  /** An answer waits for the events so far: no more of them are gathered. */
  let isAwaited = false
  let hurry = (): void => undefined
  const gathered = Effect.async<void>((resume) => {
    if (isAwaited) return resume(Effect.void)
    const cancel = timer.after(gatherMs, () => resume(Effect.void))
    hurry = () => {
      cancel()
      resume(Effect.void)
    }
    return Effect.sync(cancel)
  })
  const daemon = randomDigits(12)
  let seq = 0
  let pending: Array<Buffer> = []
  let pendingBytes = 0
  let lost = 0
  let lostInAll = 0
  let trouble: string | undefined
  let isLate = false
  let settings = limits.now()
  let isForgetDue = false
  const hasWork = yield* Effect.makeLatch(false)
  const isSettled = yield* Effect.makeLatch(true)

  const tell = (event: DaemonEvent) => {
    const { level, text } = describeEvent(event)
    log.write(level, undefined, text)
  }

  const nextHead = (at = Date.now()): RecordHead => ({ at, seq: seq++, daemon })

  const push = (event: DaemonEvent, head = nextHead()): boolean => {
    const line = Buffer.from(lineOf(head, event))
    if (pendingBytes + line.length > maxPendingBytes) return false
    pending.push(line)
    pendingBytes += line.length
    isSettled.unsafeClose()
    hasWork.unsafeOpen()
    return true
  }

  const noteLost = (): void => {
    lostInAll++
    if (lost++ > 0) return
    log.write("error", undefined, "The history drops events until the disk has taken the waiting ones")
  }

  const settle = (reason: string | undefined): void => {
    if (reason === undefined && trouble !== undefined)
      log.write("info", undefined, "The history is writable again")
    if (reason !== undefined && trouble === undefined) {
      log.write(
        "error",
        undefined,
        `The history cannot be written, the daemon tries again every second: ${reason}`
      )
    }
    trouble = reason
  }

  const writeOnce = attempt(async () => {
    const count = await appendLines(historyFile, pending, settings.maxBytes)
    for (const { length } of pending.splice(0, count)) pendingBytes -= length
  })

  /** The record of a loss stands in the place of the lost events: after the waiting ones, before the next one. */
  const recordLoss = (): void => {
    if (lost === 0) return
    const event: DaemonEvent = {
      _tag: "EventsLost",
      events: lost,
      reason: trouble ?? "the disk was too slow"
    }
    if (!push(event)) return
    lost = 0
    tell(event)
  }

  const write = Effect.gen(function* () {
    while (pending.length > 0) {
      const reason = yield* writeOnce
      isLate = reason !== undefined
      if (reason === undefined) recordLoss()
      settle(reason)
      if (reason !== undefined) {
        yield* isSettled.open
        yield* Effect.sleep(retryInterval)
      }
    }
    // An event may have arrived since the last check.
    yield* Effect.sync(() => pending.length === 0 && isSettled.unsafeOpen())
  })

  const forget = Effect.gen(function* () {
    if (!isForgetDue) return
    isForgetDue = false
    const sinceMs = (yield* Clock.currentTimeMillis) - settings.maxAgeDays * dayMs
    const reason = yield* attempt(() => forgetBefore(historyFile, sinceMs))
    if (reason === undefined) return
    log.write("warning", undefined, `Old events could not be removed from the history: ${reason}`)
  })

  const writer = Effect.forever(
    Effect.gen(function* () {
      yield* hasWork.await
      yield* gathered
      isAwaited = false
      yield* hasWork.close
      yield* write
      yield* forget
    }).pipe(
      Effect.catchAllDefect((defect) =>
        Effect.sync(() => {
          // A bug costs the waiting events and is reported; a history that stops silently would be worse.
          pending = []
          pendingBytes = 0
          isSettled.unsafeOpen()
          settle(`a bug: ${String(defect)}`)
        })
      )
    )
  )

  const demandForget = Effect.sync(() => {
    isForgetDue = true
    hasWork.unsafeOpen()
  })

  const followLimits = nowAndAfterEach(
    limits.changed,
    Effect.suspend(() => {
      settings = limits.now()
      return demandForget
    })
  )

  const isRecorded = (): boolean => {
    // The events of a restart are put off behind the start of the worker.
    log.settle()
    return pending.length === 0 || isLate
  }

  yield* Effect.forkScoped(Effect.interruptible(writer))
  yield* Effect.forkScoped(Effect.interruptible(followLimits))
  yield* Effect.forkScoped(Effect.interruptible(Effect.forever(Effect.delay(demandForget, forgetInterval))))
  yield* Effect.addFinalizer(() =>
    isSettled.await.pipe(Effect.interruptible, Effect.timeoutOption(closingLimit), Effect.asVoid)
  )
  return HistoryStore.of({
    append: (event, atMs) => {
      if (!isKept(event)) return undefined
      const head = nextHead(atMs)
      if (!push(event, head)) noteLost()
      return head
    },
    next: Effect.sync(() => {
      log.settle()
      return { daemon, seq }
    }),
    isRecorded,
    recorded: Effect.suspend(() => {
      if (isRecorded()) return Effect.void
      isAwaited = true
      hurry()
      return isSettled.await.pipe(
        Effect.timeoutTo({
          duration: recordedLimit,
          onSuccess: () => undefined,
          onTimeout: () => {
            isLate = true
          }
        })
      )
    }),
    lost: () => lostInAll
  })
})

/** Keeps as much as `limits` allow, from each change on. */
export const layerOf = (limits: HistoryLimits): Layer.Layer<HistoryStore, never, AutopilotHome | DaemonLog> =>
  Layer.scoped(HistoryStore, make(limits))

export const layer: Layer.Layer<HistoryStore, never, AutopilotHome | DaemonLog | SettingsInForce> =
  Layer.scoped(
    HistoryStore,
    Effect.flatMap(SettingsInForce, ({ changed, now }) => make({ now: () => now().history, changed }))
  )
