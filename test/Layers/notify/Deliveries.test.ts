import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/TestClock"
import type { Notification } from "../../../src/Domain/notify/Notification.ts"
import {
  enqueued,
  freshState,
  mostWaiting,
  type NotifyState,
  newChannel
} from "../../../src/Domain/notify/NotifyState.ts"
import { deliver, notifyLedger } from "../../../src/Layers/notify/Deliveries.ts"
import { NotSent } from "../../../src/Layers/notify/NotSent.ts"
import { OutletReports } from "../../../src/Layers/relay/OutletReports.ts"
import { outletsInto } from "../../fixtures/ToldOutlets.ts"

const notification = (id: string, kind: Notification["kind"] = "crash"): Notification => ({
  id,
  kind,
  urgency: "normal",
  title: "shop has crashed",
  text: "It crashed.",
  atMs: 0,
  count: 1
})

const waitingFor = (...all: ReadonlyArray<Notification>): NotifyState => ({
  ...freshState,
  channels: { phone: { ...newChannel, waiting: all } }
})

/** A channel whose attempts have these ends, the last one again and again; with the time of each attempt in seconds. */
const phone = Effect.fnUntraced(function* (
  first: NotifyState,
  ...ends: ReadonlyArray<NotSent["next"] | "sent">
) {
  const saved: Array<NotifyState> = []
  const attempts: Array<{ readonly id: string; readonly text: string; readonly atSeconds: number }> = []
  const reports: Array<string> = []
  const outlets = outletsInto(reports)
  const ledger = yield* notifyLedger(first, (state) => Effect.sync(() => void saved.push(state)))
  const fiber = yield* Effect.fork(
    deliver(ledger, "phone", ({ id, text }) =>
      Effect.gen(function* () {
        const end = ends[Math.min(attempts.length, ends.length - 1)] ?? "sent"
        attempts.push({ id, text, atSeconds: Math.round((yield* TestClock.currentTimeMillis) / 1000) })
        if (end !== "sent") return yield* new NotSent({ reason: "answered 503", next: end })
      })
    ).pipe(Effect.provideService(OutletReports, outlets))
  )
  const channel = Effect.map(SubscriptionRef.get(ledger.state), ({ channels }) => channels["phone"])
  const pass = (time: Duration.DurationInput) => TestClock.adjust(time)
  return { attempts, channel, fiber, ledger, pass, reports, saved, ids: () => attempts.map(({ id }) => id) }
})

describe("the delivery of notifications", () => {
  it.effect(
    "retries after 5 seconds, 30 seconds, 2 minutes, 10 minutes and an hour, then gives up and says so",
    () =>
      Effect.gen(function* () {
        const { attempts, channel, fiber, ids, pass } = yield* phone(
          waitingFor(notification("a"), notification("b")),
          ...Array.from({ length: 6 }, () => "retry" as const),
          "sent"
        )
        yield* pass("1 second")
        assert.deepStrictEqual(ids(), ["a"])
        const { failure, waiting = [] } = (yield* channel) ?? {}
        assert.strictEqual(failure?.reason, "answered 503")
        assert.lengthOf(waiting, 2)
        yield* pass("2 hours")
        assert.deepStrictEqual(ids(), ["a", "a", "a", "a", "a", "a", "b"])
        const gaps = attempts.slice(1, 6).map(({ atSeconds }, n) => atSeconds - (attempts[n]?.atSeconds ?? 0))
        for (const [n, wanted] of [5, 30, 120, 600, 3600].entries()) {
          assert.isAtLeast(gaps[n] ?? 0, wanted * 0.75)
          assert.isAtMost(gaps[n] ?? 0, wanted * 1.3 + 1)
        }
        assert.match(attempts.at(-1)?.text ?? "", /One notification before this one could not be sent/)
        const after = yield* channel
        assert.deepStrictEqual([after?.waiting, after?.failure, after?.lost], [[], undefined, 0])
        yield* Fiber.interrupt(fiber)
      })
  )

  it.effect("sends all that waited when a channel works again after an hour, one after the other", () =>
    Effect.gen(function* () {
      const many = Array.from({ length: 5 }, (_, n) => notification(`n${n}`))
      const { attempts, fiber, ids, pass } = yield* phone(
        waitingFor(...many),
        "retry",
        "retry",
        "retry",
        "retry",
        "retry",
        "sent"
      )
      yield* pass("70 minutes")
      yield* pass("30 minutes")
      assert.deepStrictEqual(ids().slice(-5), ["n0", "n1", "n2", "n3", "n4"])
      const times = attempts.slice(-5).map(({ atSeconds }) => atSeconds)
      assert.deepStrictEqual(
        times.map((time) => time - (times[0] ?? 0)),
        [0, 1, 2, 3, 4]
      )
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("gives up at once what the receiver refuses, and goes on with the next", () =>
    Effect.gen(function* () {
      const { fiber, ids, pass, reports } = yield* phone(
        waitingFor(notification("a"), notification("b")),
        "give-up",
        "sent"
      )
      yield* pass("2 seconds")
      assert.deepStrictEqual(ids(), ["a", "b"])
      assert.deepStrictEqual(reports, ["notify.to.phone: it answered 503", "notify.to.phone works"])
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("sends nothing more to a receiver that is gone, and keeps what waits", () =>
    Effect.gen(function* () {
      const { channel, fiber, ids, pass } = yield* phone(
        waitingFor(notification("a"), notification("b")),
        "off"
      )
      yield* pass("10 hours")
      assert.deepStrictEqual(ids(), ["a"])
      assert.lengthOf((yield* channel)?.waiting ?? [], 2)
      yield* Fiber.join(fiber)
    })
  )

  it.effect("waits an hour at most for somebody at the desktop, which is no failure", () =>
    Effect.gen(function* () {
      const { attempts, channel, fiber, pass } = yield* phone(waitingFor(notification("a")), "absent")
      yield* pass("59 minutes")
      assert.lengthOf((yield* channel)?.waiting ?? [], 1)
      yield* pass("2 minutes")
      const after = yield* channel
      assert.deepStrictEqual([after?.waiting, after?.failure, after?.lost], [[], undefined, 0])
      assert.isBelow(attempts.length, 65)
      yield* Fiber.interrupt(fiber)
    })
  )

  it.effect("has a notification on the disk before it is sent, and takes it off after", () =>
    Effect.gen(function* () {
      const { fiber, ids, ledger, pass, saved } = yield* phone(freshState, "sent")
      yield* pass("1 second")
      assert.deepStrictEqual(ids(), [])
      yield* ledger.change((state) => ({
        ...state,
        channels: { phone: enqueued(newChannel, [notification("a")]) }
      }))
      yield* pass("1 second")
      assert.deepStrictEqual(ids(), ["a"])
      assert.deepStrictEqual(
        saved.map(({ channels }) => channels["phone"]?.waiting.map(({ id }) => id)),
        [["a"], []]
      )
      yield* Fiber.interrupt(fiber)
    })
  )

  it("keeps a hundred, drops the oldest that is no failure, and says so in the next message", () => {
    const all = Array.from({ length: mostWaiting + 20 }, (_, n) =>
      notification(`n${n}`, n < 10 ? "failed" : "crash")
    )
    const { lost, waiting } = enqueued(newChannel, all)
    assert.lengthOf(waiting, mostWaiting)
    assert.strictEqual(lost, 20)
    assert.lengthOf(
      waiting.filter(({ kind }) => kind === "failed"),
      10
    )
    assert.strictEqual(waiting.at(-1)?.id, `n${mostWaiting + 19}`)
  })

  it.effect("writes the place among the events only now and then while nothing is told", () =>
    Effect.gen(function* () {
      const { fiber, ledger, saved } = yield* phone(freshState, "sent")
      for (let seq = 0; seq < 250; seq++)
        yield* ledger.change((state) => ({ ...state, cursor: { daemon: "run1", seq } }))
      assert.deepStrictEqual(
        saved.map(({ cursor }) => cursor?.seq),
        [0, 100, 200]
      )
      yield* Fiber.interrupt(fiber)
    })
  )
})
