import * as fs from "node:fs"
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import type { EventCursor, Followed } from "../../../src/Domain/relay/Followed.ts"
import { decodeRaw } from "../../../src/Domain/settings/SettingsDecode.ts"
import type { RawSettings } from "../../../src/Domain/toml/RawSettings.ts"
import { AutopilotHome, pathsBelow } from "../../../src/Layers/daemon/AutopilotHome.ts"
import { Following } from "../../../src/Layers/relay/Following.ts"
import { OutletReports } from "../../../src/Layers/relay/OutletReports.ts"
import * as Notifier from "../../../src/Programs/notify/Notifier.ts"
import { backingOff, ended, shop, started } from "../../Domain/notify/night.ts"
import { httpReceiver } from "../../fixtures/LocalServer.ts"
import { temporaryFolder } from "../../fixtures/TemporaryFolder.ts"
import { outletsInto } from "../../fixtures/ToldOutlets.ts"

/** A daemon that has had these events, all of them now, and has no more. */
const daemonOf = (events: ReadonlyArray<DaemonEvent>) =>
  Layer.succeed(Following, {
    from: (cursor: EventCursor | undefined) =>
      Stream.concat(
        Stream.fromIterable(
          events
            .map(
              (event, seq): Followed => ({
                _tag: "Event",
                record: { at: Date.now(), daemon: "run1", seq, ...event }
              })
            )
            .slice(cursor === undefined ? 0 : cursor.seq + 1)
        ),
        Stream.never
      )
  })

/** A receiver that keeps what it got; it answers only while it is told to. */
const receiver = Effect.gen(function* () {
  const state = { isAnswering: true, got: [] as Array<[id: string, title: string]> }
  const { url } = yield* httpReceiver((response, { body }) => {
    const { data } = JSON.parse(body)
    state.got.push([data.id, data.title])
    if (state.isAnswering) response.writeHead(204).end()
  })
  return Object.assign(state, { url: `${url}/` })
})

const noReports = Layer.succeed(OutletReports, outletsInto([]))

const home = Effect.map(temporaryFolder, pathsBelow)

const settingsOf = (notify: RawSettings) => Either.getOrThrow(decodeRaw({ notify })).notify

const eventually = (look: () => boolean): Effect.Effect<void> =>
  Effect.promise(async () => {
    while (!look()) await new Promise((resume) => setTimeout(resume, 10))
  })

const waitingIn = (path: string): ReadonlyArray<string> => {
  try {
    const { channels } = JSON.parse(fs.readFileSync(path, "utf8"))
    return channels.hook.waiting.map(({ id }: { readonly id: string }) => id)
  } catch {
    return []
  }
}

const crash = [started(), ended(), backingOff(1)]
const again: DaemonEvent = { _tag: "CommandTaken", project: shop, command: "start" }
const gaveUp: DaemonEvent = { _tag: "GaveUp", project: shop, failures: 10, reason: "exited with code 1" }

describe("the notifier", () => {
  it.scopedLive("sends after a kill exactly what had not arrived, under the same id", () =>
    Effect.gen(function* () {
      const paths = yield* home
      const hook = yield* receiver
      const settings = settingsOf({ to: { hook: { type: "webhook", url: hook.url } } })
      const run = (...events: ReadonlyArray<DaemonEvent>) =>
        Effect.fork(
          Notifier.notifier(settings).pipe(
            Effect.provide(NodeHttpClient.layer),
            Effect.provide(noReports),
            Effect.provide(daemonOf(events)),
            Effect.provideService(AutopilotHome, paths)
          )
        )
      const first = yield* run(...crash)
      yield* eventually(() => hook.got.length === 1 && waitingIn(paths.notifyFile).length === 0)
      yield* Fiber.interrupt(first)

      // The second is on its way when the relay dies.
      hook.isAnswering = false
      const second = yield* run(...crash, started(), ended(), gaveUp)
      yield* eventually(() => hook.got.length === 2)
      yield* Fiber.interrupt(second)
      assert.deepStrictEqual(waitingIn(paths.notifyFile), ["run1-5"])

      hook.isAnswering = true
      const third = yield* run(...crash, started(), ended(), gaveUp)
      yield* eventually(() => hook.got.length === 3 && waitingIn(paths.notifyFile).length === 0)
      yield* Fiber.interrupt(third)
      assert.deepStrictEqual(hook.got, [
        ["run1-2", "shop has crashed"],
        ["run1-5", "shop has failed"],
        ["run1-5", "shop has failed"]
      ])

      // Nothing is told again after that.
      const fourth = yield* run(...crash, started(), ended(), gaveUp, again, started(), ended(), gaveUp)
      yield* eventually(() => hook.got.length === 4)
      yield* Fiber.interrupt(fourth)
      assert.deepStrictEqual(hook.got.at(-1), ["run1-9", "shop has failed"])
    })
  )

  it.scopedLive(
    "begins afresh where its state is damaged, keeps the file, and tells the other channels when one hangs",
    () =>
      Effect.gen(function* () {
        const paths = yield* home
        fs.writeFileSync(paths.notifyFile, "{ not json")
        const silent = yield* receiver
        silent.isAnswering = false
        const hook = yield* receiver
        const settings = settingsOf({
          to: { hanging: { type: "webhook", url: silent.url }, hook: { type: "webhook", url: hook.url } }
        })
        const fiber = yield* Effect.fork(
          Notifier.notifier(settings).pipe(
            Effect.provide(NodeHttpClient.layer),
            Effect.provide(noReports),
            Effect.provide(daemonOf(crash)),
            Effect.provideService(AutopilotHome, paths)
          )
        )
        yield* eventually(() => hook.got.length === 1 && silent.got.length === 1)
        assert.strictEqual(fs.readFileSync(`${paths.notifyFile}.unreadable`, "utf8"), "{ not json")
        yield* Fiber.interrupt(fiber)
      })
  )
})
