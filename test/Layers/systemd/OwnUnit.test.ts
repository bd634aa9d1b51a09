import * as fs from "node:fs"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { DaemonEvent } from "../../../src/Domain/history/DaemonEvent.ts"
import * as OwnUnit from "../../../src/Layers/systemd/OwnUnit.ts"
import { SystemdNotAsked, SystemdTools, type ToolAnswer } from "../../../src/Layers/systemd/SystemdTools.ts"
import { recordedEvents } from "../../fixtures/RecordedEvents.ts"
import { temporaryHome } from "../../live/TestDaemon.ts"

const service = "/user.slice/user-7.slice/user@7.service/app.slice/autopilotd.service"

const shown = (more: string) => ({ code: 0, stdout: `ControlGroup=${service}\n${more}`, stderr: "" })

/** What the process with pid 4711 in the service's group learns, and whom it has asked. */
const learn = Effect.fnUntraced(function* (
  answer: Effect.Effect<ToolAnswer, SystemdNotAsked>,
  {
    cgroup = `0::${service}\n`,
    execPid = "4711"
  }: { readonly cgroup?: string; readonly execPid?: string } = {}
) {
  const cgroupFile = join(yield* temporaryHome, "cgroup")
  fs.writeFileSync(cgroupFile, cgroup)
  const asked: Array<string> = []
  const events: Array<DaemonEvent> = []
  const layer = OwnUnit.layerFor({ environment: { SYSTEMD_EXEC_PID: execPid }, pid: 4711, cgroupFile }).pipe(
    Layer.provide(
      Layer.merge(
        Layer.succeed(SystemdTools, {
          run: (tool, args) =>
            Effect.zipRight(
              Effect.sync(() => asked.push([tool, ...args].join(" "))),
              answer
            )
        }),
        recordedEvents(events)
      )
    )
  )
  return yield* Effect.gen(function* () {
    const { facts } = yield* OwnUnit.OwnUnit
    const first = yield* facts
    assert.deepStrictEqual(yield* facts, first)
    return { facts: first, asked, events }
  }).pipe(Effect.provide(layer))
})

describe("the daemon's own unit", () => {
  it.scoped("is read once, from the manager that runs it", () =>
    Effect.gen(function* () {
      const { asked, events, facts } = yield* learn(
        Effect.succeed(
          shown("Delegate=yes\nTimeoutStopUSec=30s\nType=notify\nNotifyAccess=all\nId=autopilotd.service\n")
        )
      )
      assert.deepStrictEqual(facts, {
        name: "autopilotd.service",
        manager: "user",
        type: "notify",
        notifyAccess: "all",
        isDelegated: true,
        stopTimeoutMs: 30_000,
        controlGroup: service
      })
      assert.lengthOf(asked, 1)
      assert.match(asked[0] ?? "", /^systemctl --user show --property=\S+ -- autopilotd\.service$/)
      assert.deepStrictEqual(events, [])
    })
  )

  it.scoped("of the machine is read from the machine's manager", () =>
    Effect.gen(function* () {
      const { asked } = yield* learn(Effect.succeed(shown("TimeoutStopUSec=30s\n")), {
        cgroup: "0::/system.slice/autopilotd.service/daemon\n"
      })
      assert.match(asked[0] ?? "", /^systemctl show /)
    })
  )

  it.scoped("is undefined for a descendant of a unit's process, without a call of systemctl", () =>
    Effect.gen(function* () {
      for (const execPid of ["4710", ""]) {
        const { asked, facts } = yield* learn(Effect.die("it was asked"), { execPid })
        assert.deepStrictEqual([asked, facts], [[], undefined])
      }
      const { facts } = yield* learn(Effect.die("it was asked"), { cgroup: "0::/\n" })
      assert.isUndefined(facts)
    })
  )

  it.scoped("is undefined when systemctl fails, which is reported once", () =>
    Effect.gen(function* () {
      const answers = [
        [
          new SystemdNotAsked({ tool: "systemctl", problem: "is not installed or not on PATH" }),
          "systemctl is not installed or not on PATH."
        ],
        [
          Effect.succeed({ code: 1, stdout: "", stderr: "Failed to connect to bus\n" }),
          "Failed to connect to bus"
        ],
        [Effect.succeed({ code: 0, stdout: "Id=a\n", stderr: "" }), "its answer cannot be used: Id=a"]
      ] as const
      for (const [answer, reason] of answers) {
        const { events, facts } = yield* learn(answer)
        assert.isUndefined(facts)
        assert.deepStrictEqual(events, [{ _tag: "OwnUnitUnknown", unit: "autopilotd.service", reason }])
      }
    })
  )
})
