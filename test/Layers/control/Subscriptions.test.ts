import { assert, describe, it } from "@effect/vitest"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/TestClock"
import { type SubscribeRequest, SubscriptionLine } from "../../../src/Domain/control/Subscription.ts"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import type { PublishedEvent } from "../../../src/Domain/history/HistoryRecord.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import * as Subscriptions from "../../../src/Layers/control/Subscriptions.ts"
import * as Concerns from "../../../src/Layers/history/Concerns.ts"
import { DaemonEvents } from "../../../src/Layers/history/DaemonEvents.ts"
import { HistoryStore } from "../../../src/Layers/history/HistoryStore.ts"
import * as WorkerLines from "../../../src/Layers/logs/WorkerLines.ts"
import { ProjectReports } from "../../../src/Layers/status/ProjectReports.ts"
import { UnknownProject } from "../../../src/Layers/worker/Supervisor.ts"
import { noHistory } from "../../fixtures/NoHistory.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"
import { statusFields } from "../../fixtures/StatusFields.ts"
import type { TestBody } from "../../fixtures/TestBody.ts"
import { settle } from "../worker/SupervisorWorld.ts"

const shop = ProjectName.make("shop")
const blog = ProjectName.make("blog")

const decode = Schema.decodeUnknownSync(Schema.parseJson(SubscriptionLine))

const stopped = (project: ProjectName): DaemonEvent => ({ _tag: "WorkerStopped", project, reason: "a test" })
const aboutNone: DaemonEvent = { _tag: "DaemonStopping", by: "a test" }

/** The lines, each by its kind and what it is about. */
const kinds = (lines: ReadonlyArray<string>) =>
  lines.map((text) => {
    assert.isTrue(text.endsWith("\n") && text.indexOf("\n") === text.length - 1, "not one line")
    const line = decode(text)
    return line.type === "event" ? `${line.event._tag} ${line.project ?? "-"}` : line.type
  })

/** Runs a test with something that subscribes and publishes. */
interface World {
  readonly subscribe: (request?: Partial<SubscribeRequest>) => Effect.Effect<{
    readonly lines: ReadonlyArray<string>
    readonly leave: Effect.Effect<unknown>
  }>
  readonly serve: Effect.Effect.Success<typeof Subscriptions.make>["serve"]
  readonly publish: (event: PublishedEvent) => Effect.Effect<void>
  readonly gate: Effect.Latch
}

const inWorld = (body: TestBody<[World], WorkerLines.WorkerLines>) =>
  Effect.gen(function* () {
    const gate = yield* Effect.makeLatch(true)
    const Reports = Layer.succeed(ProjectReports, {
      status: (project) =>
        project === blog
          ? Either.left(new UnknownProject({ project, known: [shop] }))
          : Either.right(statusFields),
      projects: () => ({ selected: shop, projects: [] })
    })
    const Store = Layer.effect(
      HistoryStore,
      Effect.map(HistoryStore, (store) => ({ ...store, next: Effect.zipRight(gate.await, store.next) }))
    ).pipe(Layer.provide(noHistory))
    return yield* Effect.flatMap(Effect.all([Subscriptions.make, DaemonEvents]), ([{ serve }, events]) =>
      Effect.zipRight(
        settle,
        Effect.gen(() =>
          body({
            serve,
            publish: (event) => Effect.zipRight(events.publish(event), settle),
            gate,
            subscribe: Effect.fnUntraced(function* (request = {}) {
              const lines: Array<string> = []
              const gone = yield* Deferred.make<void>()
              const follower = { send: (line: string) => void lines.push(line), gone: Deferred.await(gone) }
              yield* Effect.forkDaemon(Effect.orDie(serve({ type: "Subscribe", ...request }, follower)))
              yield* settle
              return { lines, leave: Effect.zipRight(Deferred.succeed(gone, undefined), settle) }
            })
          })
        )
      )
    ).pipe(
      Effect.scoped,
      Effect.provide(
        Layer.mergeAll(Concerns.layer, WorkerLines.layer, Reports, Store).pipe(
          Layer.provideMerge(recordedEvents([]))
        )
      )
    )
  })

describe("a subscription", () => {
  it.effect("begins with a snapshot, which every event follows", () =>
    inWorld(function* ({ publish, subscribe }) {
      const { lines } = yield* subscribe()
      yield* publish(stopped(shop))
      yield* publish(aboutNone)
      assert.deepStrictEqual(kinds(lines), ["snapshot", "WorkerStopped shop", "DaemonStopping -"])
    })
  )

  it.effect("gives each event its place in the history, and the snapshot that of the next one", () =>
    inWorld(function* ({ publish, subscribe }) {
      const { lines } = yield* subscribe()
      yield* publish({ ...aboutNone, at: 5, daemon: "a", seq: 7 })
      yield* publish(aboutNone)
      const [snapshot, kept, other] = lines.map((line) => JSON.parse(line))
      assert.deepStrictEqual(snapshot.next, { daemon: "a", seq: 0 })
      assert.deepStrictEqual(kept, { type: "event", at: 5, daemon: "a", seq: 7, event: aboutNone })
      assert.deepStrictEqual(other, { type: "event", at: 0, event: aboutNone })
    })
  )

  it.effect("misses no event during the snapshot", () =>
    inWorld(function* ({ gate, publish, subscribe }) {
      yield* gate.close
      const { lines } = yield* subscribe()
      yield* publish(stopped(shop))
      assert.deepStrictEqual(lines, [])
      yield* gate.open
      yield* settle
      yield* publish(aboutNone)
      assert.deepStrictEqual(kinds(lines), ["snapshot", "WorkerStopped shop", "DaemonStopping -"])
    })
  )

  it.effect("of one project has its events and those of no project", () =>
    inWorld(function* ({ publish, subscribe }) {
      const { lines } = yield* subscribe({ project: shop })
      for (const event of [stopped(blog), stopped(shop), aboutNone]) yield* publish(event)
      assert.deepStrictEqual(kinds(lines), ["snapshot", "WorkerStopped shop", "DaemonStopping -"])
    })
  )

  it.effect("of an unknown project is refused before anything is sent", () =>
    inWorld(function* ({ serve }) {
      const sent: Array<string> = []
      const follower = { send: (line: string) => void sent.push(line), gone: Effect.never }
      const refused = yield* Effect.flip(serve({ type: "Subscribe", project: blog }, follower))
      assert.include(refused.message, 'There is no project "blog" here.')
      assert.deepStrictEqual(sent, [])
    })
  )

  it.effect("has the workers' output only on request", () =>
    inWorld(function* ({ subscribe }) {
      const { publish } = yield* WorkerLines.WorkerLines
      const silent = yield* subscribe()
      const { lines } = yield* subscribe({ logs: true, project: shop })
      publish(shop, "out", Buffer.from("one\ntwo \xff\n", "latin1"))
      publish(blog, "out", Buffer.from("not of this one\n"))
      publish(shop, "err", Buffer.from("\n"))
      assert.lengthOf(silent.lines, 1)
      const all = lines
        .join("")
        .split("\n")
        .slice(0, -1)
        .map((text) => decode(text))
      assert.deepStrictEqual(
        all.map((line) => (line.type === "log" ? `${line.project} ${line.stream} ${line.text}` : line.type)),
        ["snapshot", "shop out one", "shop out two \ufffd", "shop err "]
      )
    })
  )

  it.effect("sends a sign of life while it is idle, and ends when the client is gone", () =>
    inWorld(function* ({ publish, subscribe }) {
      const { leave, lines } = yield* subscribe()
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(kinds(lines), ["snapshot", "alive", "alive"])
      yield* leave
      yield* publish(aboutNone)
      yield* TestClock.adjust("1 minute")
      assert.lengthOf(lines, 3)
    })
  )
})
