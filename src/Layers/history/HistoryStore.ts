import { randomBytes } from "node:crypto"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { type DaemonEvent, describeEvent } from "../../Domain/history/DaemonEvent.ts"
import { isKept, lineOf } from "../../Domain/history/HistoryRecord.ts"
import type { HistorySettings } from "../../Domain/settings/HistorySettings.ts"
import { AutopilotHome } from "../daemon/AutopilotHome.ts"
import { messageOf } from "../files/SystemError.ts"
import { DaemonLog } from "./DaemonLog.ts"
import { appendLines, forgetBefore } from "./HistoryFile.ts"

/**
 * Keeps what happens in `history.jsonl`, so that it can be told after the daemon has ended, however it ended. Each
 * record is on the disk some milliseconds after its event. Nobody waits for that.
 */
export class HistoryStore extends Context.Tag("HistoryStore")<
  HistoryStore,
  {
    /** Takes an event if it is one to keep. Never waits; what the disk does not take in time is counted. */
    readonly append: (event: DaemonEvent) => void
    /** How much is kept from now on. Until it is known, nothing is moved or removed. */
    readonly keep: (settings: HistorySettings) => void
  }
>() {}

/** So much may wait in memory for the disk: thousands of events. */
const maxPendingBytes = 1024 * 1024

/** A full disk is tried again only this often, so that it costs next to nothing. */
const retryInterval = Duration.seconds(1)

/** How often it is looked for records that have become too old. */
const forgetInterval = Duration.days(1)

/** What is pending at the end is waited for at most this long. */
const closingLimit = Duration.seconds(2)

const dayMs = Duration.toMillis(Duration.days(1))

/** What a task at the disk has come to: undefined, or why it failed. */
const attempt = (act: () => Promise<void>): Effect.Effect<string | undefined> =>
  Effect.match(Effect.tryPromise(act), {
    onFailure: ({ error }) => messageOf(error),
    onSuccess: () => undefined
  })

const make = Effect.gen(function* () {
  const { historyFile } = yield* AutopilotHome
  const log = yield* DaemonLog
  const daemon = randomBytes(6).toString("hex")
  let seq = 0
  let pending: Array<Buffer> = []
  let pendingBytes = 0
  let lost = 0
  let trouble: string | undefined
  let settings: HistorySettings | undefined
  let isForgetDue = false
  const hasWork = yield* Effect.makeLatch(false)
  const isSettled = yield* Effect.makeLatch(true)

  const tell = (event: DaemonEvent) => {
    const { level, text } = describeEvent(event)
    log.write(level, undefined, text)
  }

  const push = (event: DaemonEvent): boolean => {
    const line = Buffer.from(lineOf({ at: Date.now(), seq: seq++, daemon }, event))
    if (pendingBytes + line.length > maxPendingBytes) return false
    pending.push(line)
    pendingBytes += line.length
    isSettled.unsafeClose()
    hasWork.unsafeOpen()
    return true
  }

  const noteLost = (): void => {
    if (lost++ > 0) return
    log.write("error", undefined, "The history takes no more events until the disk has taken those that wait")
  }

  const settle = (reason: string | undefined): void => {
    if (reason === undefined && trouble !== undefined)
      log.write("info", undefined, "The history can be written again")
    if (reason !== undefined && trouble === undefined) {
      log.write("error", undefined, `The history of events cannot be written, and is tried again: ${reason}`)
    }
    trouble = reason
  }

  const writeOnce = attempt(async () => {
    const count = await appendLines(historyFile, pending, settings?.maxBytes ?? Number.POSITIVE_INFINITY)
    for (const { length } of pending.splice(0, count)) pendingBytes -= length
  })

  /** The record of a loss stands where the lost ones would: after those that waited, before what comes next. */
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
      if (reason === undefined) recordLoss()
      settle(reason)
      if (reason !== undefined) {
        yield* isSettled.open
        yield* Effect.sleep(retryInterval)
      }
    }
    // Another one may have come between the last look and this.
    yield* Effect.sync(() => pending.length === 0 && isSettled.unsafeOpen())
  })

  const forget = Effect.gen(function* () {
    if (!isForgetDue || settings === undefined) return
    isForgetDue = false
    const sinceMs = (yield* Clock.currentTimeMillis) - settings.maxAgeDays * dayMs
    const reason = yield* attempt(() => forgetBefore(historyFile, sinceMs))
    if (reason === undefined) return
    log.write(
      "warning",
      undefined,
      `Events that are too old could not be removed from the history: ${reason}`
    )
  })

  const writer = Effect.forever(
    Effect.gen(function* () {
      yield* hasWork.await
      yield* hasWork.close
      yield* write
      yield* forget
    }).pipe(
      Effect.catchAllDefect((defect) =>
        Effect.sync(() => {
          // A bug costs what waits and is told; a history that silently stops would be worse.
          pending = []
          pendingBytes = 0
          settle(`a bug: ${String(defect)}`)
        })
      )
    )
  )

  const demandForget = Effect.sync(() => {
    isForgetDue = true
    hasWork.unsafeOpen()
  })

  yield* Effect.forkScoped(Effect.interruptible(writer))
  yield* Effect.forkScoped(Effect.interruptible(Effect.forever(Effect.delay(demandForget, forgetInterval))))
  yield* Effect.addFinalizer(() =>
    isSettled.await.pipe(Effect.interruptible, Effect.timeoutOption(closingLimit), Effect.asVoid)
  )
  return HistoryStore.of({
    append: (event) => {
      if (isKept(event) && !push(event)) noteLost()
    },
    keep: (next) => {
      settings = next
      isForgetDue = true
      hasWork.unsafeOpen()
    }
  })
})

export const layer: Layer.Layer<HistoryStore, never, AutopilotHome | DaemonLog> = Layer.scoped(
  HistoryStore,
  make
)
