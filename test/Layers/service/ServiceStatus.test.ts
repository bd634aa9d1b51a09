import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ServiceStatus from "../../../src/Layers/service/ServiceStatus.ts"
import { Supervisor } from "../../../src/Layers/worker/Supervisor.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"
import { fakeService } from "../systemd/FakeService.ts"
import { FakeRuns } from "../worker/FakeRuns.ts"
import { crash, layerOf, makeSurroundings, type Surroundings } from "../worker/SupervisorWorld.ts"
import { makeVirtualClock, type VirtualClock } from "../worker/VirtualClock.ts"

/** The lines that `systemctl status` has shown. */
const shown = <A, E>(
  test: (
    pass: VirtualClock["pass"],
    lines: () => ReadonlyArray<string>
  ) => Effect.Effect<A, E, Supervisor | FakeRuns>,
  disk: Surroundings["disk"] = "works"
) => {
  const { clock, pass } = makeVirtualClock()
  const service = fakeService()
  const events = recordedEvents([])
  const lines = () => service.messages.flatMap((message) => (message._tag === "Status" ? [message.text] : []))
  return test(pass, lines).pipe(
    Effect.provide(
      ServiceStatus.layer.pipe(
        Layer.provide(service.layer),
        Layer.provide(events),
        Layer.provideMerge(layerOf({ ...makeSurroundings(), disk }, {}, events))
      )
    ),
    Effect.withClock(clock)
  )
}

describe("the line of systemctl status", () => {
  it.effect("follows the state of the workers, and is never sent twice", () =>
    shown((pass, lines) =>
      Effect.gen(function* () {
        const supervisor = yield* Supervisor
        const { started } = yield* FakeRuns
        yield* supervisor.begin
        yield* pass(5000)
        assert.deepStrictEqual(lines(), ["running, pid 1000"])
        yield* started[0]?.exit(crash) ?? Effect.void
        yield* pass(500)
        assert.match(lines().at(-1) ?? "", /^restarting: .*exit code 1/)
        yield* pass(5000)
        assert.strictEqual(lines().at(-1), "running, pid 1001, 1 restart")
        yield* pass(600_000)
        assert.lengthOf(lines(), 3)
        yield* supervisor.drain
        yield* pass(1000)
        assert.strictEqual(lines().at(-1), "stopping, 1 restart: the daemon is shutting down")
      })
    )
  )

  it.effect("says that a worker runs also where the disk is slow to save it", () =>
    shown(
      (pass, lines) =>
        Effect.gen(function* () {
          yield* (yield* Supervisor).begin
          yield* pass(60_000)
          assert.strictEqual(lines().at(-1), "running, pid 1000")
        }),
      "slow"
    )
  )

  it.effect("changes once a second at most, and ends with the present state", () =>
    shown((pass, lines) =>
      Effect.gen(function* () {
        const supervisor = yield* Supervisor
        yield* supervisor.begin
        yield* pass(5000)
        const before = lines().length
        const actor = yield* supervisor.project(undefined)
        for (let round = 0; round < 20; round++) {
          yield* Effect.fork(actor.command("restart"))
          yield* pass(150)
        }
        yield* pass(5000)
        assert.isAtMost(lines().length - before, 4)
        assert.match(lines().at(-1) ?? "", /^running, pid [0-9]+, 20 restarts$/)
      })
    )
  )
})
