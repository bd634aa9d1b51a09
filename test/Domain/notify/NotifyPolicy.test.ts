import { assert, describe, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as Schema from "effect/Schema"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import type { Notification } from "../../../src/Domain/notify/Notification.ts"
import { isWaiting, PolicyState } from "../../../src/Domain/notify/NotifyPolicy.ts"
import { isQuiet } from "../../../src/Domain/notify/QuietHours.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import { zoneNamed } from "../../fixtures/Zones.ts"
import { backingOff, channel, ended, noon, shop, started } from "./night.ts"

const hourMs = 3_600_000
const berlin = zoneNamed("Europe/Berlin")

describe("quiet hours", () => {
  it("reach over midnight, by the wall clock", () => {
    const quiet = (time: string) => isQuiet("22:00-07:00", Date.parse(`2026-11-20T${time}:00+01:00`), berlin)
    assert.deepStrictEqual(["21:59", "22:00", "00:00", "06:59", "07:00", "12:00"].map(quiet), [
      false,
      true,
      true,
      true,
      false,
      false
    ])
    assert.isFalse(isQuiet(false, noon, berlin))
    assert.isTrue(isQuiet("12:00-14:00", Date.parse("2026-11-20T12:00:00+01:00"), berlin))
    assert.isFalse(isQuiet("12:00-14:00", Date.parse("2026-11-20T14:00:00+01:00"), berlin))
  })

  it("end at the same time of the clock in the nights in which the clocks change", () => {
    // 2026-03-29 02:00 becomes 03:00; 2026-10-25 03:00 becomes 02:00.
    for (const [day, before, after] of [
      ["2026-03-29", "+01:00", "+02:00"],
      ["2026-10-25", "+02:00", "+01:00"]
    ]) {
      assert.isTrue(isQuiet("22:00-07:00", Date.parse(`${day}T00:30:00${before}`), berlin))
      assert.isTrue(isQuiet("22:00-07:00", Date.parse(`${day}T06:59:00${after}`), berlin))
      assert.isFalse(isQuiet("22:00-07:00", Date.parse(`${day}T07:00:00${after}`), berlin))
    }
  })

  it("hold back all but failures, and end in one message that counts them", () => {
    const { at, tick, told } = channel({ quietHours: "22:00-07:00" })
    const night = noon + 11 * hourMs
    const docs = ProjectName.make("docs")
    at(night, ended(), backingOff(1), started(), ended(), backingOff(2))
    at(night + hourMs, ended({ kind: "done" }, docs), {
      _tag: "WorkerStopped",
      project: docs,
      reason: "its work is finished"
    })
    at(night + 2 * hourMs, ended(), { _tag: "GaveUp", project: shop, failures: 10, reason: "x" })
    assert.deepStrictEqual(
      told.map(({ title }) => title),
      ["shop has failed"]
    )
    tick(noon + 18.9 * hourMs)
    assert.lengthOf(told, 1)
    tick(noon + 19 * hourMs)
    tick(noon + 20 * hourMs)
    assert.deepStrictEqual(
      told.slice(1).map(({ count, text, title }) => ({ count, title, text })),
      [
        {
          count: 3,
          title: "The night: 2 crashes, 1 finished",
          text: "shop has crashed (2 times), the last time: The run ended after 5 seconds: crashed (exit code 1); last output: boom.\ndocs has finished: The run ended after 5 seconds: finished its work."
        }
      ]
    )
  })

  it("are followed by a message when all went well and work was done, and by none when nothing happened", () => {
    const { at, tick, told } = channel({ quietHours: "22:00-07:00" })
    at(noon + 12 * hourMs, ended({ kind: "done" }), {
      _tag: "WorkerStopped",
      project: shop,
      reason: "its work is finished"
    })
    tick(noon + 20 * hourMs)
    tick(noon + 44 * hourMs)
    assert.deepStrictEqual(
      told.map(({ title }) => title),
      ["The night: 1 finished"]
    )
  })
})

const projects = ["shop", "docs"].map((name) => ProjectName.make(name))

const someEvents: FastCheck.Arbitrary<ReadonlyArray<DaemonEvent>> = FastCheck.oneof(
  FastCheck.constantFrom(...projects).chain((project) =>
    FastCheck.constantFrom<ReadonlyArray<DaemonEvent>>(
      [started(project), ended(undefined, project), backingOff(1, project)],
      [ended(undefined, project), { _tag: "GaveUp", project, failures: 10, reason: "x" }],
      [ended({ kind: "auth", says: "x" }, project), { _tag: "PersonNeeded", project, reason: "x" }],
      [ended({ kind: "done" }, project), { _tag: "WorkerStopped", project, reason: "x" }],
      [{ _tag: "WorkerSteady", project, afterMs: 60_000, failuresForgotten: 1 }],
      [started(project)]
    )
  ),
  FastCheck.constant<ReadonlyArray<DaemonEvent>>([
    { _tag: "ConcernFailed", name: "Guard", cause: "x", retryInMs: 1000 },
    { _tag: "ConcernRecovered", name: "Guard" }
  ])
)

const someNight = FastCheck.record({
  quietHours: FastCheck.constantFrom("22:00-07:00" as const, "12:30-13:15" as const, false as const),
  quietExcept: FastCheck.constantFrom(["failed", "daemon"] as const, [] as const),
  steps: FastCheck.array(FastCheck.tuple(FastCheck.integer({ min: 0, max: 2 * hourMs }), someEvents), {
    maxLength: 60
  })
})

/** The kind and project of which the interval is kept. */
const groupOf = ({ kind, project, title }: Notification): string =>
  kind === "daemon" ? `${kind} ${title.replace(/ \(\d+ times\)$/, "")}` : `${kind} ${project}`

describe("a night of any events", () => {
  it("loses no failure, keeps the rate of each kind, and its digests add up", () => {
    FastCheck.assert(
      FastCheck.property(someNight, ({ quietExcept, quietHours, steps }) => {
        const night = channel({
          quietExcept,
          quietHours,
          kinds: ["failed", "crash", "done", "daemon", "recovered"]
        })
        const news: Array<Notification> = []
        let nowMs = noon
        for (const [afterMs, events] of steps) {
          nowMs += afterMs
          night.tick(nowMs)
          const items = night.at(nowMs, ...events)
          news.push(...items.flatMap((item) => (item._tag === "Tell" ? [item.notification] : [])))
          // The state survives the relay.
          const stored = Schema.decodeUnknownSync(Schema.parseJson(PolicyState))(
            Schema.encodeSync(Schema.parseJson(PolicyState))(night.policy())
          )
          assert.deepStrictEqual(stored, night.policy())
        }
        for (let hour = 1; hour <= 48; hour++) night.tick(nowMs + hour * hourMs)
        assert.isFalse(isWaiting(night.policy()))
        const digests = night.told.filter(({ kind }) => kind === "digest")
        for (const { count, title } of digests) {
          const numbers = title.match(/\d+/g) ?? []
          assert.strictEqual(
            numbers.reduce((sum, number) => sum + Number(number), 0),
            count
          )
        }
        const inDigests = digests.reduce(
          (sum, { title }) => sum + Number(/(\d+) failure/.exec(title)?.[1] ?? 0),
          0
        )
        const failures = night.told
          .filter(({ kind }) => kind === "failed")
          .reduce((sum, { count }) => sum + count, 0)
        assert.strictEqual(failures + inDigests, news.filter(({ kind }) => kind === "failed").length)
        const last = new Map<string, number>()
        for (const one of night.told) {
          if (one.kind === "digest") continue
          const key = groupOf(one)
          assert.isAtLeast(one.sentMs - (last.get(key) ?? Number.NEGATIVE_INFINITY), 900_000, key)
          last.set(key, one.sentMs)
        }
      }),
      { numRuns: 200 }
    )
  })
})
