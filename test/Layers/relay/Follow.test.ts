import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Mailbox from "effect/Mailbox"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import type { ControlQuestion } from "../../../src/Domain/control/ControlProtocol.ts"
import type { SubscriptionLine } from "../../../src/Domain/control/Subscription.ts"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { historyData } from "../../../src/Domain/history/HistoryData.ts"
import type { HistoryRecord } from "../../../src/Domain/history/HistoryRecord.ts"
import type { EventCursor, Followed } from "../../../src/Domain/relay/Followed.ts"
import { utc } from "../../../src/Domain/text/LocalTime.ts"
import { type ControlClientError, NotRunning } from "../../../src/Layers/control/ControlClient.ts"
import { follow } from "../../../src/Layers/relay/Follow.ts"
import { numbered } from "../../fixtures/HistoryWorld.ts"
import { statusFields } from "../../fixtures/StatusFields.ts"
import { settle } from "../worker/SupervisorWorld.ts"

const critical: DaemonEvent = {
  _tag: "MemoryLevelChanged",
  level: "critical",
  before: "low",
  availableBytes: 1,
  totalBytes: 2,
  minAvailableBytes: 2,
  criticalBytes: 1,
  swapTotalBytes: 0,
  swapFreeBytes: 0
}

const started: DaemonEvent = { _tag: "DaemonStarted", pid: 1, version: "1", home: "/" }

const silent = { _tag: "HostUnreachable", message: "Host box cannot be reached." } as const

/** A daemon whose lines and history a test writes. */
const makeDaemon = () => {
  let run = 0
  let seq = 1
  let isRunning = true
  let isSilent = false
  let isWriting = true
  let connection: Mailbox.Mailbox<SubscriptionLine> | undefined
  const history: Array<HistoryRecord> = [{ at: 1000, seq: 0, daemon: "run0", ...started }]
  const unwritten: Array<HistoryRecord> = []

  const cut = Effect.suspend(() => {
    const open = connection
    connection = undefined
    return open === undefined ? Effect.void : Effect.zipRight(open.end, settle)
  })

  const publish = (event: DaemonEvent, { isSent = true, isWritten = true } = {}) =>
    Effect.suspend(() => {
      const head = { at: 1000 + seq, seq: seq++, daemon: `run${run}` }
      const record: HistoryRecord = { ...head, ...event }
      if (isWritten) (isWriting ? history : unwritten).push(record)
      if (connection === undefined || !isSent) return Effect.void
      return Effect.zipRight(connection.offer({ type: "event", ...head, event }), settle)
    })

  /** The socket answers, and nothing has been told yet. */
  const boot = Effect.sync(() => {
    isRunning = true
    run++
    seq = 0
  })

  const world = {
    history,
    cut,
    publish,
    /** The disk takes no records until it does again. */
    block: Effect.sync(() => {
      isWriting = false
    }),
    unblock: Effect.sync(() => {
      isWriting = true
      history.push(...unwritten.splice(0))
    }),
    notice: Effect.suspend(() => connection?.offer({ type: "notice", message: "closing" }) ?? Effect.void),
    kill: Effect.suspend(() => {
      isRunning = false
      return cut
    }),
    silence: Effect.suspend(() => {
      isSilent = true
      return cut
    }),
    speak: Effect.sync(() => {
      isSilent = false
    }),
    boot,
    start: Effect.zipRight(boot, publish(started)),
    lines: Stream.unwrap(
      Effect.gen(function* () {
        if (isSilent) return Stream.fail<ControlClientError>(silent)
        if (!isRunning) return Stream.fail<ControlClientError>(new NotRunning({ path: "/s" }))
        const mailbox = yield* Mailbox.make<SubscriptionLine>()
        connection = mailbox
        yield* mailbox.offer({
          type: "snapshot",
          at: 1,
          status: statusFields,
          projects: { selected: "shop", projects: [] },
          next: { daemon: `run${run}`, seq }
        })
        return Mailbox.toStream(mailbox)
      })
    ),
    request: (question: ControlQuestion) =>
      question.type === "History" && isRunning
        ? Effect.succeed({
            success: true,
            message: "",
            data: historyData(
              { records: history, damaged: 0 },
              { sinceMs: undefined, limit: question.limit ?? 100, from: question.from },
              0,
              utc
            )
          })
        : Effect.fail(new NotRunning({ path: "/s" }))
  }
  return world
}

const shown = (followed: Followed): string =>
  followed._tag === "Event" ? `${followed.record.daemon}:${followed.record.seq}` : followed._tag

/** Follows a daemon, and returns what came so far. */
const following = Effect.fnUntraced(function* (
  daemon: ReturnType<typeof makeDaemon>,
  cursor?: EventCursor | undefined
) {
  const seen: Array<Followed> = []
  // The stand-in answers History alone, whose type the request of a real client has.
  const request = daemon.request as unknown as Parameters<typeof follow>[0]["request"]
  yield* Effect.fork(
    Stream.runForEach(follow({ lines: daemon.lines, request })(cursor), (one) =>
      Effect.sync(() => void seen.push(one))
    )
  )
  yield* settle
  return { seen, shown: Effect.map(settle, () => seen.map(shown)) }
})

/** Longer than all pauses between two attempts. */
const aWhile = Effect.zipRight(TestClock.adjust("20 seconds"), settle)

describe("following a daemon", () => {
  it.effect("has each event once and in order, also those of a cut connection and of the next daemon", () =>
    Effect.gen(function* () {
      const daemon = makeDaemon()
      const follower = yield* following(daemon)
      yield* daemon.publish(numbered(1))
      yield* daemon.cut
      yield* daemon.publish(critical)
      yield* aWhile
      yield* daemon.publish(numbered(3))
      yield* daemon.kill
      yield* daemon.start
      yield* daemon.publish(numbered(1))
      yield* aWhile
      assert.deepStrictEqual(yield* follower.shown, [
        "Connected",
        "run0:1",
        "run0:2",
        "Connected",
        "run0:3",
        "run1:0",
        "run1:1",
        "Connected"
      ])
      // Whole, though the history has words of its own for its level.
      assert.deepInclude(follower.seen[2], { record: { at: 1002, seq: 2, daemon: "run0", ...critical } })
    })
  )

  it.effect("begins after the cursor, which it need not have in the history", () =>
    Effect.gen(function* () {
      const daemon = makeDaemon()
      for (const n of [1, 2]) yield* daemon.publish(numbered(n))
      yield* daemon.kill
      yield* daemon.start
      const early = yield* following(daemon, { daemon: "run0", seq: 0 })
      assert.deepStrictEqual(yield* early.shown, ["run0:1", "run0:2", "run1:0", "Connected"])
      const late = yield* following(daemon, { daemon: "run0", seq: 7 })
      assert.deepStrictEqual(yield* late.shown, ["run1:0", "Connected"])
    })
  )

  it.effect("misses nothing of a daemon that answers before its first event", () =>
    Effect.gen(function* () {
      const daemon = makeDaemon()
      const follower = yield* following(daemon)
      yield* daemon.kill
      yield* daemon.boot
      yield* aWhile
      yield* daemon.publish(started)
      yield* daemon.publish(numbered(1))
      yield* aWhile
      assert.deepStrictEqual(yield* follower.shown, ["Connected", "Connected", "run1:0", "run1:1"])
    })
  )

  it.effect("fills a gap between two lines from the history, and waits until the disk has it", () =>
    Effect.gen(function* () {
      const daemon = makeDaemon()
      const follower = yield* following(daemon)
      yield* daemon.block
      yield* daemon.publish(numbered(0), { isSent: false })
      yield* daemon.publish(numbered(1))
      assert.deepStrictEqual(yield* follower.shown, ["Connected"])
      yield* daemon.unblock
      yield* aWhile
      assert.deepStrictEqual(yield* follower.shown, ["Connected", "run0:1", "run0:2"])
    })
  )

  it.effect("says that events are missing when the history has lost them, and goes on", () =>
    Effect.gen(function* () {
      const daemon = makeDaemon()
      const follower = yield* following(daemon)
      yield* daemon.publish(numbered(0), { isSent: false, isWritten: false })
      yield* daemon.publish(numbered(1))
      yield* aWhile
      assert.deepStrictEqual(yield* follower.shown, ["Connected", "Missed", "run0:2"])
      yield* daemon.cut
      yield* daemon.publish(numbered(2), { isWritten: false })
      yield* daemon.publish(numbered(3))
      yield* aWhile
      assert.deepStrictEqual((yield* follower.shown).slice(3), ["Missed", "run0:4", "Connected"])
      const stranger = yield* following(daemon, { daemon: "another", seq: 3 })
      yield* aWhile
      assert.deepStrictEqual(yield* stranger.shown, ["Missed", "Connected"])
    })
  )

  it.effect("tells a daemon that has vanished from one that has stopped, once", () =>
    Effect.gen(function* () {
      const daemon = makeDaemon()
      const follower = yield* following(daemon)
      yield* daemon.kill
      yield* aWhile
      assert.deepStrictEqual(yield* follower.shown, ["Connected", "Vanished"])
      yield* daemon.start
      yield* aWhile
      yield* daemon.publish({ _tag: "DaemonStopping", by: "a test" })
      yield* daemon.notice
      yield* daemon.kill
      yield* aWhile
      assert.deepStrictEqual((yield* follower.shown).slice(2), ["run1:0", "Connected", "run1:1", "Ended"])
      yield* daemon.start
      yield* aWhile
      yield* daemon.publish({ _tag: "DaemonStopping", by: "a test" })
      yield* daemon.kill
      yield* aWhile
      assert.deepStrictEqual((yield* follower.shown).slice(6), ["run2:0", "Connected", "run2:1", "Vanished"])
    })
  )

  it.effect("tells once that a daemon cannot be reached, when that has lasted for two minutes", () =>
    Effect.gen(function* () {
      const daemon = makeDaemon()
      const follower = yield* following(daemon)
      yield* daemon.silence
      for (let n = 0; n < 5; n++) yield* aWhile
      yield* daemon.speak
      yield* aWhile
      assert.deepStrictEqual(yield* follower.shown, ["Connected", "Connected"])
      yield* daemon.silence
      for (let n = 0; n < 20; n++) yield* aWhile
      yield* daemon.publish(numbered(1), { isSent: false })
      yield* daemon.speak
      yield* aWhile
      assert.deepStrictEqual((yield* follower.shown).slice(2), ["Unreachable", "run0:1", "Connected"])
      assert.deepInclude(follower.seen[2], { reason: silent.message })
    })
  )

  it.effect("loses and repeats nothing in any night of cuts, restarts and lost lines", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(
          FastCheck.array(FastCheck.constantFrom("event", "unsent", "cut", "restart", "time"), {
            maxLength: 40
          }),
          (night) =>
            Effect.gen(function* () {
              const daemon = makeDaemon()
              const follower = yield* following(daemon)
              for (const act of night) {
                if (act === "event") yield* daemon.publish(numbered(0))
                if (act === "unsent") yield* daemon.publish(numbered(0), { isSent: false })
                if (act === "cut") yield* daemon.cut
                if (act === "restart") yield* Effect.zipRight(daemon.kill, daemon.start)
                if (act === "time") yield* aWhile
              }
              yield* daemon.publish(numbered(0))
              yield* aWhile
              const events = (yield* follower.shown).filter((one) => one.startsWith("run"))
              assert.deepStrictEqual(
                events,
                daemon.history.slice(1).map(({ daemon: run, seq }) => `${run}:${seq}`)
              )
              assert.notInclude(yield* follower.shown, "Missed")
            }).pipe(Effect.scoped, Effect.provide(TestContext.TestContext), Effect.runPromise)
        ),
        { numRuns: 20 }
      )
    )
  )
})
