import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Schema from "effect/Schema"
import { answerSchemas } from "../../../src/Domain/json/AnswerSchemas.ts"
import { install } from "../../../src/Programs/service/Install.ts"
import { uninstall } from "../../../src/Programs/service/Uninstall.ts"
import { heard, invocationOf, messageOf } from "../../fixtures/CommandUser.ts"
import { serviceWorld } from "../../fixtures/ServiceWorld.ts"

const installedWorld = Effect.fnUntraced(function* (
  options: Parameters<typeof serviceWorld>[0] = {},
  ...words: ReadonlyArray<string>
) {
  const world = yield* serviceWorld(options)
  const { result } = yield* heard(Effect.provide(install(invocationOf("install", ...words)), world.layer))
  assert.isTrue(Either.isRight(result), messageOf(result))
  world.machine.told.length = 0
  return world
})

const uninstalling = (
  world: Effect.Effect.Success<ReturnType<typeof serviceWorld>>,
  ...words: ReadonlyArray<string>
) => heard(Effect.provide(uninstall(invocationOf("uninstall", ...words)), world.layer))

describe("autopilotd uninstall", () => {
  it.scopedLive("stops and removes the service, keeps the rest, and reports each step", () =>
    Effect.gen(function* () {
      const world = yield* installedWorld()
      const { out, result } = yield* uninstalling(world)
      assert.isTrue(Either.isRight(result), messageOf(result))
      assert.strictEqual(
        out,
        [
          "Stopping autopilotd.service and its workers, which may take as long as restart.stop_grace_ms",
          "Disabled autopilotd.service",
          `Removed ${world.unitPath}`,
          `Removed ${world.launcherPath}`,
          `The service was removed. Settings, logs and history stay in ${world.home.root}.`,
          ""
        ].join("\n")
      )
      assert.deepStrictEqual(world.machine.told, [
        "stop autopilotd.service",
        "disable autopilotd.service",
        "daemon-reload",
        "reset-failed autopilotd.service"
      ])
      assert.isFalse(fs.existsSync(world.unitPath))
      assert.isFalse(fs.existsSync(world.launcherPath))
      assert.isTrue(fs.existsSync(world.home.settingsFile))
    })
  )

  it.scopedLive("removes the panel's service with the daemon's, or alone", () =>
    Effect.gen(function* () {
      const world = yield* installedWorld({}, "--gui")
      const alone = yield* uninstalling(world, "--gui")
      assert.strictEqual(
        alone.out,
        [
          "Stopping autopilotd-gui.service",
          "Disabled autopilotd-gui.service",
          `Removed ${world.panelUnitPath}`,
          `The service was removed. Settings, logs and history stay in ${world.home.root}.`,
          ""
        ].join("\n")
      )
      assert.isTrue(fs.existsSync(world.unitPath) && fs.existsSync(world.launcherPath))
      assert.strictEqual(world.machine.active, "active")
      assert.strictEqual(
        (yield* uninstalling(world, "--gui")).out,
        "Nothing to remove: the web panel is not installed as a service.\n"
      )

      yield* heard(Effect.provide(install(invocationOf("install", "--gui")), world.layer))
      const both = yield* uninstalling(world)
      assert.include(both.out, `Removed ${world.unitPath}\nRemoved ${world.panelUnitPath}\n`)
      assert.include(both.out, "The services were removed.")
      assert.isFalse(fs.existsSync(world.panelUnitPath) || fs.existsSync(world.launcherPath))
    })
  )

  it.scopedLive("has nothing to do the second time, with or without systemd", () =>
    Effect.gen(function* () {
      const world = yield* installedWorld()
      yield* uninstalling(world)
      world.machine.told.length = 0
      const nothing = "Nothing to remove: autopilotd is not installed as a service.\n"
      assert.strictEqual((yield* uninstalling(world)).out, nothing)
      world.machine.manager = "missing"
      assert.strictEqual((yield* uninstalling(world)).out, nothing)
      assert.deepStrictEqual(world.machine.told, [])
    })
  )

  it.scopedLive("removes nothing where the service cannot be stopped, and names its files", () =>
    Effect.gen(function* () {
      const world = yield* installedWorld()
      world.machine.manager = "none"
      const told = messageOf((yield* uninstalling(world)).result)
      assert.include(told, "Nothing was removed")
      assert.include(told, `  ${world.unitPath}\n  ${world.launcherPath}`)
      assert.isTrue(fs.existsSync(world.unitPath))
      assert.isTrue(fs.existsSync(world.launcherPath))
    })
  )

  it.scopedLive("keeps the user's own files, and names them", () =>
    Effect.gen(function* () {
      const world = yield* installedWorld()
      fs.writeFileSync(world.launcherPath, "#!/bin/sh\necho mine\n")
      fs.mkdirSync(`${world.unitPath}.d`)
      fs.writeFileSync(`${world.unitPath}.d/nice.conf`, "[Service]\nNice=5\n")
      const { data, ...answer } = JSON.parse((yield* uninstalling(world, "--json")).out)
      assert.deepStrictEqual(answer, { success: true, message: "The service was removed", ...data })
      assert.doesNotThrow(() => Schema.decodeUnknownSync(answerSchemas.uninstall)(data))
      assert.deepStrictEqual(data, {
        removed: [world.unitPath],
        left: [`${world.unitPath}.d/nice.conf`, world.launcherPath],
        kept: world.home.root
      })
      assert.isTrue(fs.existsSync(join(`${world.unitPath}.d`, "nice.conf")))
      assert.isTrue(fs.existsSync(world.launcherPath))
    })
  )

  it.scopedLive("keeps a mask of the user", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({})
      fs.mkdirSync(join(world.unitPath, ".."), { recursive: true })
      fs.symlinkSync("/dev/null", world.unitPath)
      assert.include((yield* uninstalling(world)).out, "Nothing to remove")
      assert.strictEqual(fs.readlinkSync(world.unitPath), "/dev/null")
    })
  )

  it.scopedLive("stops a service whose unit was removed by hand", () =>
    Effect.gen(function* () {
      const world = yield* installedWorld()
      fs.rmSync(world.unitPath)
      yield* uninstalling(world)
      assert.deepStrictEqual(world.machine.told.slice(0, 3), [
        "stop autopilotd.service",
        "disable autopilotd.service",
        "daemon-reload"
      ])
    })
  )

  it.scopedLive("refuses the service of another home", () =>
    Effect.gen(function* () {
      const world = yield* installedWorld()
      const other = yield* serviceWorld({ home: "b", root: world.root })
      const told = messageOf((yield* uninstalling(other)).result)
      assert.include(told, `is the service of another home, ${world.home.root}`)
      assert.isTrue(fs.existsSync(world.unitPath))
    })
  )
})
