import * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { subscriptionLine } from "../../../src/Domain/control/Subscription.ts"
import { historyData } from "../../../src/Domain/history/HistoryData.ts"
import type { HistoryRecord } from "../../../src/Domain/history/HistoryRecord.ts"
import type { Followed } from "../../../src/Domain/relay/Followed.ts"
import { utc } from "../../../src/Domain/text/LocalTime.ts"
import * as Client from "../../../src/Layers/control/ControlClient.ts"
import { ControlClient } from "../../../src/Layers/control/ControlClient.ts"
import type { Follower } from "../../../src/Layers/control/ControlConnections.ts"
import { ControlHandler } from "../../../src/Layers/control/ControlHandler.ts"
import * as ControlServer from "../../../src/Layers/control/ControlServer.ts"
import { subscribe } from "../../../src/Layers/control/SubscriptionClient.ts"
import { follow } from "../../../src/Layers/relay/Follow.ts"
import { numbered, numbersOf } from "../../fixtures/HistoryWorld.ts"
import { socketPath } from "../../fixtures/ServedControl.ts"
import { statusFields } from "../../fixtures/StatusFields.ts"
import { eventually } from "../../live/TestDaemon.ts"

/** A daemon with this history, whose control socket cuts off a follower for which more than 10 kB wait. */
const serving = Effect.gen(function* () {
  const path = yield* socketPath
  const history: Array<HistoryRecord> = []
  const followers = new Set<Follower>()
  let cutOff = 0
  const handler = Layer.succeed(ControlHandler, {
    handle: (request) =>
      Effect.succeed({
        success: true,
        message: "",
        data:
          request.type === "History"
            ? historyData(
                { records: history, damaged: 0 },
                { sinceMs: undefined, limit: request.limit ?? 100, from: request.from },
                0,
                utc
              )
            : statusFields
      }),
    follow: (_, follower) =>
      Effect.suspend(() => {
        const next = { daemon: "run0", seq: history.length }
        const projects = { selected: "shop", projects: [] }
        follower.send(subscriptionLine({ type: "snapshot", at: 1, status: statusFields, projects, next }))
        followers.add(follower)
        return Effect.map(follower.gone, () => {
          followers.delete(follower)
          cutOff++
        })
      })
  })
  yield* Effect.provide(ControlServer.bind({ path, limits: { followerBytes: 10_000 } }), handler)
  const publish = () => {
    const event = numbered(history.length)
    const head = { at: 1, daemon: "run0", seq: history.length }
    history.push({ ...head, ...event })
    for (const { send } of followers) send(subscriptionLine({ type: "event", ...head, event }))
  }
  return { path, history, publish, cutOff: () => cutOff, count: () => followers.size }
})

/** A way to the socket at `path` on which the bytes of the daemon can be held up. */
const slowWayTo = Effect.fnUntraced(function* (path: string) {
  const own = `${path}.slow`
  const upstreams = new Set<Net.Socket>()
  const server = Net.createServer({ allowHalfOpen: true }, (client) => {
    const upstream = Net.connect(path)
    upstreams.add(upstream)
    for (const socket of [client, upstream]) socket.on("error", () => undefined)
    client.pipe(upstream)
    upstream.pipe(client)
    upstream.on("close", () => client.destroy())
    client.on("close", () => upstream.destroy())
  })
  yield* Effect.acquireRelease(
    Effect.async<void>((resume) => void server.listen(own, () => resume(Effect.void))),
    () =>
      Effect.sync(() => {
        server.close()
        for (const upstream of upstreams) upstream.destroy()
      })
  )
  const onEach = (act: (upstream: Net.Socket) => void) => Effect.sync(() => upstreams.forEach(act))
  return { path: own, hold: onEach((one) => one.pause()), release: onEach((one) => one.resume()) }
})

describe("a follower that is cut off because it does not read", () => {
  it.scopedLive("has each event once all the same, and does not take the daemon for stopped", () =>
    Effect.gen(function* () {
      const daemon = yield* serving
      const way = yield* slowWayTo(daemon.path)
      const { request } = yield* Effect.provide(ControlClient, Client.layer({ path: daemon.path }))
      const seen: Array<Followed> = []
      yield* Effect.forkScoped(
        Stream.runForEach(
          follow({ lines: subscribe(Client.localConnection(way.path), {}), request })(undefined),
          (one) => Effect.sync(() => void seen.push(one))
        )
      )
      const follows = eventually("it follows", () => daemon.count() === 1)
      yield* follows
      for (let n = 0; n < 10; n++) daemon.publish()
      yield* eventually("the first events", () => seen.length >= 11)
      yield* way.hold
      yield* eventually("the daemon cuts it off", () => {
        for (let n = 0; n < 100; n++) daemon.publish()
        return daemon.cutOff() === 1 ? true : undefined
      })
      yield* way.release
      yield* follows
      daemon.publish()
      const numbers = () => numbersOf(seen.flatMap((one) => (one._tag === "Event" ? [one.record] : [])))
      yield* eventually("all events", () => numbers().at(-1) === daemon.history.length - 1)
      assert.deepStrictEqual(numbers(), [...daemon.history.keys()])
      assert.deepStrictEqual(
        seen.map(({ _tag }) => _tag).filter((tag) => tag !== "Event"),
        ["Connected", "Connected"]
      )
    })
  )
})
