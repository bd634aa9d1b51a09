import type * as Net from "node:net"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { Follower } from "../../../src/Layers/control/ControlConnections.ts"
import { ControlHandler } from "../../../src/Layers/control/ControlHandler.ts"
import * as ControlServer from "../../../src/Layers/control/ControlServer.ts"
import { open } from "../../fixtures/RawClient.ts"
import { answer, socketPath } from "../../fixtures/ServedControl.ts"
import { eventually } from "../../live/TestDaemon.ts"

const subscribe = '{"type":"Subscribe"}\n'

/** A server whose followers the test talks to. */
const serving = (
  limits: Partial<ControlServer.ControlServerLimits> = {},
  follow?: (follower: Follower) => ReturnType<ControlHandler["Type"]["follow"]>
) =>
  Effect.gen(function* () {
    const path = yield* socketPath
    const followers: Array<Follower> = []
    let left = 0
    const handler = Layer.succeed(ControlHandler, {
      handle: answer,
      follow: (_, follower) =>
        follow?.(follower) ??
        Effect.suspend(() => {
          followers.push(follower)
          return Effect.map(follower.gone, () => void left++)
        })
    })
    yield* Effect.provide(ControlServer.bind({ path, limits }), handler)
    const following = (count: number) => eventually(`${count} follow`, () => followers.length === count)
    const gone = (count: number) => eventually(`${count} are gone`, () => left === count)
    return { path, followers, following, gone, countGone: () => left }
  })

const connect = (path: string, text: string) =>
  Effect.promise(async () => {
    const { heard, socket } = await open(path)
    socket.write(text)
    return { heard: Effect.promise(() => heard), socket: socket as Net.Socket }
  })

describe("a subscriber", () => {
  it.scopedLive("receives line after line, and its own bytes are ignored", () =>
    Effect.gen(function* () {
      const { followers, following, gone, path } = yield* serving()
      const { heard, socket } = yield* connect(path, subscribe)
      yield* following(1)
      followers[0]?.send("one\n")
      socket.write("garbage\n")
      followers[0]?.send("two\n")
      let text = ""
      socket.on("data", (chunk) => void (text += String(chunk)))
      yield* eventually("both have come", () => text.endsWith("two\n"))
      socket.end()
      socket.destroy()
      yield* heard
      // Only a write tells.
      followers[0]?.send("three\n")
      yield* gone(1)
    })
  )

  it.scopedLive("that does not read is cut off with a notice, and the others are not", () =>
    Effect.gen(function* () {
      const { countGone, followers, following, gone, path } = yield* serving({ followerBytes: 100_000 })
      const slow = yield* connect(path, subscribe)
      slow.socket.pause()
      const quick = yield* connect(path, subscribe)
      yield* following(2)
      const line = `${"x".repeat(9_999)}\n`
      const [first, second] = followers
      yield* eventually("the one that does not read is cut off", () => {
        first?.send(line)
        second?.send("y\n")
        return countGone() === 1 ? true : undefined
      })
      slow.socket.resume()
      const { text } = yield* slow.heard
      assert.match(text, /\n\{"type":"notice","message":"The daemon ended this subscription[^\n]*"\}\n$/)
      quick.socket.destroy()
      yield* quick.heard
      second?.send("z\n")
      yield* gone(2)
    })
  )

  it.scopedLive("is refused when the handler refuses it", () =>
    Effect.gen(function* () {
      const { path } = yield* serving({}, () =>
        Effect.fail({ message: "There is no such project.", code: "unknown_project" as const })
      )
      const { heard } = yield* connect(path, subscribe)
      assert.strictEqual(
        (yield* heard).text,
        '{"success":false,"message":"There is no such project.","code":"unknown_project"}\n'
      )
    })
  )

  it.scopedLive("never takes the connections that are kept for requests", () =>
    Effect.gen(function* () {
      const { following, path } = yield* serving({ maxConnections: 40 })
      const all = yield* Effect.forEach([...Array(8).keys()], () => connect(path, subscribe))
      yield* following(8)
      const { heard } = yield* connect(path, subscribe)
      assert.match((yield* heard).text, /"success":false,"message":"There are 8 subscribers already/)
      const asked = yield* connect(path, '{"type":"Status"}\n')
      assert.match((yield* asked.heard).text, /"success":true/)
      for (const { socket } of all) socket.destroy()
    })
  )

  it.live("receives a notice when the daemon closes its socket", () =>
    Effect.gen(function* () {
      const heard = yield* Effect.scoped(
        Effect.gen(function* () {
          const { following, path } = yield* serving()
          const client = yield* connect(path, subscribe)
          yield* following(1)
          return client.heard
        })
      )
      assert.strictEqual(
        (yield* heard).text,
        '{"type":"notice","message":"The daemon is closing its control socket."}\n'
      )
    })
  )
})
