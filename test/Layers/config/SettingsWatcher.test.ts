import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/TestClock"
import * as TestServices from "effect/TestServices"
import { settingsChanges } from "../../../src/Domain/config/SettingsDiff.ts"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import { ProjectName } from "../../../src/Domain/Project.ts"
import type { EffectiveSettings } from "../../../src/Domain/settings/EffectiveSettings.ts"
import { SettingsError } from "../../../src/Domain/settings/SettingsProblem.ts"
import { SettingsReload } from "../../../src/Layers/config/SettingsReload.ts"
import * as SettingsWatcher from "../../../src/Layers/config/SettingsWatcher.ts"
import { Concerns } from "../../../src/Layers/history/Concerns.ts"
import { SettingsInForce } from "../../../src/Layers/settings/SettingsInForce.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"
import { inForce, settingsOf as inForceOf } from "../../fixtures/SettingsInForce.ts"
import { folder, promisesWith } from "../../fixtures/SettingsWriter.ts"
import { eventually } from "../../live/TestDaemon.ts"

/** As editors do it. */
const renameOver = (path: string, text: string) => {
  fs.writeFileSync(`${path}~`, text)
  fs.renameSync(`${path}~`, path)
}

/**
 * A watcher on a file that holds "at first". A reload takes over any text but "wrong", and switches the watcher off at
 * "off". A text with "half" in it has no project "shop". `reloads` has the text of the file at each reload; undefined for
 * no file.
 */
const watching = Effect.gen(function* () {
  const path = join(yield* folder, "daemon.toml")
  fs.writeFileSync(path, "at first")
  const settingsOf = (text: string | undefined): EffectiveSettings => ({
    ...inForce({ watch_config: text !== "off" }),
    settingsFile: { path, found: text !== undefined, text: text ?? "" }
  })
  const current = yield* SubscriptionRef.make(settingsOf("at first"))
  const reloads: Array<string | undefined> = []
  const reload = Effect.gen(function* () {
    const text = fs.existsSync(path) ? fs.readFileSync(path, "utf8") : undefined
    reloads.push(text)
    if (text === "wrong") return yield* Effect.fail(new SettingsError({ problems: [{ reason: "is wrong" }] }))
    const before = yield* SubscriptionRef.get(current)
    yield* SubscriptionRef.set(current, settingsOf(text))
    return { ...settingsChanges(before, settingsOf(text)), restarted: [], awaiting_restart: [] }
  })
  const removals = Effect.sync(() =>
    fs.existsSync(path) && fs.readFileSync(path, "utf8").includes("half") ? [ProjectName.make("shop")] : []
  )
  const events: Array<DaemonEvent> = []
  let polls = 0
  const atPoll = { act: (): void => undefined }
  yield* promisesWith(
    "stat",
    (original) =>
      new Proxy(original, {
        apply: (target, self, args) => {
          if (args[0] === path && args.length > 1) {
            polls++
            atPoll.act()
          }
          return Reflect.apply(target, self, args)
        }
      })
  )
  yield* Layer.build(
    SettingsWatcher.layer.pipe(
      Layer.provide(
        Layer.succeed(SettingsReload, {
          reload: () => reload,
          run: () => Effect.dieMessage("a project was added"),
          removals
        })
      ),
      Layer.provide(recordedEvents(events)),
      Layer.provide(Layer.succeed(SettingsInForce, inForceOf(current))),
      Layer.provide(
        Layer.succeed(Concerns, {
          run: (_name, effect) => Effect.asVoid(Effect.forkScoped(effect)),
          show: () => Effect.void,
          degraded: () => [],
          running: () => [],
          beyondHelp: Effect.never
        })
      )
    )
  )
  const clock = yield* TestClock.testClock()
  /** Lets the clock run until a condition holds. */
  const until = (what: string, isSo: () => boolean) =>
    TestServices.provideLive(
      eventually(
        what,
        Effect.map(clock.adjust("1 second"), () => isSo() || undefined)
      )
    )
  const nextPolls = (count: number) =>
    Effect.suspend(() => {
      const target = polls + count
      return until("the file is polled", () => polls >= target)
    })
  const reloaded = (...texts: ReadonlyArray<string | undefined>) =>
    Effect.map(
      until(`reloads: ${texts.join()}`, () => reloads.length >= texts.length),
      () => assert.deepStrictEqual(reloads, texts)
    )
  return { path, atPoll, current, settingsOf, events, nextPolls, reloaded, until }
})

describe("watch_config", () => {
  it.scoped("reloads when the file is edited, replaced, removed or created, and after a refused edit", () =>
    Effect.gen(function* () {
      const { path, reloaded } = yield* watching
      fs.writeFileSync(path, "edited")
      yield* reloaded("edited")
      renameOver(path, "replaced")
      yield* reloaded("edited", "replaced")
      fs.writeFileSync(path, "wrong")
      yield* reloaded("edited", "replaced", "wrong")
      fs.writeFileSync(path, "right")
      yield* reloaded("edited", "replaced", "wrong", "right")
      fs.rmSync(path)
      yield* reloaded("edited", "replaced", "wrong", "right", undefined)
      fs.writeFileSync(path, "")
      yield* reloaded("edited", "replaced", "wrong", "right", undefined, "")
    })
  )

  it.scoped("follows symbolic links: their target is edited, and the link is turned", () =>
    Effect.gen(function* () {
      const { path, reloaded } = yield* watching
      const [one, two] = [`${path}.one`, `${path}.two`]
      fs.writeFileSync(two, "two")
      fs.renameSync(path, one)
      fs.symlinkSync(one, path)
      fs.writeFileSync(one, "one")
      yield* reloaded("one")
      fs.symlinkSync(two, `${path}~`)
      fs.renameSync(`${path}~`, path)
      yield* reloaded("one", "two")
    })
  )

  it.scoped("reads a file only when no program has written it for a second", () =>
    Effect.gen(function* () {
      const { atPoll, path, reloaded } = yield* watching
      let part = 0
      atPoll.act = () => {
        if (part < 5) fs.appendFileSync(path, ` ${part++}`)
      }
      yield* reloaded("at first 0 1 2 3 4")
    })
  )

  it.scoped("takes a project away only when the file has stayed as it is, and says that it waits", () =>
    Effect.gen(function* () {
      const { events, path, reloaded, until } = yield* watching
      fs.writeFileSync(path, "half")
      yield* until("it waits", () => events.length > 0)
      assert.deepStrictEqual(events, [{ _tag: "RemovalAwaited", projects: ["shop"], forMs: 10_000 }])
      fs.writeFileSync(path, "the whole")
      yield* reloaded("the whole")
      fs.writeFileSync(path, "half for good")
      yield* reloaded("the whole", "half for good")
      assert.lengthOf(events, 2)
    })
  )

  it.scoped("reloads nothing when the text is the one in force, nor while it is off", () =>
    Effect.gen(function* () {
      const { current, nextPolls, path, reloaded, settingsOf } = yield* watching
      yield* nextPolls(3)
      fs.writeFileSync(path, "at first")
      fs.chmodSync(path, 0o600)
      yield* nextPolls(3)
      // As `autopilotd reload` does.
      fs.writeFileSync(path, "by command")
      yield* SubscriptionRef.set(current, settingsOf("by command"))
      yield* nextPolls(3)
      fs.writeFileSync(path, "off")
      yield* reloaded("off")
      fs.writeFileSync(path, "while off")
      yield* TestClock.adjust("1 minute")
      fs.writeFileSync(path, "at last")
      yield* SubscriptionRef.set(current, settingsOf("on"))
      yield* reloaded("off", "at last")
    })
  )
})
