import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { answerOf } from "../../../src/Programs/cli/ExitCode.ts"
import { detach } from "../../../src/Programs/daemon/Detach.ts"
import { heard, invocationOf, messageOf } from "../../fixtures/CommandUser.ts"
import { serviceWorld, shippedUnit } from "../../fixtures/ServiceWorld.ts"

/** The unit stands where a person's `cp` puts it, enabled and stopped. */
const worldWithService = Effect.fnUntraced(function* (options: Parameters<typeof serviceWorld>[0] = {}) {
  const world = yield* serviceWorld(options)
  fs.mkdirSync(join(world.unitPath, ".."), { recursive: true })
  fs.writeFileSync(world.unitPath, shippedUnit)
  world.machine.enabled = true
  return world
})

const starting = (
  world: Effect.Effect.Success<ReturnType<typeof serviceWorld>>,
  ...words: ReadonlyArray<string>
) => heard(Effect.provide(detach(invocationOf("start", "--detach", ...words)), world.layer))

describe("autopilotd start --detach where the daemon is a service", () => {
  it.scopedLive("lets systemd start it", () =>
    Effect.gen(function* () {
      const world = yield* worldWithService()
      const { out, result } = yield* starting(world)
      assert.isTrue(Either.isRight(result), messageOf(result))
      assert.strictEqual(
        out,
        "autopilotd started as the service autopilotd.service, pid 4711.\n" +
          "The worker of shop is running.\n" +
          `Log: ${world.home.logDir}/autopilotd.log\n` +
          "Output: autopilotd logs -f. Status: autopilotd status. Stop: autopilotd stop.\n"
      )
      assert.deepStrictEqual(world.machine.told, ["start autopilotd.service"])
      assert.deepStrictEqual(world.background, [])
    })
  )

  for (const state of ["stopped", "failed", "restarting", "waiting"]) {
    it.scopedLive(
      `starts a worker that was ${state}, because a start by the user clears the saved state`,
      () =>
        Effect.gen(function* () {
          const world = yield* worldWithService()
          world.machine.worker = state
          const started = yield* starting(world)
          const hasFailed = state === "failed" || state === "restarting"
          const said = hasFailed ? messageOf(started.result) : started.out
          assert.include(said, `\nThe worker was ${state}: Worker is starting.\n`)
          // The daemon of this test starts none.
          assert.strictEqual(Either.isLeft(started.result), hasFailed)
          if (hasFailed) assert.include(said, "The daemon runs, but not the worker of shop.")
          assert.include(
            world.asked.map(({ type }) => type),
            "StartWorker"
          )
          const json = yield* worldWithService()
          json.machine.worker = state
          const told = yield* starting(json, "--json")
          const { data, message } = Either.isLeft(told.result)
            ? (answerOf(Cause.fail(told.result.left)) ?? {})
            : JSON.parse(told.out)
          assert.strictEqual(
            message,
            hasFailed ? "The daemon runs, but not the worker of shop" : "Daemon started"
          )
          assert.deepStrictEqual(data, {
            pid: 4711,
            log: `${json.home.logDir}/autopilotd.log`,
            service: "autopilotd.service",
            worker: `The worker was ${state}: Worker is starting`,
            workers: [{ name: "shop", worker_status: state, worker_pid: null }]
          })
        })
    )
  }

  it.scopedLive("leaves the worker as it was with --keep-state, and one that runs in any case", () =>
    Effect.gen(function* () {
      const kept = yield* worldWithService()
      kept.machine.worker = "failed"
      const started = yield* starting(kept, "--keep-state")
      assert.isTrue(Either.isRight(started.result), messageOf(started.result))
      const running = yield* worldWithService()
      yield* starting(running)
      for (const { asked } of [kept, running])
        assert.notInclude(
          asked.map(({ type }) => type),
          "StartWorker"
        )
    })
  )

  it.scopedLive("names the daemon that runs already", () =>
    Effect.gen(function* () {
      const world = yield* worldWithService()
      world.machine.daemonPid = 99
      const told = messageOf((yield* starting(world)).result)
      assert.include(told, `A daemon is already running with pid 99 for ${world.home.root}.`)
      assert.deepStrictEqual(world.machine.told, [])
    })
  )

  it.scopedLive("refuses options that a service cannot receive, with replacements", () =>
    Effect.gen(function* () {
      const world = yield* worldWithService()
      const given = ["--workdir", "/srv/my shop", "--max-turns", "7", "-c", "/x.toml", "-p", "shop"]
      const told = messageOf((yield* starting(world, ...given, "--", "claude", "-p", 'say "hi"')).result)
      assert.include(
        told,
        "--workdir, --max-turns, --project, --config and the command after -- cannot be passed to it"
      )
      for (const instead of [
        "autopilotd config set working_dir '/srv/my shop'",
        "autopilotd config set max_turns 7",
        "autopilotd switch shop",
        `put the settings into ${world.home.settingsFile}`,
        `autopilotd config set worker_command '{ type = "Command", argv = ["claude", "-p", "say \\"hi\\""] }'`,
        "autopilotd uninstall"
      ])
        assert.include(told, instead)
      assert.deepStrictEqual(world.machine.told, [])
      assert.deepStrictEqual(world.background, [])
      const usual = yield* starting(world, "--config", world.home.settingsFile)
      assert.isTrue(Either.isRight(usual.result))
    })
  )

  it.scopedLive("fails with the daemon's own error when the service does not start", () =>
    Effect.gen(function* () {
      const world = yield* worldWithService()
      world.machine.startFails = "autopilotd: The settings are wrong."
      assert.strictEqual(messageOf((yield* starting(world)).result), "The settings are wrong.")
    })
  )

  it.scopedLive("reports that only systemd can start it, where there is no user manager", () =>
    Effect.gen(function* () {
      const world = yield* worldWithService({ environment: { XDG_RUNTIME_DIR: "" } })
      world.machine.manager = "none"
      const told = messageOf((yield* starting(world)).result)
      assert.include(told, "autopilotd is installed as a service, which only systemd can start.")
      assert.deepStrictEqual(world.background, [])
    })
  )
})

describe("autopilotd start --detach starts a process in a session of its own", () => {
  it.scopedLive("without a unit, and without a call of systemctl", () =>
    Effect.gen(function* () {
      const world = yield* serviceWorld({})
      world.machine.manager = "none"
      const { out } = yield* starting(world, "--", "sh")
      assert.include(out, "autopilotd started in the background, pid 815.")
      assert.deepStrictEqual(world.background, [["start", "--", "sh"]])
    })
  )

  it.scopedLive("where the unit is not enabled", () =>
    Effect.gen(function* () {
      const world = yield* worldWithService()
      world.machine.enabled = false
      assert.include((yield* starting(world)).out, "in the background")
    })
  )

  it.scopedLive("where the unit is that of another home", () =>
    Effect.gen(function* () {
      const world = yield* worldWithService({ home: "elsewhere" })
      world.machine.manager = "none"
      assert.include((yield* starting(world)).out, "in the background")
    })
  )
})
